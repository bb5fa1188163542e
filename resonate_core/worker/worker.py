"""The worker: one thread that advances all executions held by this process.

Theory
======

A worker process receives ``execute`` messages, acquires tasks, and becomes the only one that may write in their name:
every write carries the task's version, and a write of a former holder is refused. What it holds is a ``Hold``; what it
knows of the program's progress is the hold's ``Execution``.

Everything happens on one thread, in *turns*: news (messages, answers, outcomes of steps, settled promises, timers) are
collected, each is told to the hold it belongs to, then every hold that had news looks once at its execution and sends
what is to be written, in one submission. So a thousand outcomes that come together cost a few commits.

The lease is kept alive by heartbeats while the task is held, whatever the steps do. A worker that stops for longer than
its lease (a paused machine) loses its tasks to others; it learns that from the first refused write and drops the hold.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from resonate_core.clock import monotonic_ms
from resonate_core.limits import (
    ALONE_COUNT_MAX,
    BLOCKED_BODY_MS,
    HELD_COUNT_MAX,
    RELEASE_PAUSE_MAX_MS,
    RELEASE_PAUSE_MS,
    STICKY_COUNT_MAX,
    UNREGISTERED_GRACE_MS,
)
from resonate_core.network.port import Lease
from resonate_core.protocol.requests import Acquired, Execute, HeartbeatTask, TaskAcquire, TaskHeartbeat, TaskRelease
from resonate_core.worker.beats import Beats
from resonate_core.worker.hold import Hold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.clock import Clock
    from resonate_core.network.port import Done, Network
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request, Response
    from resonate_core.scheduler.environment import Environment
    from resonate_core.telemetry import Telemetry
    from resonate_core.worker.steps import StepRunner

_logger = logging.getLogger("resonate_core")


class Timer:
    """Something to do later; ``cancel`` forgets it."""

    __slots__ = ("call", "due_ms")

    def __init__(self, due_ms: int, call: Callable[[], None]) -> None:
        self.due_ms = due_ms
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Do nothing when the time comes."""
        self.call = None


class Worker:
    """Holds tasks and advances their executions.

    Args:
        env: what executions share.
        network: connection to the server.
        runner: runs steps.
        clock: wall clock.
        ttl_ms: lease of a held task; a third of it lies between two heartbeats.
        threaded: without a thread somebody calls ``run_pending`` (tests, simulation).
        fails_on_mismatch: an execution whose code has changed fails; else it waits for code that fits.
        telemetry: makes spans, if the program wants them.
        unregistered_grace_ms: how long an execution that has not begun waits for somebody who knows its function.
    """

    def __init__(
        self,
        env: Environment,
        network: Network,
        runner: StepRunner,
        clock: Clock,
        *,
        ttl_ms: int,
        threaded: bool = True,
        fails_on_mismatch: bool = False,
        unregistered_grace_ms: int = UNREGISTERED_GRACE_MS,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.env = env
        self.network = network
        self.runner = runner
        self.clock = clock
        self.ttl_ms = ttl_ms
        self.fails_on_mismatch = fails_on_mismatch
        self.telemetry = telemetry
        self.unregistered_grace_ms = unregistered_grace_ms
        self.is_stopping = False
        self.first_refused_ms: dict[str, int] = {}
        self._refusals: dict[str, int] = {}
        self.beats = Beats(self)
        runner.on_heartbeat = self.beats.heard
        self.holds: dict[str, Hold] = {}
        self.sticky: OrderedDict[str, Hold] = OrderedDict()
        self._acquiring: set[str] = set()
        self._delayed: dict[str, Execute] = {}
        self._news: deque[Callable[[], None]] = deque()
        self._touched: dict[str, Hold] = {}
        self._outgoing: list[tuple[Sequence[Request], Done]] = []
        self._timers: list[tuple[int, int, Timer]] = []
        self._numbers = itertools.count()
        self._condition = threading.Condition()
        self._is_waiting = False
        self._is_beating = False
        self._thread: threading.Thread | None = None
        self._is_threaded = threaded

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to advance executions and to keep leases alive."""
        if self._is_threaded:
            self._thread = threading.Thread(target=self._loop, name="resonate-worker", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take no new tasks, give steps some seconds to end, give back the rest, end the thread."""
        self.is_stopping = True
        if self._thread is None or self._thread is threading.current_thread():
            return
        done = threading.Event()
        self.post(lambda: self._drain_until(monotonic_ms() + timeout_s * 1000, done))
        done.wait(timeout_s + 5)
        thread, self._thread = self._thread, None
        self.post(lambda: None)
        thread.join(5)

    def _drain_until(self, end_ms: float, done: threading.Event) -> None:
        busy = [hold for hold in self.holds.values() if hold.is_busy]
        if busy and monotonic_ms() < end_ms:
            self.after(20, lambda: self._drain_until(end_ms, done))
            return
        remaining = list(self.holds.values())
        for hold in remaining:
            hold.give_back(pause=False)
        self._await_given_back(end_ms + 2000, done)

    def _await_given_back(self, end_ms: float, done: threading.Event) -> None:
        if self.holds and monotonic_ms() < end_ms:
            self.after(10, lambda: self._await_given_back(end_ms, done))
            return
        self.sticky.clear()
        done.set()

    # -- news ----------------------------------------------------------------------------------------------------

    def peek_due_ms(self) -> int | None:
        """Return the instant of the next timer, from any thread."""
        return min((due for due, _, timer in list(self._timers) if timer.call is not None), default=None)

    @property
    def is_quiet(self) -> bool:
        """Whether only time or somebody outside can bring anything further; for virtual time."""
        is_idle = self._is_waiting and not self._news and not self._touched and not self._acquiring
        return is_idle and not self.runner.open_count and not any(hold.is_busy for hold in list(self.holds.values()))

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller runs on the worker's thread, where blocking would stop everything."""
        return self._thread is threading.current_thread()

    def post(self, call: Callable[[], None]) -> None:
        """Do something on the worker's thread; from any thread."""
        self._news.append(call)
        if self._is_waiting:
            with self._condition:
                self._condition.notify()

    def after(self, delay_ms: int, call: Callable[[], None]) -> Timer:
        """Do something on the worker's thread later; only from that thread."""
        timer = Timer(self.clock.now_ms() + delay_ms, call)
        heapq.heappush(self._timers, (timer.due_ms, next(self._numbers), timer))
        return timer

    def touch(self, hold: Hold) -> None:
        """Let a hold look at its execution at the end of this turn."""
        self._touched[hold.id] = hold

    def _loop(self) -> None:
        while not (self.is_stopping and self._thread is None):
            self.run_pending()
            self._sleep()

    def _sleep(self) -> None:
        with self._condition:
            self._is_waiting = True
            try:
                if not self._news:
                    self.clock.wait(self._condition, self.next_due_ms())
            finally:
                self._is_waiting = False

    def next_due_ms(self) -> int | None:
        """Return milliseconds until a timer is due, None if there is none."""
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        return max(0, self._timers[0][0] - self.clock.now_ms()) if self._timers else None

    def run_pending(self) -> bool:
        """Take turns until nothing is left to do now; return whether anything was."""
        was_busy = False
        while self._turn():
            was_busy = True
        return was_busy

    def _turn(self) -> bool:
        news, timers = len(self._news), self._due_timers()
        for _ in range(news):
            self._guarded(self._news.popleft())
        for timer in timers:
            call, timer.call = timer.call, None
            if call is not None:
                self._guarded(call)
        touched, self._touched = self._touched, {}
        for hold in touched.values():
            self._look(hold)
        if self._outgoing:
            outgoing, self._outgoing = self._outgoing, []
            self._send(outgoing)
        return bool(news or timers or touched)

    def _send(self, outgoing: list[tuple[Sequence[Request], Done]]) -> None:
        """Send what the turn has piled up: alone and at once, or together with what others write, if they do."""
        if len(self.holds) <= ALONE_COUNT_MAX:
            self.network.submit_all(outgoing)
            return
        for requests, done in outgoing:
            self.network.submit(requests, done)

    def _due_timers(self) -> list[Timer]:
        due = []
        now = self.clock.now_ms() if self._timers else 0
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        return due

    def _look(self, hold: Hold) -> None:
        began = monotonic_ms()
        self._guarded(hold.look)
        spent = monotonic_ms() - began
        if spent > BLOCKED_BODY_MS:
            _logger.warning(
                "%s (%s) computed for %.1f s between two yields and stopped all other executions of this process; "
                "put the work into a step: yield ctx.run(...)",
                hold.id,
                hold.function_name,
                spent / 1000,
            )

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            _logger.exception("the worker met an error of its own and goes on")

    # -- tasks ---------------------------------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        """Take a message of the network; from any thread."""
        if isinstance(message, Execute):
            self.post(lambda: self._execute(message))
        elif isinstance(message, Acquired):
            self.post(lambda: self._given(message))

    def _execute(self, message: Execute) -> None:
        if self.is_stopping or message.id in self._acquiring or message.id in self.holds:
            return
        if len(self.holds) >= HELD_COUNT_MAX:
            self._delayed[message.id] = message
            return
        self._acquiring.add(message.id)
        request = TaskAcquire(message.id, message.version, self.network.pid, self.ttl_ms)
        self.submit([request], lambda responses: self._acquired(message.id, responses[0]))

    @property
    def lease(self) -> Lease:
        """How a server in this process may acquire tasks in this worker's name."""
        return Lease(self.ttl_ms, lambda: not self.is_stopping and len(self.holds) < HELD_COUNT_MAX)

    def _given(self, message: Acquired) -> None:
        """Begin with a task that the server has acquired for this worker."""
        task = message.response.task
        former = self.holds.get(message.id)
        if task is None or (former is not None and former.version >= task.version):
            return  # it came twice
        if former is not None:
            former.lost("its lease lapsed, and the task came back")
        if self.is_stopping:
            self.submit([TaskRelease(message.id, task.version)], _ignore)
            return
        self._acquired(message.id, message.response)

    def _acquired(self, id: str, response: Response) -> None:
        self._acquiring.discard(id)
        if response.is_ok and response.promise is not None and response.task is not None:
            self.take(response.promise, response.task.version, list(response.preload))

    def take(self, promise: PromiseRecord, version: int, preload: list[PromiseRecord]) -> None:
        """Begin, or go on with, an execution whose task this process has acquired."""
        hold = self.sticky.pop(promise.id, None)
        if hold is None:
            hold = Hold(self, promise, version)
        self.holds[promise.id] = hold
        self._keep_alive()
        self._guarded(lambda: hold.begin(version, preload))

    def dropped(self, hold: Hold, *, keep: bool) -> None:
        """Forget a hold; ``keep`` its generator in memory for a quick resume."""
        if self.holds.get(hold.id) is hold:
            del self.holds[hold.id]
        self._touched.pop(hold.id, None)
        if keep and not self.is_stopping:
            self.sticky[hold.id] = hold
            while len(self.sticky) > STICKY_COUNT_MAX:
                self.sticky.popitem(last=False)[1].discard()
        while self._delayed and len(self.holds) < HELD_COUNT_MAX:
            self._execute(self._delayed.pop(next(iter(self._delayed))))

    def release_later(self, hold: Hold) -> None:
        """Give a task back after a pause: at once it would come back at once. The lease is kept until then."""
        count = self._refusals[hold.id] = self._refusals.get(hold.id, 0) + 1
        pause = min(RELEASE_PAUSE_MS * 2 ** min(count - 1, 10), RELEASE_PAUSE_MAX_MS)

        def release() -> None:
            self.submit([TaskRelease(hold.id, hold.version)], lambda _: self.dropped(hold, keep=False))

        self.after(pause, release)

    def forget_refusals(self, id: str) -> None:
        """An execution has ended: what kept it from running does not matter any more."""
        self.first_refused_ms.pop(id, None)
        self._refusals.pop(id, None)

    def submit(self, requests: list[Request], then: Callable[[list[Response]], None]) -> None:
        """Send requests at the end of this turn; ``then`` is called on the worker's thread, which this is called on."""
        self._outgoing.append((requests, lambda responses: self.post(lambda: then(responses))))

    def _keep_alive(self) -> None:
        if not self._is_beating:
            self._is_beating = True
            self.after(max(1, self.ttl_ms // 3), self._heartbeat)

    def _heartbeat(self) -> None:
        self._is_beating = False
        held = [HeartbeatTask(hold.id, hold.version) for hold in self.holds.values() if hold.is_leased]
        if held:
            self.network.submit([TaskHeartbeat(self.network.pid, held)], _ignore)
            self._keep_alive()


def _ignore(_: Any) -> None:
    """A heartbeat's answer says nothing; a lost lease shows at the next write."""
