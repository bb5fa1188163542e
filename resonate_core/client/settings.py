"""What a ``Resonate`` is made with."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from resonate_core.clock import Clock, SystemClock
from resonate_core.codec import Codec, Encryptor
from resonate_core.errors import UsageError
from resonate_core.limits import SERVER_VALUE_BYTES_MAX
from resonate_core.marks import seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from resonate_core.network.connector import Connector
    from resonate_core.network.port import Network

_logger = logging.getLogger("resonate_core")

URL_VARIABLE: Final = "RESONATE_URL"
TOKEN_VARIABLE: Final = "RESONATE_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_URL: Final = "sqlite:///resonate.db"
DEFAULT_SERVER_URL: Final = "http://localhost:8001"


#: One for all clients of a process, so that they can share a file's server.
_SYSTEM_CLOCK: Final = SystemClock()


@dataclass(frozen=True)
class Settings:
    """Checked settings of a client; see ``Resonate`` for what they mean."""

    url: str
    group: str = "default"
    pid: str | None = None
    ttl_ms: int = 10_000
    dependencies: Mapping[str, Any] = field(default_factory=dict)
    encryptor: Encryptor | None = None
    network: Network | Connector | None = None
    clock: Clock = _SYSTEM_CLOCK
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    max_threads: int = 256
    on_mismatch: Literal["wait", "fail"] = "wait"
    tracer: Any = None
    token: str | None = None

    def codec(self) -> Codec:
        """Return the codec of these settings."""
        is_local = self.url.startswith(("memory:", "sqlite:")) or hasattr(self.network, "submit")
        return Codec(encryptor=self.encryptor, max_bytes=None if is_local else SERVER_VALUE_BYTES_MAX)


def chosen_url(url: str | None) -> str:
    """Return where everything lives: the argument, the environment, or the file in the working directory."""
    if url is not None:
        return url
    found = os.environ.get(URL_VARIABLE)
    if found:
        return found
    _logger.info("no url given and %s is not set: everything is kept in %s", URL_VARIABLE, DEFAULT_URL)
    return DEFAULT_URL


def chosen_token(token: str | None) -> str | None:
    """Return what is shown to a server: the argument, or the environment; an empty one is none."""
    return (os.environ.get(TOKEN_VARIABLE) if token is None else token) or None


def checked_ttl_ms(ttl: float | timedelta) -> int:
    """Return a lease in milliseconds.

    Raises:
        UsageError: below a tenth of a second.
    """
    seconds = seconds_of(ttl, "ttl")
    if seconds is None or seconds < 0.1:
        raise UsageError(f"ttl must be at least 0.1 seconds, got {ttl!r}")
    return round(seconds * 1000)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    """Return a setting that must be one of a few words.

    Raises:
        UsageError: another one.
    """
    if value not in allowed:
        raise UsageError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value
