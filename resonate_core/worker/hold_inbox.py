"""The inbox of a held execution: reads its slots in order and hands the messages over.

Slots are filled without holes, so the first empty one is the end. It is watched: whoever fills it wakes the hold.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from resonate_core.errors import CodecError
from resonate_core.ids import inbox_id
from resonate_core.limits import INBOX_READ_COUNT, WRITE_RETRY_MS
from resonate_core.protocol.records import TAG_BRANCH, TAG_EXTERNAL, TAG_ORIGIN, TAG_PARENT, TAG_SCOPE
from resonate_core.protocol.requests import PromiseCreate, PromiseGet
from resonate_core.scheduler.inbox import Message
from resonate_core.scheduler.opening import OPENING_SLOT, opening_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.codec import Codec
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Response
    from resonate_core.scheduler.execution import Execution
    from resonate_core.worker.hold import Hold

_logger = logging.getLogger("resonate_core")


def decode_message(codec: Codec, record: PromiseRecord, slot: int) -> Message:
    """Read a message; a slot that holds none (timed out, or foreign) is one that nobody handles."""
    at_ms = record.settled_at or record.created_at
    fallback = Message(id=record.id, kind="closed" if record.state == "resolved" else "hole", slot=slot, at_ms=at_ms)
    if record.state != "resolved":
        return fallback
    try:
        plain = codec.decode_value(record.value)
        return Message(
            id=plain["id"],
            kind=plain["kind"],
            topic=plain.get("topic"),
            args=tuple(plain.get("args") or ()),
            kwargs=dict(plain.get("kwargs") or {}),
            reply=plain.get("reply"),
            accepted=plain.get("accepted"),
            slot=slot,
            at_ms=at_ms,
            about=dict(plain.get("about") or {}),
            is_plain=not codec.has_types(record.value),
        )
    except (CodecError, LookupError, TypeError, AttributeError):
        _logger.exception("message %s cannot be read and is passed over", record.id)
        return msgspec.structs.replace(fallback, kind="hole")


def take_opening(execution: Execution) -> None:
    """Give an execution the message that it was started with, unless an earlier run has read it."""
    record = opening_record(execution.record, execution.travelled)
    if record is not None and (execution.run == 0 or execution.inbox.is_left_over(OPENING_SLOT)):
        execution.unread_message(decode_message(execution.env.codec, record, OPENING_SLOT))


class InboxFeed:
    """Messages of one execution, from the store to ``Execution.message_arrived``."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._prefix = inbox_id(hold.id, 0)[:-1]
        self._early: dict[int, PromiseRecord] = {}
        self._execution: Execution | None = None

    def take_out(self, preload: list[PromiseRecord]) -> list[PromiseRecord]:
        """Keep the slots of a preload and return the other records."""
        others = []
        for record in preload:
            if self.takes(record):
                self._keep(record)
            else:
                others.append(record)
        return others

    def takes(self, record: PromiseRecord) -> bool:
        """Whether a record is a slot of this inbox."""
        return record.id.startswith(self._prefix) and record.id[len(self._prefix) :].isdigit()

    def _keep(self, record: PromiseRecord) -> None:
        if record.state != "pending":
            self._early[int(record.id[len(self._prefix) :])] = record

    def attach(self, execution: Execution) -> None:
        """Give all known messages to an execution."""
        self._execution = execution
        self._feed()

    def load(self, preload: list[PromiseRecord]) -> None:
        """Take in the slots of a preload for the execution that is in memory."""
        self.take_out(preload)
        self._feed()

    def arrived(self, record: PromiseRecord) -> None:
        """A slot has been filled; the one after it is the next to watch."""
        self._keep(record)
        self._feed()
        self.watch()

    def _feed(self) -> None:
        execution = self._execution
        if execution is None:
            return
        codec = self._hold.env.codec
        while (record := self._early.pop(execution.inbox.next_slot, None)) is not None:
            execution.message_arrived(decode_message(codec, record, execution.inbox.next_slot))
        for slot in [slot for slot in self._early if slot < execution.inbox.next_slot]:
            del self._early[slot]

    def watch(self) -> None:
        """Ask to be told of the next message."""
        if self._execution is not None:
            self._hold.watch(inbox_id(self._hold.id, self._execution.inbox.next_slot))

    def open_slot(self) -> PromiseCreate:
        """Return the request that makes the next slot, empty, so that a suspended execution is woken by a message."""
        hold = self._hold
        number = 0 if self._execution is None else self._execution.inbox.next_slot
        tags = {
            TAG_ORIGIN: hold.record.tags.get(TAG_ORIGIN, hold.id),
            TAG_BRANCH: hold.id,
            TAG_PARENT: hold.id,
            TAG_SCOPE: "global",
            TAG_EXTERNAL: "true",
        }
        return PromiseCreate(inbox_id(hold.id, number), hold.record.timeout_at, tags=tags)

    def read(self, then: Callable[[], None]) -> None:
        """Read all messages that have arrived, whoever sent them, then go on."""
        execution = self._execution
        if execution is None:
            return
        first = execution.inbox.next_slot
        requests = [PromiseGet(inbox_id(self._hold.id, first + offset)) for offset in range(INBOX_READ_COUNT)]

        def found(responses: list[Response]) -> None:
            if responses[0].status == 0:  # no answer: the end of the inbox is not known
                self._hold.worker.after(WRITE_RETRY_MS, lambda: self.read(then))
                return
            records = [r.promise for r in responses if r.promise is not None and r.promise.state != "pending"]
            for record in records:
                self._keep(record)
            self._feed()
            if len(records) == INBOX_READ_COUNT:
                self.read(then)
            else:
                then()

        self._hold.worker.submit(list(requests), found)
