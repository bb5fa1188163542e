"""``Cron``: schedules with seconds, time zones, and a word on missed and overlapping runs.

A plain cron text given to ``resonate.schedule`` becomes a schedule of the server: UTC, every tick runs, whatever
happened meanwhile. A ``Cron`` can say more than servers know, so it is itself an execution, ``schedule/NAME``: it
sleeps until the next tick and starts the function under an id made of the tick, so that a tick runs once, however many
processes there are and whenever they die.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from resonate_core.errors import UsageError
from resonate_core.marks import durable, entry, query, seconds_of, signal, step

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core.context import Context

SCHEDULE_FUNCTION: Final = "resonate.schedule"
STATE_FUNCTION: Final = "resonate.state"
OVERLAPS: Final = ("allow", "skip", "buffer_one", "cancel_running")
#: Ticks after which a schedule starts over, so that its history stays short.
_TICKS_PER_RUN: Final = 100


@dataclass(frozen=True)
class Cron:
    """When a function runs.

    Attributes:
        expression: five fields, or six with seconds first. Days of the week are names: numbers mean different days in
            different crons.
        time_zone: in which the fields are read; across a change of clocks each tick still happens once.
        overlap: what a tick does while the run before is under way: ``allow`` both, ``skip`` the tick, ``buffer_one``
            starts when that has ended, ``cancel_running`` cancels it first.
        catch_up: a tick that was missed, because no worker ran, still runs if it is late by at most this many seconds;
            None: however late.

    Raises:
        UsageError: something of it cannot be; the text says what.
    """

    expression: str
    time_zone: str = "UTC"
    overlap: Literal["allow", "skip", "buffer_one", "cancel_running"] = "allow"
    catch_up: float | dt.timedelta | None = None

    def __post_init__(self) -> None:
        _checked_fields(self.expression)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UsageError(f"time zone {self.time_zone!r} is not known here ({error}); say Europe/Berlin") from None
        if self.overlap not in OVERLAPS:
            raise UsageError(f"overlap must be one of {', '.join(OVERLAPS)}, got {self.overlap!r}")
        seconds_of(self.catch_up, "catch_up of a Cron")

    def next_after(self, instant: dt.datetime) -> dt.datetime | None:
        """Return the first tick after an instant, aware; None if there is none any more."""
        zone = ZoneInfo(self.time_zone)
        try:
            iterator = croniter(self.expression, instant.astimezone(zone), second_at_beginning=True)
            found: dt.datetime = iterator.get_next(dt.datetime)
        except CroniterBadDateError:
            return None
        return found.astimezone(dt.UTC)

    def spec(self) -> dict[str, Any]:
        """Return it as plain data."""
        late = seconds_of(self.catch_up, "catch_up of a Cron")
        return {"expression": self.expression, "time_zone": self.time_zone, "overlap": self.overlap, "catch_up": late}


def _checked_fields(expression: Any) -> None:
    fields = expression.split() if isinstance(expression, str) else []
    if len(fields) not in (5, 6):
        found = f"cron expression {expression!r} has {len(fields)} fields"
        raise UsageError(f"{found}; expected 5, or 6 with seconds first")
    if any(sign.isdigit() for sign in fields[-1].partition("/")[0].partition("#")[0]):
        raise UsageError(f"cron expression {expression!r}: name the day of the week, SUN to SAT; numbers are ambiguous")
    try:
        croniter(expression, second_at_beginning=True)
    except (CroniterError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"cron expression {expression!r} cannot be read: {error}") from None


@step(name=STATE_FUNCTION)
def state_of(promise_id: str) -> str:
    """Return the state of a promise; workers register what does it under this name."""
    raise UsageError(f"the state of {promise_id!r} is read by a started worker only, and there is none")


@durable(name=SCHEDULE_FUNCTION)
class Recurring:
    """The execution behind a ``Cron``.

    Args:
        name: of the schedule.
        spec: of the ``Cron``.
        call: registered name, version, arguments, target.
        last: the last tick that was dealt with, seconds since the epoch.
        running: id of the run that was started last.
    """

    def __init__(
        self,
        name: str,
        spec: dict[str, Any],
        call: dict[str, Any],
        last: float | None = None,
        running: str | None = None,
    ) -> None:
        self.name = name
        self.spec = spec
        self.cron = Cron(**spec)
        self.call = call
        self.last = last
        self.running = running
        self.promise: Any = None
        self.is_paused = False
        self.is_over = False
        self.triggered = 0

    @entry
    def run(  # noqa: PLR0917 - what a schedule is made of, and where it stands
        self,
        ctx: Context,
        name: str,  # noqa: ARG002 - the constructor has taken them
        spec: dict[str, Any],
        call: dict[str, Any],
        last: float | None = None,  # noqa: ARG002
        running: str | None = None,  # noqa: ARG002
    ) -> Generator[Any, Any, None]:
        """Start one run after the other."""
        for _ in range(_TICKS_PER_RUN):
            since = ctx.now() if self.last is None else dt.datetime.fromtimestamp(self.last, tz=dt.UTC)
            tick = self.cron.next_after(since)
            if tick is None:
                return
            if not (yield from self._until(ctx, tick)):
                return
            self.last = tick.timestamp()
            if not self.is_paused and not (yield from self._is_too_late(ctx, tick)):
                yield from self._fire(ctx, f"{self.name}-{int(tick.timestamp())}")
        yield ctx.continue_as_new(self.name, spec, call, self.last, self.running)

    def _until(self, ctx: Context, tick: dt.datetime) -> Generator[Any, Any, bool]:
        """Wait for a tick, running what is triggered by hand; return whether it came before the end."""
        while True:
            wait = tick.timestamp() - (yield ctx.time.time())
            if wait <= 0:
                return not self.is_over
            try:
                yield ctx.wait_until(lambda: self.is_over or self.triggered, timeout=wait)
            except TimeoutError:
                return not self.is_over
            if self.is_over:
                return False
            self.triggered -= 1
            yield from self._fire(ctx, f"{self.name}-{ctx.uuid4()}")

    def _is_too_late(self, ctx: Context, tick: dt.datetime) -> Generator[Any, Any, bool]:
        limit = self.spec["catch_up"]
        return limit is not None and (yield ctx.time.time()) - tick.timestamp() > limit

    def _fire(self, ctx: Context, run_id: str) -> Generator[Any, Any, None]:
        if self.cron.overlap != "allow" and self.running is not None:
            state = yield ctx.run(state_of, self.running)
            if state == "pending" and not (yield from self._make_way(ctx, self.running)):
                return
        call = self.call
        command = ctx.detached(call["function"], *call["args"], **call["kwargs"])
        command.options(id=run_id, version=call["version"], target=call["target"], timeout=call["timeout"])
        self.promise = yield command
        self.running = run_id

    def _make_way(self, ctx: Context, running: str) -> Generator[Any, Any, bool]:
        """Deal with a run that is under way; return whether the next one starts."""
        if self.cron.overlap == "skip":
            return False
        if self.cron.overlap == "cancel_running":
            yield ctx.cancel(running, f"the next run of schedule {self.name} begins")
            return True
        under_way = self.promise or (yield ctx.promise(id=running))
        yield ctx.gather(under_way, return_exceptions=True)
        self.last = max(self.last or 0.0, (yield ctx.time.time()))  # one waits at the most
        return True

    @signal
    def pause(self) -> None:
        """Let ticks pass."""
        self.is_paused = True

    @signal
    def resume(self) -> None:
        """Run at ticks again."""
        self.is_paused = False

    @signal
    def trigger(self) -> None:
        """Run once now."""
        self.triggered += 1

    @signal
    def end(self) -> None:
        """Run no more."""
        self.is_over = True

    @query
    def info(self) -> dict[str, Any]:
        """Return what it runs and when it last did."""
        return {**self.cron.spec(), "function": self.call["function"], "last": self.last, "is_paused": self.is_paused}
