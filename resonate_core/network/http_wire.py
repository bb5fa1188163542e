"""What requests, answers and messages share on the wire: the envelope, its version, how a mistake is told.

One endpoint, ``POST /``: ``{"kind", "head", "data"}`` both ways. The HTTP status equals ``head.status`` of the answer.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from resonate_core.protocol.requests import PROTOCOL_VERSION

#: Servers read this much of a body; a longer one is refused by them without an envelope.
BODY_BYTES_MAX: Final = 2 * 1024 * 1024

#: What an answer carries when the request could not be read far enough to say.
UNKNOWN_KIND: Final = "unknown"
UNKNOWN_CORRELATION: Final = "0"

#: Header by which our own server says that it knows the kinds that other servers do not.
EXTENSION_HEADER: Final = "Resonate-Core"

#: Several requests that belong together, in one round trip and one commit; our own server only.
SERIES_KIND: Final = "x.series"


class MalformedError(Exception):
    """A request that cannot be read; carries what the refusal has to say.

    Attributes:
        status: of the protocol, 400 but for kinds that are refused as such.
        kind: of the request as far as it could be read.
        correlation_id: likewise.
    """

    def __init__(
        self, text: str, *, status: int = 400, kind: str = UNKNOWN_KIND, correlation_id: str = UNKNOWN_CORRELATION
    ) -> None:
        super().__init__(text)
        self.status = status
        self.kind = kind
        self.correlation_id = correlation_id


class Envelope(msgspec.Struct, frozen=True):
    """A request's envelope, checked; ``data`` is still text."""

    kind: str
    correlation_id: str
    version: str
    auth: str | None
    data: msgspec.Raw


class _Loose(msgspec.Struct):
    """An envelope of which nothing is known but that it is an object."""

    kind: Any = None
    head: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")


_loose: Final = msgspec.json.Decoder(_Loose)
#: What makes JSON unreadable: not JSON, wrong types, not UTF-8, nested beyond all reason.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_envelope(body: bytes) -> Envelope:
    """Read the envelope of a request.

    Raises:
        MalformedError: it is none; the text says what is missing.
    """
    try:
        loose = _loose.decode(body)
    except UNREADABLE as error:
        raise MalformedError(f"the body is not a JSON object: {error}") from None
    head = loose.head if isinstance(loose.head, dict) else {}
    kind = loose.kind if isinstance(loose.kind, str) and loose.kind else UNKNOWN_KIND
    correlation = head.get("corrId")
    known = correlation if isinstance(correlation, str) else UNKNOWN_CORRELATION
    problem = _problem(loose, head)
    if problem is not None:
        raise MalformedError(problem, kind=kind, correlation_id=known)
    auth = head.get("auth")
    return Envelope(kind, known, head["version"], auth if isinstance(auth, str) else None, loose.data)


def _problem(loose: _Loose, head: dict[str, Any]) -> str | None:
    if not isinstance(loose.kind, str) or not loose.kind:
        return "kind must be a non-empty string"
    if not isinstance(loose.head, dict):
        return "head must be an object"
    if not isinstance(head.get("corrId"), str):
        return "head.corrId must be a string"
    if not isinstance(head.get("version"), str):
        return "head.version must be a string"
    if bytes(loose.data)[:1] != b"{":
        return "data must be an object"
    return None


def check_version(envelope: Envelope) -> None:
    """Refuse another version of the protocol.

    Raises:
        MalformedError: with the version that is spoken here.
    """
    if envelope.version != PROTOCOL_VERSION:
        raise MalformedError(
            f"head.version must be {PROTOCOL_VERSION!r}, got {envelope.version!r}",
            kind=envelope.kind,
            correlation_id=envelope.correlation_id,
        )


def write_envelope(kind: str, head: dict[str, Any], data: Any) -> bytes:
    """Return an envelope as JSON."""
    return msgspec.json.encode({"kind": kind, "head": head, "data": data})


def answer_head(correlation_id: str, status: int) -> dict[str, Any]:
    """Return the head of an answer."""
    return {"corrId": correlation_id, "status": status, "version": PROTOCOL_VERSION}
