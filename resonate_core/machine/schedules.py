"""The ``schedule.*`` requests, and what a schedule does when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from resonate_core.limits import INSTANT_MAX_MS, INT64_MAX
from resonate_core.machine import checks
from resonate_core.machine.cron import next_instant
from resonate_core.machine.lifecycle import create, touch
from resonate_core.machine.refusal import invalid, missing
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_DELAY,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_PREFIX,
    TAG_SCHEDULE,
    ScheduleRecord,
)
from resonate_core.protocol.requests import PromiseCreate, Response

if TYPE_CHECKING:
    from resonate_core.machine.draft import Draft
    from resonate_core.protocol.requests import ScheduleCreate, ScheduleDelete, ScheduleGet, ScheduleSearch


def create_schedule(draft: Draft, request: ScheduleCreate) -> Response:
    """Answer ``schedule.create``: the first writer's record, whoever asks."""
    checks.check_id(request.id)
    checks.check_id(request.promise_id, "promiseId")
    checks.check_instant(request.promise_timeout, "promiseTimeout")
    next_run_at = next_instant(request.cron, draft.now_ms)
    if next_run_at >= INSTANT_MAX_MS:
        raise invalid(f"cron expression {request.cron!r} never comes due")
    stored = draft.view.schedule(request.id)
    if stored is None:
        stored = ScheduleRecord(
            id=request.id,
            cron=request.cron,
            promise_id=request.promise_id,
            promise_timeout=request.promise_timeout,
            created_at=draft.now_ms,
            next_run_at=next_run_at,
            promise_param=request.promise_param,
            promise_tags=request.promise_tags,
        )
        draft.put_schedule(stored)
    return Response(200, schedule=stored)


def get(draft: Draft, request: ScheduleGet) -> Response:
    """Answer ``schedule.get``."""
    return Response(200, schedule=_existing(draft, request.id))


def delete(draft: Draft, request: ScheduleDelete) -> Response:
    """Answer ``schedule.delete``; what it has fired stays."""
    _existing(draft, request.id)
    draft.effects.schedules[request.id] = None
    return Response(200)


def _existing(draft: Draft, id: str) -> ScheduleRecord:
    schedule = draft.view.schedule(id)
    if schedule is None:
        raise missing("schedule", id)
    return schedule


def search(draft: Draft, request: ScheduleSearch) -> Response:
    """Answer ``schedule.search``."""
    checks.check_search(request.limit)
    found = draft.view.search_schedules(request)
    page = tuple(found[: request.limit])
    return Response(200, schedules=page, cursor=page[-1].id if len(found) > request.limit else None)


def fire(draft: Draft, id: str) -> None:
    """Create the promise of one due instant and move on to the next one; no instant is skipped."""
    schedule = draft.view.schedule(id)
    if schedule is None or schedule.next_run_at > draft.now_ms:
        return
    due_at = schedule.next_run_at
    request = _firing(schedule, due_at)
    if touch(draft, request.id) is None:
        create(draft, request, born_at=due_at)
    draft.put_schedule(
        msgspec.structs.replace(schedule, last_run_at=due_at, next_run_at=next_instant(schedule.cron, due_at)),
    )


def _firing(schedule: ScheduleRecord, due_at: int) -> PromiseCreate:
    id = schedule.promise_id.replace("{{.id}}", schedule.id)
    id = id.replace("{{.timestamp}}", str(due_at))
    own = {TAG_SCHEDULE: schedule.id, TAG_ORIGIN: id, TAG_BRANCH: id, TAG_PARENT: id, TAG_PREFIX: id}
    tags = {**schedule.promise_tags, **own}
    if not tags.get(TAG_DELAY, "0").isdigit():
        del tags[TAG_DELAY]  # never checked at creation, as on released servers; it means nothing
    return PromiseCreate(
        id=id,
        timeout_at=min(due_at + schedule.promise_timeout, INT64_MAX),
        param=schedule.promise_param,
        tags=tags,
    )
