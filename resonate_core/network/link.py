"""Requests to a server over any line: one at a time, repeated while that can help, one response whatever happens.

What can be repeated: a connection that failed, a server that is busy or broken (5xx, 429), an answer that is none.
That goes on for some seconds; then the response is status 0, and whoever asked decides. What is final at once: every
other answer of the protocol, and a body that the server would not read. A refused token is told with status 0 as well:
it must not look like a refusal of the request itself, or an expired token would fail the executions that it was used
for.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from resonate_core.clock import jitter, monotonic_ms
from resonate_core.network.http_requests import write_request, write_series
from resonate_core.network.http_responses import UnreadableError, read_answer, read_series
from resonate_core.network.http_wire import BODY_BYTES_MAX, SERIES_KIND
from resonate_core.network.routing import DEFAULT_ORIGIN, origin_of_request
from resonate_core.protocol import requests as r

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.spelling import Spelling

    Read = Callable[[bytes], list[r.Response]]

_log = logging.getLogger("resonate_core")

#: How long a request is repeated before its sender is told that no answer came.
REPEAT_SECONDS: Final = 10.0
#: How long one try may take: longer than any server needs, shorter than a lease should have to last.
TRY_SECONDS: Final = 10.0
_FIRST_PAUSE_S: Final = 0.05
_PAUSE_S_MAX: Final = 2.0
_AGAIN: Final = frozenset((429, 500, 502, 503, 504))
_TOKEN: Final = frozenset((401, 403))
_COMPLAINT_MS: Final = 30_000

_NOT_TRIED: Final = r.Response(424, error="an earlier request of the same submission failed")


class Reply:
    """What came of a request.

    Attributes:
        responses: one, or as many as a series had.
        is_repeat: whether an earlier try may have reached the server, so that this answer may be to its echo.
        is_own: whether the server is one of ours.
    """

    __slots__ = ("is_own", "is_repeat", "responses")

    def __init__(self, responses: list[r.Response], *, is_repeat: bool = False, is_own: bool = False) -> None:
        self.responses = responses
        self.is_repeat = is_repeat
        self.is_own = is_own


class TryAgainError(Exception):
    """A try came to nothing; ``may_have_arrived`` says whether the server may have carried it out."""

    def __init__(self, text: str, *, may_have_arrived: bool) -> None:
        super().__init__(text)
        self.may_have_arrived = may_have_arrived


class Link(ABC):
    """A connection to one server; lives on one event loop.

    Args:
        url: names the server in texts.
        token: shown with every request; None if the server wants none.
        repeat_s: how long a request is repeated.
        try_s: how long one try may take.
    """

    def __init__(
        self, url: str, token: str | None, *, repeat_s: float = REPEAT_SECONDS, try_s: float = TRY_SECONDS
    ) -> None:
        self.url = url
        self.token = token
        #: How ids are written there; None: as here.
        self.spelling: Spelling | None = None
        self._repeat_s = repeat_s
        self._try_s = try_s
        self._numbers = itertools.count(1)
        self._last_complaint_ms = -float(_COMPLAINT_MS)

    @abstractmethod
    async def close(self) -> None:
        """Close all connections."""

    @abstractmethod
    async def attempt(self, kind: str, body: bytes, origin: str, read: Read) -> Reply:
        """Try a request once.

        Raises:
            TryAgainError: it came to nothing, and another try may not.
        """

    async def send(self, request: r.Request) -> r.Response:
        """Send a request and return its response; never raises."""
        return (await self.reply(request)).responses[0]

    async def reply(self, request: r.Request, *, is_spelled: bool = False) -> Reply:
        """Send a request; says more about how the answer came.

        Args:
            request: with ids as they are written here.
            is_spelled: they are written as the server wants them.
        """
        spelling = None if is_spelled else self.spelling
        if spelling is None:
            return await self._reply(request)
        reply = await self._reply(spelling.outward(request))
        reply.responses = [spelling.inward(response) for response in reply.responses]
        return reply

    async def _reply(self, request: r.Request) -> Reply:
        correlation = f"c-{next(self._numbers)}"
        try:
            body = write_request(request, correlation, self.token)
        except UnicodeEncodeError as error:
            return Reply([r.Response(400, error=f"{_named(request)} holds half a surrogate pair: {error}")])
        if len(body) > BODY_BYTES_MAX:
            return Reply([_too_large(request, len(body))])
        kind = str(type(request).__struct_config__.tag)
        origin = origin_of_request(request)
        return await self._repeat(kind, body, origin, lambda answer: [read_answer(answer, kind, correlation)])

    async def series(self, requests: list[r.Request], *, atomic: bool) -> Reply:
        """Send requests that belong together to a server of ours, in one round trip if they fit."""
        correlation = f"c-{next(self._numbers)}"
        try:
            body = write_series(requests, correlation, self.token, atomic=atomic)
        except UnicodeEncodeError:
            return await self._in_parts(requests)  # one of them is refused by name
        if len(body) > BODY_BYTES_MAX:
            return await self._in_parts(requests)
        reply = await self._repeat(
            SERIES_KIND, body, DEFAULT_ORIGIN, lambda answer: read_series(answer, SERIES_KIND, correlation)
        )
        missing = len(requests) - len(reply.responses)
        reply.responses += [_NOT_TRIED] * missing
        return reply

    async def _in_parts(self, requests: list[r.Request]) -> Reply:
        if len(requests) == 1:
            return await self.reply(requests[0])
        middle = len(requests) // 2
        first = await self.series(requests[:middle], atomic=False)
        if first.responses[-1].status not in (200, 300):
            return Reply(first.responses + [_NOT_TRIED] * (len(requests) - middle), is_repeat=first.is_repeat)
        rest = await self.series(requests[middle:], atomic=False)
        return Reply(first.responses + rest.responses, is_repeat=first.is_repeat or rest.is_repeat)

    # -- tries ---------------------------------------------------------------------------------------------------

    async def _repeat(self, kind: str, body: bytes, origin: str, read: Read) -> Reply:
        ends_ms = monotonic_ms() + self._repeat_s * 1000
        pause_s = _FIRST_PAUSE_S
        is_repeat = False
        while True:
            try:
                reply = await self.attempt(kind, body, origin, read)
            except TryAgainError as error:
                is_repeat = is_repeat or error.may_have_arrived
                if monotonic_ms() >= ends_ms:
                    return Reply([r.Response(0, error=str(error))], is_repeat=is_repeat)
                await asyncio.sleep(pause_s * jitter(0.5, 1.0))
                pause_s = min(pause_s * 2, _PAUSE_S_MAX)
            else:
                reply.is_repeat = is_repeat
                return reply

    def judge(self, kind: str, status: int, answer: bytes, read: Read) -> list[r.Response]:
        """Tell a final answer from one that is worth another try."""
        try:
            responses = read(answer)
        except UnreadableError as error:
            return [self._no_envelope(kind, status, str(error))]
        first = responses[0] if responses else r.Response(200)
        if first.status in _TOKEN:
            return [self._refused_token(first.status)]
        if first.status in _AGAIN:
            raise TryAgainError(
                f"{self.url} failed on {kind} with {first.status}: {first.error}", may_have_arrived=True
            )
        return responses

    def _no_envelope(self, kind: str, status: int, problem: str) -> r.Response:
        if status == 413:
            return r.Response(413, error=f"{self.url} refused {kind}: the body is too large for it")
        if status in _TOKEN:
            return self._refused_token(status)
        if status < 400 or status >= 500 or status in _AGAIN:
            raise TryAgainError(f"{self.url} answered {kind} with {status} and {problem}", may_have_arrived=True)
        return r.Response(
            0, error=f"{self.url} is no Resonate Server, or not its root: it answered {status} ({problem})"
        )

    def _refused_token(self, status: int) -> r.Response:
        what = "no token was given" if self.token is None else "the token is wrong, expired or not allowed to do this"
        text = f"{self.url} refused with {status}: {what}; give Resonate(token=...) or RESONATE_TOKEN a valid one"
        if monotonic_ms() - self._last_complaint_ms > _COMPLAINT_MS:
            self._last_complaint_ms = monotonic_ms()
            _log.error("%s", text)
        return r.Response(0, error=text)


def _too_large(request: r.Request, body_bytes: int) -> r.Response:
    return r.Response(
        413,
        error=(
            f"{_named(request)} makes a request of {body_bytes} bytes, and a Resonate Server reads {BODY_BYTES_MAX}; "
            "keep large values elsewhere and pass where they are"
        ),
    )


def _named(request: r.Request) -> str:
    """Name what is large in a request."""
    action = getattr(request, "action", request)
    name = getattr(action, "id", "")
    if isinstance(request, (r.PromiseSettle, r.TaskFulfill, r.FenceSettled, r.MessageAppend, r.FulfillIfRead)):
        return f"the value of promise {name!r}"
    if isinstance(action, r.PromiseCreate):
        return f"the param of promise {name!r}"
    return f"the {type(request).__name__} of {name!r}"
