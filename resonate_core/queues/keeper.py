"""The execution behind a queue: it gives turns. See the package's docstring for the theory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resonate_core.driver import Driver, driver
from resonate_core.marks import durable
from resonate_core.queues.queue import turn_id

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core.context import Context
    from resonate_core.scheduler.inbox import Message
    from resonate_core.scheduler.promises import Promise

KEEPER_FUNCTION: Final = "resonate.queue"
#: Signal with (job, limits), see ``turn.job_of``; update with the arguments of ``Line.claim``.
REQUEST: Final = "request"
CLAIM: Final = "claim"
#: Events after which a keeper starts over, so that its history stays short.
_EVENTS_PER_RUN: Final = 200
#: An execution that asks for itself waits so long for the request of who enqueued it, which has the better place.
OWN_REQUEST_S: Final = 1.0


@dataclass
class Line:
    """What a keeper knows: who waits, who runs, when the last ones started, who holds which deduplication id."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    claims: dict[str, list[Any]] = field(default_factory=dict)
    limits: dict[str, Any] | None = None

    def request(self, job: dict[str, Any], limits: dict[str, Any] | None, now: float) -> None:
        """Put an execution in line, once; the newest limits count. Times are seconds since the epoch."""
        if limits is not None:
            self.limits = limits
        known = next((one for one in self.waiting if one["id"] == job["id"]), None)
        if known is not None and known["not_before"] and not job["is_own"]:
            self.waiting.remove(known)
            known = None
        if known is None and job["id"] not in self.running:
            not_before = now + OWN_REQUEST_S if job["is_own"] else 0.0
            self.waiting.append({**job, "not_before": not_before})
        if job.get("dedup") is not None:
            self.claims[job["dedup"]] = [job["id"], None]

    def claim(self, deduplication_id: str, execution: str, now: float, until: float) -> str:
        """Take a deduplication id, if it is free; return whose it is.

        A claim whose execution does not stand in line by ``until`` is void: who made it died in between.
        """
        owner, ends = self.claims.get(deduplication_id, [None, None])
        if owner is None or (ends is not None and now > ends):
            self.claims[deduplication_id] = [execution, until]
            return execution
        return str(owner)

    def leave(self, execution: str) -> None:
        """Take an execution out, from whatever place."""
        self.waiting = [one for one in self.waiting if one["id"] != execution]
        self.running = [one for one in self.running if one != execution]
        self.claims = {key: claim for key, claim in self.claims.items() if claim[0] != execution}

    def next_job(self, now: float) -> tuple[dict[str, Any], float] | None:
        """Return who goes next and in how many seconds, None if nobody may before something happens.

        The lowest priority number goes first, then the oldest.
        """
        if not self.waiting or self.limits is None:
            return None
        most = self.limits.get("concurrency")
        if most is not None and len(self.running) >= most:
            return None
        ready = [one for one in self.waiting if one["not_before"] <= now]
        if not ready:
            first = min(self.waiting, key=lambda one: one["not_before"])
            return first, first["not_before"] - now
        return min(ready, key=lambda one: (one["priority"], one["at"])), self._wait_for_rate(now)

    def _wait_for_rate(self, now: float) -> float:
        """Return the seconds until another start keeps to the limiter; 0 is now."""
        limiter = (self.limits or {}).get("limiter")
        if limiter is None:
            return 0.0
        # One way to compute it: ``now - start < period`` may hold when ``start + period - now`` is rounded to nothing.
        self.starts = [start for start in self.starts if start + limiter["period"] > now]
        if len(self.starts) < limiter["limit"]:
            return 0.0
        return float(self.starts[0] + limiter["period"] - now)

    def start(self, job: dict[str, Any], now: float) -> None:
        """Note that an execution runs."""
        self.waiting.remove(job)
        self.running.append(job["id"])
        if (self.limits or {}).get("limiter") is not None:
            self.starts.append(now)

    def followed(self) -> set[str]:
        """Return the executions whose end matters: those that hold a place or a deduplication id."""
        return {*self.running, *(claim[0] for claim in self.claims.values() if claim[1] is None)}


@driver
@durable(name=KEEPER_FUNCTION)
def queue_keeper(ctx: Context, state: dict[str, Any] | None = None) -> Generator[Any, Any, None]:
    """Give one execution of a queue after the other its turn.

    Args:
        ctx: of the keeper's own execution.
        state: of the run before; None at first.
    """
    yield from _Keeper(ctx, Line(**(state or {}))).serve()


class _Keeper:
    """One run of a keeper."""

    def __init__(self, ctx: Context, line: Line) -> None:
        self.ctx = ctx
        self.drive = Driver(ctx)
        self.line = line
        self._ends: dict[str, Promise] = {}
        self._timer: Promise | None = None

    def serve(self) -> Generator[Any, Any, None]:
        for _ in range(_EVENTS_PER_RUN):
            yield from self._follow()
            yield from self._give_turns()
            yield from self._take_next()
        yield self.ctx.continue_as_new(asdict(self.line))

    def _now(self) -> float:
        return self.ctx.now().timestamp()

    def _take_next(self) -> Generator[Any, Any, None]:
        ends = list(self._ends.items())
        timer = [] if self._timer is None else [self._timer]
        event = yield self.drive.next_event(*(promise for _, promise in ends), *timer)
        messages = [] if event.message is None else [event.message]
        if 0 <= event.index < len(ends):
            self._ended(ends[event.index][0])
        elif event.index >= 0:
            self._timer = None
        messages += yield self.drive.messages()
        for message in messages:
            yield from self._take(message)

    def _take(self, message: Message) -> Generator[Any, Any, None]:
        if message.topic == REQUEST:
            job, limits = message.args
            self.line.request(job, limits, self._now())
        elif message.topic == CLAIM and message.reply is not None:
            yield self.drive.settle(message.reply, value=self.line.claim(*message.args))

    def _ended(self, execution: str) -> None:
        del self._ends[execution]
        self.line.leave(execution)

    def _follow(self) -> Generator[Any, Any, None]:
        """Follow the promises of those whose end matters."""
        for execution in sorted(self.line.followed() - self._ends.keys()):
            self._ends[execution] = yield self.drive.follow(execution)

    def _give_turns(self) -> Generator[Any, Any, None]:
        while (found := self.line.next_job(self._now())) is not None:
            job, pause = found
            if pause > 0:
                if self._timer is None:
                    self._timer = yield self.ctx.begin_sleep(pause)
                return
            self.line.start(job, self._now())
            yield from self._follow()
            turn = turn_id(job["id"])
            yield self.drive.follow(turn)
            yield self.drive.settle(turn, value=True)
