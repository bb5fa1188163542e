"""The part of ``DBOS`` that knows schedules: ``@DBOS.scheduled`` of 2.x, and those by name of 3.x."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, Final, TypedDict
from zoneinfo import ZoneInfo

from croniter import croniter

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException
from compat.dbos.functions import Workflow, scheduled, workflow_of
from compat.dbos.handles import WorkflowHandle
from compat.dbos.queues import queue_of
from compat.dbos.ticker import TICKER_FUNCTION, TICKER_TIMEOUT_S, arguments, next_tick, run_id, start_options
from compat.unsupported import UnsupportedFeatureError
from resonate_core import AlreadyStartedError, NotFoundError, declared_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from compat.dbos.runtime import Runtime

_PREFIX: Final = "dbos-schedule/"


class ScheduleInput(TypedDict, total=False):
    """One schedule for ``apply_schedules``."""

    schedule_name: str
    workflow_fn: Callable[..., Any]
    schedule: str
    context: Any
    automatic_backfill: bool
    cron_timezone: str | None
    queue_name: str | None


class WorkflowSchedule(TypedDict):
    """A schedule as it stands."""

    schedule_id: str
    schedule_name: str
    workflow_name: str
    schedule: str
    status: str
    context: Any
    last_fired_at: str | None
    automatic_backfill: bool
    cron_timezone: str | None
    queue_name: str | None


class Scheduling:
    """Schedules by name."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @staticmethod
    def scheduled(cron: str) -> Callable[[Any], Any]:
        """Run a workflow at every tick, with the tick's time and the actual time, both aware."""
        _check(cron, None)

        def decorate(function: Any) -> Any:
            workflow = workflow_of(function)
            scheduled[workflow.name] = (workflow, cron)
            return function

        return decorate

    @classmethod
    def create_schedule(
        cls,
        *,
        schedule_name: str,
        workflow_fn: Callable[..., Any],
        schedule: str,
        context: Any = None,
        automatic_backfill: bool = False,
        cron_timezone: str | None = None,
        queue_name: str | None = None,
    ) -> None:
        """Create a schedule.

        Raises:
            DBOSException: there is one of this name, or the cron text cannot be read.
        """
        if cls.get_schedule(schedule_name) is not None:
            raise DBOSException(f"schedule {schedule_name!r} exists; apply_schedules changes it")
        cls.apply_schedules(
            [
                ScheduleInput(
                    schedule_name=schedule_name,
                    workflow_fn=workflow_fn,
                    schedule=schedule,
                    context=context,
                    automatic_backfill=automatic_backfill,
                    cron_timezone=cron_timezone,
                    queue_name=queue_name,
                )
            ]
        )

    @classmethod
    def apply_schedules(cls, schedules: list[ScheduleInput]) -> None:
        """Create schedules, or change those that are there."""
        runtime = _beside(cls)
        for given in schedules:
            spec = _spec(
                workflow_of(given["workflow_fn"]),
                given["schedule"],
                zone=given.get("cron_timezone"),
                context=given.get("context"),
                queue=given.get("queue_name"),
                backfill=given.get("automatic_backfill", False),
            )
            apply(runtime, given["schedule_name"], spec)

    @classmethod
    def get_schedule(cls, name: str) -> WorkflowSchedule | None:
        """Return a schedule, None if there is none."""
        found = _info(_beside(cls), name)
        return None if found is None else _shown(found)

    @classmethod
    def list_schedules(
        cls,
        *,
        status: str | list[str] | None = None,
        workflow_name: str | list[str] | None = None,
        schedule_name_prefix: str | list[str] | None = None,
    ) -> list[WorkflowSchedule]:
        """List schedules."""
        runtime = _beside(cls)
        names = [one.id for one in runtime.client.list(state="pending") if one.function == TICKER_FUNCTION]
        found = [_shown(runtime.client.update(name, "info")) for name in dict.fromkeys(names)]
        prefixes = tuple(_several(schedule_name_prefix) or ("",))
        return [
            one
            for one in found
            if (status is None or one["status"] in _several(status))
            and (workflow_name is None or one["workflow_name"] in _several(workflow_name))
            and one["schedule_name"].startswith(prefixes)
        ]

    @classmethod
    def pause_schedule(cls, name: str) -> None:
        """Let ticks pass."""
        _signal(_beside(cls), name, "pause")

    @classmethod
    def resume_schedule(cls, name: str) -> None:
        """Run at ticks again."""
        _signal(_beside(cls), name, "resume")

    @classmethod
    def delete_schedule(cls, name: str) -> None:
        """End a schedule; what runs goes on."""
        runtime = _beside(cls)
        if _info(runtime, name) is not None:
            _signal(runtime, name, "end")
            runtime.client.get(_PREFIX + name).result()

    @classmethod
    def trigger_schedule(cls, schedule_name: str) -> WorkflowHandle[None]:
        """Run once now."""
        runtime = _beside(cls)
        now = dt.datetime.now(dt.UTC)
        return _start(runtime, schedule_name, f"sched-{schedule_name}-trigger-{uuid.uuid4()}", now)

    @classmethod
    def backfill_schedule(cls, schedule_name: str, start: dt.datetime, end: dt.datetime) -> list[WorkflowHandle[None]]:
        """Run the ticks of a stretch of time; those that have run are not run again."""
        runtime, handles = _beside(cls), []
        spec = _known(runtime, schedule_name)["spec"]
        tick = next_tick(spec, start)
        while tick < end:
            handles.append(_start(runtime, schedule_name, run_id(schedule_name, tick), tick))
            tick = next_tick(spec, tick)
        return handles


def _beside(cls: type[Scheduling]) -> Runtime:
    """Return what is launched; schedules are looked after from outside workflows.

    Raises:
        UnsupportedFeatureError: a workflow's own body calls.
    """
    if workflow_here.get() is not None and step_here.get() is None:
        raise UnsupportedFeatureError("a call about schedules in a workflow's own body", "make the call in a step")
    return cls.launched()


def apply_decorated(runtime: Runtime) -> None:
    """Make the schedules that decorators ask for."""
    for name, (workflow, cron) in scheduled.items():
        apply(runtime, name, _spec(workflow, cron, is_decorated=True))


def apply(runtime: Runtime, name: str, spec: dict[str, Any]) -> None:
    """Create a schedule, or change it."""
    client = runtime.client.options(timeout=TICKER_TIMEOUT_S)
    if _info(runtime, name) is None:
        with contextlib.suppress(AlreadyStartedError):  # another process was faster
            client.options(if_exists="restart_closed").begin_rpc(_PREFIX + name, TICKER_FUNCTION, name, spec)
    runtime.client.signal(_PREFIX + name, "change", spec)


def _check(cron: str, zone: str | None) -> None:
    try:
        croniter(cron, second_at_beginning=True)
        ZoneInfo(zone or "UTC")
    except (ValueError, KeyError, AttributeError) as error:
        raise DBOSException(f"schedule {cron!r} ({zone or 'UTC'}) cannot be read: {error}") from error


def _spec(
    workflow: Workflow,
    cron: str,
    *,
    zone: str | None = None,
    context: Any = None,
    queue: str | None = None,
    backfill: bool = False,
    is_decorated: bool = False,
) -> dict[str, Any]:
    _check(cron, zone)
    limits = None if queue is None else declared_limits(queue) or queue_of(queue).limits
    return {
        "workflow": workflow.name,
        "cron": cron,
        "zone": zone,
        "context": context,
        "backfill": backfill,
        "is_decorated": is_decorated,
        "queue": queue,
        "limits": limits,
    }


def _info(runtime: Runtime, name: str) -> dict[str, Any] | None:
    try:
        if runtime.client.describe(_PREFIX + name).state != "pending":
            return None
    except NotFoundError:
        return None
    found: dict[str, Any] = runtime.client.update(_PREFIX + name, "info")
    return found


def _known(runtime: Runtime, name: str) -> dict[str, Any]:
    found = _info(runtime, name)
    if found is None:
        raise DBOSException(f"there is no schedule {name!r}")
    return found


def _signal(runtime: Runtime, name: str, what: str) -> None:
    _known(runtime, name)
    runtime.client.signal(_PREFIX + name, what)


def _start(runtime: Runtime, name: str, workflow_id: str, tick: dt.datetime) -> WorkflowHandle[None]:
    spec = _known(runtime, name)["spec"]
    args = arguments(spec, tick, dt.datetime.now(dt.UTC))
    runtime.client.options(**start_options(name, spec)).begin_rpc(workflow_id, spec["workflow"], *args)
    return WorkflowHandle(runtime, workflow_id)


def _shown(found: dict[str, Any]) -> WorkflowSchedule:
    spec, last = found["spec"], found["last"]
    return WorkflowSchedule(
        schedule_id=_PREFIX + found["name"],
        schedule_name=found["name"],
        workflow_name=spec["workflow"],
        schedule=spec["cron"],
        status="PAUSED" if found["is_paused"] else "ACTIVE",
        context=spec["context"],
        last_fired_at=None if last is None else dt.datetime.fromtimestamp(last, tz=dt.UTC).isoformat(),
        automatic_backfill=spec["backfill"],
        cron_timezone=spec["zone"],
        queue_name=spec["queue"],
    )


def _several(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else value
