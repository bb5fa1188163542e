"""``resonate.schedules``: cron schedules as such, with the generator SDK's names and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.client.messages import Messages
from resonate_core.client.operations import Operation, checked
from resonate_core.client.promises import PromiseFutures
from resonate_core.client.starting import find_operation
from resonate_core.errors import NotFoundError
from resonate_core.ids import check_id
from resonate_core.protocol.records import TAG_TARGET, ScheduleRecord
from resonate_core.protocol.requests import ScheduleCreate, ScheduleDelete, ScheduleGet, ScheduleSearch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from resonate_core.client.engine import Engine

_PAGE = 100


class Schedules:
    """Schedules by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self,
        id: str,
        cron: str,
        promise_id: str,
        promise_timeout: int,
        *,
        ikey: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        promise_headers: dict[str, str] | None = None,
        promise_data: str | None = None,
        promise_tags: Mapping[str, str] | None = None,
    ) -> ScheduleRecord:
        """Create a schedule that makes a promise at every tick.

        Args:
            id: of the schedule; the same again changes nothing.
            ikey: accepted for the SDK's sake, like ``description`` and ``tags``: schedules here are idempotent by id.
            description: accepted for the SDK's sake.
            tags: accepted for the SDK's sake.
            cron: five fields, or six with seconds first; UTC.
            promise_id: id of each promise; ``{{.timestamp}}`` becomes the tick, ``{{.id}}`` the schedule's id.
            promise_timeout: milliseconds that each promise has.
            promise_headers: headers of each promise's param.
            promise_data: JSON text, for an execution an object with ``func``, ``args``, ``kwargs`` and ``version``.
            promise_tags: tags of each promise; without ``resonate:target`` the own group runs it.
        """
        engine = self._engine
        value = PromiseFutures(engine)._value(promise_headers, promise_data)  # noqa: SLF001 - one encoding of JSON text
        promise_tags = dict(promise_tags or {})
        target = promise_tags.pop("resonate:invoke", None)  # the SDK's older word
        own = {TAG_TARGET: engine.env.address(target), **promise_tags}
        request = ScheduleCreate(check_id(id), cron, promise_id, promise_timeout, value, own)
        return self._wait(_one("schedule.create", id, request))

    def get(self, id: str) -> ScheduleRecord:
        """Return a schedule.

        Raises:
            NotFoundError: there is none of this id.
        """
        return self._wait(_one("schedule.get", id, ScheduleGet(check_id(id))))

    def delete(self, id: str) -> None:
        """Delete a schedule, of cron text or of a ``Cron``; what it has started goes on.

        Raises:
            NotFoundError: there is none of this id.
        """
        engine = self._engine
        try:
            engine.wait(engine.drive(_delete(check_id(id))))
        except NotFoundError:
            keeper = f"schedule/{id}"
            record = engine.wait(engine.drive(find_operation(keeper)))
            engine.wait(Messages(engine).terminate(record.id, "the schedule was deleted"))

    def search(self, *, tags: Mapping[str, str] | None = None) -> list[ScheduleRecord]:
        """Return schedules by tags of their promises."""
        found: list[ScheduleRecord] = self._engine.wait(self._engine.drive(_search(dict(tags or {}))))
        return found

    def _wait(self, operation: Operation[ScheduleRecord]) -> ScheduleRecord:
        future: Future[ScheduleRecord] = self._engine.drive(operation)
        return self._engine.wait(future)


def _one(what: str, id: str, request: Any) -> Operation[ScheduleRecord]:
    response = (yield [request])[0]
    if response.status == 404:
        raise NotFoundError(f"there is no schedule {id!r} in this store", kind=what, id=id, status=404)
    found = checked(response, what, id).schedule
    if found is None:
        raise AssertionError(f"an answer to {what} carries the schedule")
    return found


def _delete(id: str) -> Operation[None]:
    response = (yield [ScheduleDelete(id)])[0]
    if response.status == 404:
        raise NotFoundError(f"there is no schedule {id!r} in this store", kind="schedule.delete", id=id, status=404)
    checked(response, "schedule.delete", id)


def _search(tags: dict[str, str]) -> Operation[list[ScheduleRecord]]:
    found: list[ScheduleRecord] = []
    cursor: str | None = None
    while True:
        response = checked((yield [ScheduleSearch(tags, _PAGE, cursor)])[0], "schedule.search", "")
        found.extend(response.schedules)
        cursor = response.cursor
        if cursor is None:
            return found
