"""Inboxes on servers that know only promises: numbered slots, taken by compare-and-set.

A slot is created by whoever comes first and settled by whoever has a message; settling answers with what is stored, so
a sender sees whether its message is the one. A slot that was settled as canceled with a mark of ours is the end: an
execution with handlers puts it behind the last message that it has read, before it ends. A sender that meets it knows
that nobody would read what it sends.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from resonate_core.ids import inbox_id
from resonate_core.network.http_adapt import adapted
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_EXTERNAL,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    PromiseRecord,
    Value,
)

if TYPE_CHECKING:
    from resonate_core.network.dialect import Dialect
    from resonate_core.network.link import Link

#: Header of a message: its id.
MESSAGE_HEADER: Final = "resonate:message"
#: What stands there in the slot that ends an inbox.
CLOSED: Final = "closed"
#: Slots read at once while walking to the end of an inbox.
_READ_COUNT: Final = 16
#: Inboxes whose end is remembered, so that the next message need not walk.
_KNOWN_COUNT: Final = 4_096


class _Known:
    """Messages seen in one inbox: all slots before ``tail`` are settled."""

    def __init__(self) -> None:
        self.tail = 0
        self.slots: dict[str, int] = {}
        self.is_closed = False


def slot_create(execution: PromiseRecord, slot: int, timeout_at: int, dialect: Dialect) -> r.PromiseCreate:
    """Return the request that makes a slot of an execution's inbox, empty."""
    tags = {
        TAG_ORIGIN: execution.tags.get(TAG_ORIGIN, execution.id),
        TAG_BRANCH: execution.tags.get(TAG_BRANCH, execution.id),
        TAG_PARENT: execution.id,
        TAG_SCOPE: "global",
        TAG_EXTERNAL: "true",
    }
    return adapted(r.PromiseCreate(inbox_id(execution.id, slot), timeout_at, tags=tags), dialect)


class Inboxes:
    """Appends messages and closes inboxes on one server."""

    def __init__(self, link: Link, dialect: Dialect) -> None:
        self._link = link
        self._dialect = dialect
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def append(self, request: r.MessageAppend) -> r.Response:
        """Put a message into the first free slot, once."""
        found = await self._link.send(r.PromiseGet(request.id))
        execution = found.promise
        if execution is None:
            return found
        message_id = (request.value.headers or {}).get(MESSAGE_HEADER)
        known = self._remembered(request.id)
        await self._walk(request.id, known)
        if message_id is not None and message_id in known.slots:
            return await self._link.send(r.PromiseGet(inbox_id(request.id, known.slots[message_id])))
        while execution.state == "pending" and not known.is_closed:
            slot = known.tail  # others append meanwhile
            response = await self._fill(execution, slot, request)
            record = response.promise
            if record is None:
                return response
            self._note(known, slot, record)
            if record.state == "resolved" and _is_same(record.value, request.value):
                return response
        return r.Response(409, error=f"execution {request.id!r} has ended; it takes no more messages")

    def _remembered(self, execution: str) -> _Known:
        known = self._known.pop(execution, None) or _Known()
        self._known[execution] = known
        while len(self._known) > _KNOWN_COUNT:
            self._known.popitem(last=False)
        return known

    async def _walk(self, execution: str, known: _Known) -> None:
        """Read slots until one is free."""
        while not known.is_closed:
            first = known.tail
            gets = [
                self._link.send(r.PromiseGet(inbox_id(execution, first + offset)))
                for offset in range(_READ_COUNT if first else 1)
            ]
            for offset, response in enumerate(await asyncio.gather(*gets)):
                record = response.promise
                if record is None or record.state == "pending":
                    return
                self._note(known, first + offset, record)

    def _note(self, known: _Known, slot: int, record: PromiseRecord) -> None:
        """Remember a settled slot; the tail never passes one that was not seen settled."""
        if slot == known.tail:
            known.tail += 1
        message_id = (record.value.headers or {}).get(MESSAGE_HEADER)
        if is_end(record):
            known.is_closed = True
        elif message_id is not None and record.state == "resolved":
            known.slots.setdefault(message_id, slot)

    async def _fill(self, execution: PromiseRecord, slot: int, request: r.MessageAppend) -> r.Response:
        create = slot_create(execution, slot, request.timeout_at, self._dialect)
        made = await self._link.send(create)
        if made.promise is None or made.promise.state != "pending":
            return made
        return await self._link.send(r.PromiseSettle(create.id, "resolved", request.value))

    async def fulfill(self, request: r.FulfillIfRead, execution: PromiseRecord | None) -> r.Response:
        """End an execution unless a message waits: close the inbox first, so that none can come in between."""
        if execution is None:
            found = await self._link.send(r.PromiseGet(request.id))
            execution = found.promise
            if execution is None:
                return found
        create = slot_create(execution, request.slot, execution.timeout_at, self._dialect)
        made = await self._link.send(r.TaskFence(request.id, request.version, create))
        if made.promise is not None and made.promise.state == "pending":
            mark = r.PromiseSettle(create.id, "rejected_canceled", Value({MESSAGE_HEADER: CLOSED}))
            made = await self._link.send(r.TaskFence(request.id, request.version, mark))
        if made.promise is None:
            return made
        if not is_end(made.promise):
            return r.Response(300)
        return await self._link.send(r.TaskFulfill(request.id, request.version, request.action))


def _is_same(stored: Value, sent: Value) -> bool:
    """Whether a slot holds this message: by its id if it has one."""
    message_id = (sent.headers or {}).get(MESSAGE_HEADER)
    if message_id is None:
        return stored == sent
    return (stored.headers or {}).get(MESSAGE_HEADER) == message_id


def is_end(record: PromiseRecord) -> bool:
    """Whether a slot says that no message follows."""
    return record.state == "rejected_canceled" and (record.value.headers or {}).get(MESSAGE_HEADER) == CLOSED
