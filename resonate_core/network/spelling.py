"""How ids are written on servers that want children named ``root:1``.

Here a child is ``root.1``, and any other dot or colon may stand in an id that a user chose. There the first colon of an
id ends its origin, and there is no other. So the first dot becomes the colon, and colons and percent signs of ours are
written as ``%3A`` and ``%25``: each id has one spelling, and each spelling is one id. Only what names something is
translated: ids, the tags that hold ids, the templates of schedules. What users store is theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH, TAG_BRIDGE, TAG_ORIGIN, TAG_PARENT, TAG_PREFIX, TAG_SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resonate_core.protocol.records import PromiseRecord, ScheduleRecord, TaskRecord

#: Tags whose values are ids.
_ID_TAGS: Final = (TAG_ORIGIN, TAG_BRANCH, TAG_PARENT, TAG_PREFIX, TAG_BRIDGE, TAG_SCHEDULE)
#: Members of requests that are ids.
_ID_FIELDS: Final = ("id", "awaited", "awaiter")
_PLACEHOLDER: Final = re.compile(r"(\{\{\.(?:id|timestamp)\}\})")


def spell(id: str) -> str:
    """Return an id as it is written there."""
    return id.replace("%", "%25").replace(":", "%3A").replace(".", ":", 1)


def unspell(id: str) -> str:
    """Return an id as it is written here."""
    return id.replace(":", ".", 1).replace("%3A", ":").replace("%25", "%")


class Spelling:
    """Translates what passes between here and there."""

    # -- there ---------------------------------------------------------------------------------------------------

    def outward(self, request: Any) -> Any:
        """Return a request with ids as they are written there."""
        changes: dict[str, Any] = {
            name: spell(getattr(request, name)) for name in _ID_FIELDS if isinstance(getattr(request, name, None), str)
        }
        if hasattr(request, "tags"):
            changes["tags"] = _tags(request.tags, spell)
        if hasattr(request, "action"):
            changes["action"] = self.outward(request.action)
        if hasattr(request, "actions"):
            changes["actions"] = [self.outward(action) for action in request.actions]
        if isinstance(request, r.TaskHeartbeat):
            changes["tasks"] = [msgspec.structs.replace(task, id=spell(task.id)) for task in request.tasks]
        if isinstance(request, r.ScheduleCreate):
            changes["promise_id"] = _template(request.promise_id, spell)
            changes["promise_tags"] = _tags(request.promise_tags, spell)
        return msgspec.structs.replace(request, **changes)

    # -- here ----------------------------------------------------------------------------------------------------

    def inward(self, response: r.Response) -> r.Response:
        """Return a response with ids as they are written here; a cursor is the server's own."""
        return msgspec.structs.replace(
            response,
            promise=None if response.promise is None else _promise(response.promise),
            task=None if response.task is None else _task(response.task),
            schedule=None if response.schedule is None else _schedule(response.schedule),
            promises=tuple(map(_promise, response.promises)),
            tasks=tuple(map(_task, response.tasks)),
            schedules=tuple(map(_schedule, response.schedules)),
            preload=tuple(map(_promise, response.preload)),
        )

    def message(self, message: r.Message) -> r.Message:
        """Return a message with ids as they are written here."""
        if isinstance(message, r.Execute):
            return r.Execute(unspell(message.id), message.version)
        if isinstance(message, r.Unblock):
            return r.Unblock(_promise(message.promise))
        return message


def _promise(record: PromiseRecord) -> PromiseRecord:
    return msgspec.structs.replace(record, id=unspell(record.id), tags=_tags(record.tags, unspell))


def _task(record: TaskRecord) -> TaskRecord:
    return msgspec.structs.replace(record, id=unspell(record.id))


def _schedule(record: ScheduleRecord) -> ScheduleRecord:
    return msgspec.structs.replace(
        record,
        id=unspell(record.id),
        promise_id=_template(record.promise_id, unspell),
        promise_tags=_tags(record.promise_tags, unspell),
    )


def _tags(tags: Mapping[str, str], translate: Callable[[str], str]) -> dict[str, str]:
    return {name: translate(value) if name in _ID_TAGS else value for name, value in tags.items()}


def _template(template: str, translate: Callable[[str], str]) -> str:
    """Translate what a schedule's promises are called, but for what the server puts in."""
    parts = _PLACEHOLDER.split(template)
    held = "".join("\0" if number % 2 else part for number, part in enumerate(parts))
    fixed = translate(held).split("\0")
    return "".join(part + placeholder for part, placeholder in zip(fixed, [*parts[1::2], ""], strict=True))


SPELLING: Final = Spelling()
