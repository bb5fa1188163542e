"""The execution behind a schedule: it sleeps until the next tick and starts the workflow under an id made of the tick.

So a tick runs once, however many processes there are and whenever they die.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from croniter import croniter

from compat.dbos.queues import Wanted
from compat.dbos.statuses import TAG_SCHEDULE
from resonate_core import QueuePlace, durable, entry, signal, update

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core import Context

TICKER_FUNCTION: Final = "dbos.schedule"
#: A schedule lives until it is deleted; ten years are for ever.
TICKER_TIMEOUT_S: Final = 10 * 366 * 86_400
#: Ticks, and readings, after which a schedule starts over, so that its history stays short.
_TICKS_PER_RUN: Final = 100
_LOOKS_PER_RUN: Final = 100
#: A tick that nobody was there for is passed over, unless it is younger: so long a hand-over may take.
LATE_S: Final = 60.0


def next_tick(spec: dict[str, Any], after: dt.datetime) -> dt.datetime:
    """Return the first tick after an instant, in UTC; five fields, six with seconds first, seven with years last."""
    zone = ZoneInfo(spec["zone"] or "UTC")
    found: dt.datetime = croniter(spec["cron"], after.astimezone(zone), second_at_beginning=True).get_next(dt.datetime)
    return found.astimezone(dt.UTC)


def run_id(name: str, tick: dt.datetime) -> str:
    """Return the id of a tick's workflow."""
    return f"sched-{name}-{tick.isoformat()}"


def arguments(spec: dict[str, Any], tick: dt.datetime, actual: dt.datetime) -> tuple[Any, Any]:
    """Return what the workflow is called with: two times for the decorator, time and context for a schedule."""
    return tick, actual if spec["is_decorated"] else spec["context"]


def start_options(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a run: it may have to wait for its turn in a queue."""
    tags = {TAG_SCHEDULE: name}
    if spec["queue"] is None:
        return {"tags": tags}
    queued = Wanted(QueuePlace(spec["queue"], limits=spec["limits"])).options
    return {**queued, "tags": {**tags, **queued["tags"]}}


@durable(name=TICKER_FUNCTION)
class Ticker:
    """One schedule.

    Args:
        name: of the schedule.
        spec: cron, zone, workflow, context and the like.
        last: the tick that was dealt with last, seconds since the epoch.
        is_paused: whether ticks pass unused.
    """

    def __init__(self, name: str, spec: dict[str, Any], last: float | None = None, is_paused: bool = False) -> None:
        self.name = name
        self.spec = spec
        self.last = last
        self.is_paused = is_paused
        self.is_over = False
        self.changes = 0
        self.looks = 0

    @entry
    def run(
        self,
        ctx: Context,
        name: str,  # noqa: ARG002 - the constructor has taken them
        spec: dict[str, Any],  # noqa: ARG002
        last: float | None = None,  # noqa: ARG002
        is_paused: bool = False,  # noqa: ARG002
    ) -> Generator[Any, Any, None]:
        """Start one run after the other."""
        for _ in range(_TICKS_PER_RUN):
            since = ctx.now() if self.last is None else dt.datetime.fromtimestamp(self.last, tz=dt.UTC)
            tick, changes = next_tick(self.spec, since), self.changes
            now = yield ctx.time.time()
            if tick.timestamp() > now:
                try:
                    yield ctx.wait_until(self._has_news(changes), timeout=tick.timestamp() - now)
                except TimeoutError:
                    now = tick.timestamp()
            if self.is_over:
                return
            if self.looks > _LOOKS_PER_RUN:
                break
            if self.changes == changes:
                yield from self._fire(ctx, tick, now)
        yield ctx.continue_as_new(self.name, self.spec, self.last, self.is_paused)

    def _has_news(self, changes: int) -> Any:
        return lambda: self.is_over or self.changes != changes or self.looks > _LOOKS_PER_RUN

    def _fire(self, ctx: Context, tick: dt.datetime, now: float) -> Generator[Any, Any, None]:
        is_missed = now - tick.timestamp() > LATE_S and not self.spec["backfill"]
        self.last = now - LATE_S if is_missed else tick.timestamp()
        if self.is_paused or is_missed:
            return
        args = arguments(self.spec, tick, dt.datetime.fromtimestamp(now, tz=dt.UTC))
        options = {**start_options(self.name, self.spec), "id": run_id(self.name, tick)}
        yield ctx.detached(self.spec["workflow"], *args).options(**options)

    @signal
    def change(self, spec: dict[str, Any]) -> None:
        """Go by another plan from now on."""
        if spec != self.spec:
            self.spec = spec
            self.changes += 1

    @signal
    def pause(self) -> None:
        """Let ticks pass."""
        self.is_paused = True

    @signal
    def resume(self) -> None:
        """Run at ticks again."""
        self.is_paused = False

    @signal
    def end(self) -> None:
        """Run no more."""
        self.is_over = True

    @update
    def info(self) -> dict[str, Any]:
        """Return everything that is known, in order with the changes before: an update, not a query."""
        self.looks += 1
        return {"name": self.name, "spec": self.spec, "last": self.last, "is_paused": self.is_paused}
