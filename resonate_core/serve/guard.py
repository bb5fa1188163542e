"""Who may speak to the server.

With a token, nobody without it learns anything, not even whether the server is well. Without one, whoever reaches the
port may start functions; so pages in a browser, which reach ports of the machine they are shown on, are turned away.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Headers that browsers set by themselves and pages cannot remove.
_BROWSER_HEADERS: Final = ("Origin", "Sec-Fetch-Site")


class Guard:
    """Decides by headers and by the envelope's ``head.auth``.

    Args:
        token: what callers must know; None lets everybody in who is not a web page.
    """

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    def is_web_page(self, headers: Mapping[str, str]) -> bool:
        """Whether a browser sends this on behalf of a page."""
        return any(name in headers for name in _BROWSER_HEADERS)

    def admits(self, headers: Mapping[str, str], auth: str | None = None) -> bool:
        """Whether the caller knows the token: as ``Authorization: Bearer``, or, in a request, as ``head.auth``."""
        if self._token is None:
            return True
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        candidates = [given.strip() if scheme.lower() == "bearer" else "", auth or ""]
        # every candidate is compared, in constant time: how long the answer takes tells nothing
        found = [hmac.compare_digest(candidate.encode("utf-8", "replace"), self._token) for candidate in candidates]
        return any(found)
