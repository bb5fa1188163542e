"""Faults that a simulation injects between a worker and its server: each with a probability, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resonate_core.protocol.requests import Acquired, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from resonate_core.network.local import LocalNetwork
    from resonate_core.network.port import Done, Lease
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request


@dataclass(frozen=True)
class Faults:
    """Probabilities, 0 to 1, each per request, message or turn.

    Attributes:
        lose_request: it never arrives; the sender is told that no answer came.
        lose_answer: it is carried out; the sender is told that no answer came.
        delay_answer: it is carried out; the answer comes some turns later, others may overtake it.
        drop_message: an ``execute`` message is lost.
        duplicate_message: it comes twice.
        delay_message: it comes some turns later.
        kill: a worker dies without a word, and another one is started.
        pause: a worker stops for longer than its lease, and goes on as if nothing had been.
    """

    lose_request: float = 0.02
    lose_answer: float = 0.02
    delay_answer: float = 0.1
    drop_message: float = 0.05
    duplicate_message: float = 0.1
    delay_message: float = 0.1
    kill: float = 0.01
    pause: float = 0.01

    @classmethod
    def none(cls) -> Faults:
        """Return a world in which everything works."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0)


class FaultyNetwork:
    """A network to an inline server over a bad line.

    Args:
        inner: the good line.
        random: decides, in a fixed order.
        faults: how often.
        later: puts a call off by some turns.
        note: writes the log of the simulation.
    """

    def __init__(
        self,
        inner: LocalNetwork,
        random: Random,
        faults: Faults,
        *,
        later: Callable[[Callable[[], None]], None],
        note: Callable[[str], None],
    ) -> None:
        self._inner = inner
        self._random = random
        self._faults = faults
        self._later = later
        self._note = note
        self.is_dead = False
        self.pid = inner.pid
        self.group = inner.group
        self.unicast = inner.unicast
        self.anycast = inner.anycast

    def address(self, target: str) -> str:
        """Return the address of a target."""
        return self._inner.address(target)

    def start(
        self, on_message: Callable[[Message], None], *, is_worker: bool, lease: Lease | None = None
    ) -> None:
        """Begin to receive, more or less."""

        def deliver(message: Message) -> None:
            if self.is_dead:
                return
            is_carried = not isinstance(message, Acquired)  # the other is a call within the process
            if is_carried and self._happens(self._faults.drop_message, f"drop {message}"):
                return
            if self._happens(self._faults.duplicate_message, "duplicate"):
                self._later(lambda: self._alive(on_message, message))
            if self._happens(self._faults.delay_message, "delay"):
                self._later(lambda: self._alive(on_message, message))
            else:
                on_message(message)

        self._inner.start(deliver, is_worker=is_worker, lease=lease)

    def _alive(self, call: Callable[[Message], None], message: Message) -> None:
        if not self.is_dead:
            call(message)

    def stop(self) -> None:
        """Stop receiving."""
        self._inner.stop()

    def die(self) -> None:
        """Be gone: nothing goes out and nothing comes in any more."""
        self.is_dead = True
        self._inner.stop()

    def submit(self, requests: Sequence[Request], done: Done, *, atomic: bool = False) -> None:
        """Send requests, perhaps in vain, perhaps without hearing of it."""
        if self.is_dead:
            return
        names = "+".join(type(request).__name__ for request in requests)
        self._note(f"{self.pid} {names} {getattr(requests[0], 'id', '')}")
        if self._happens(self._faults.lose_request, "lose request"):
            self._later(lambda: self._answer(done, _no_answer(len(requests))))
            return
        loses_answer = self._happens(self._faults.lose_answer, "lose answer")
        delays_answer = self._happens(self._faults.delay_answer, "delay answer")

        def answered(responses: list[Response]) -> None:
            shown = _no_answer(len(requests)) if loses_answer else responses
            if loses_answer or delays_answer:
                self._later(lambda: self._answer(done, shown))
            else:
                self._answer(done, shown)

        self._inner.submit(requests, answered, atomic=atomic)

    def submit_all(self, series: Sequence[tuple[Sequence[Request], Done]]) -> None:
        """Send several series, each with its own fate."""
        for requests, done in series:
            self.submit(requests, done)

    def _answer(self, done: Done, responses: list[Response]) -> None:
        if not self.is_dead:
            done(responses)

    def watch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Ask to be told when a promise settles."""
        if not self.is_dead:
            self._inner.watch(promise_id, on_settled)

    def unwatch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Forget a watch."""
        self._inner.unwatch(promise_id, on_settled)

    def _happens(self, probability: float, what: str) -> bool:
        if not probability or self._random.random() >= probability:
            return False
        self._note(f"{self.pid} {what}")
        return True


def _no_answer(count: int) -> list[Response]:
    return [Response(0, error="simulated: no answer came"), *[Response(424)] * (count - 1)]
