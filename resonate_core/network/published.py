"""Reading what an execution has published with ``set_event``: values ``E.event.KEY.0``, ``.1``, ...; the newest counts.

Numbers have no holes, so the newest is found by doubling and then halving: a handful of reads, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from resonate_core.errors import CodecError, TransportError
from resonate_core.ids import event_id
from resonate_core.protocol.requests import PromiseGet

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.port import Network
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Request, Response
    from resonate_core.scheduler.environment import Environment

    Then = Callable[[Any, BaseException | None], None]


class Surroundings(Protocol):
    """Who reads: a worker, or a client on its thread."""

    network: Network

    def submit(self, requests: list[Request], then: Callable[[list[Response]], None]) -> None:
        """Send requests; ``then`` is called on one thread."""

    def post(self, call: Callable[[], None]) -> None:
        """Do something on that thread."""

    def after(self, delay_ms: int, call: Callable[[], None]) -> Any:
        """Do something later on that thread; the result has ``cancel()``."""


def read_event(  # noqa: PLR0917 - who reads what, until when, for whom
    around: Surroundings, env: Environment, source: str, key: str, deadline_ms: int | None, then: Then
) -> None:
    """Give the newest value of an event, waiting for the first one until a deadline; None when that passes."""
    _Reading(around, env, source, key, then).begin(deadline_ms)


class _Reading:
    def __init__(self, around: Surroundings, env: Environment, source: str, key: str, then: Then) -> None:
        self._around = around
        self._env = env
        self._source = source
        self._key = key
        self._then = then
        self._is_done = False
        self._timer: Any = None

    def begin(self, deadline_ms: int | None) -> None:
        first = event_id(self._source, self._key, 0)

        def appeared(record: PromiseRecord) -> None:
            self._around.post(lambda: self._search(record))

        def too_late() -> None:
            if not self._is_done:
                self._around.network.unwatch(first, appeared)
                self._finish(None, None)

        if deadline_ms is not None:
            self._timer = self._around.after(max(0, deadline_ms - self._env.now_ms()), too_late)
        self._around.network.watch(first, appeared)

    def _search(self, record: PromiseRecord) -> None:
        if not self._is_done:
            self._is_done = True
            if self._timer is not None:
                self._timer.cancel()
            self._double(0, 1, record)

    def _get(self, number: int, found: Callable[[PromiseRecord | None], None]) -> None:
        def answered(responses: list[Response]) -> None:
            response = responses[0]
            if response.status == 0:
                self._then(None, TransportError(f"event {self._key!r} of {self._source}: {response.error}"))
                return
            found(response.promise)

        self._around.submit([PromiseGet(event_id(self._source, self._key, number))], answered)

    def _double(self, known: int, step: int, record: PromiseRecord) -> None:
        def found(later: PromiseRecord | None) -> None:
            if later is not None:
                self._double(known + step, step * 2, later)
            else:
                self._halve(known, known + step, record)

        self._get(known + step, found)

    def _halve(self, known: int, missing: int, record: PromiseRecord) -> None:
        if missing - known == 1:
            self._decode(record)
            return
        middle = (known + missing) // 2

        def found(later: PromiseRecord | None) -> None:
            if later is not None:
                self._halve(middle, missing, later)
            else:
                self._halve(known, middle, record)

        self._get(middle, found)

    def _decode(self, record: PromiseRecord) -> None:
        try:
            self._then(self._env.codec.decode_value(record.value), None)
        except CodecError as error:
            self._then(None, error)

    def _finish(self, value: Any, error: BaseException | None) -> None:
        self._is_done = True
        self._then(value, error)
