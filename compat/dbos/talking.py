"""The part of ``DBOS`` that waits and talks: sleep, messages, events; each for plain and for async code."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException, DBOSNonExistentWorkflowError
from compat.dbos.missing import refuse_arguments
from resonate_core import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compat.dbos.body import Operation
    from compat.dbos.context import WorkflowPlace
    from compat.dbos.runtime import Runtime


@dataclass
class SendMessage:
    """One message of ``DBOS.send_bulk``."""

    destination_id: str
    message: Any
    topic: str | None = None
    idempotency_key: str | None = None
    shard_key: str | None = None


class Talking:
    """What workflows say to each other."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def sleep(cls, seconds: float) -> None:
        """Wait durably."""
        body_of("sleep").asker.ask(_sleeping(seconds))

    @classmethod
    async def sleep_async(cls, seconds: float) -> None:
        """Wait durably."""
        await body_of("sleep_async").asker.ask_async(_sleeping(seconds))

    @classmethod
    def send(
        cls, destination_id: str, message: Any, topic: str | None = None, *, idempotency_key: str | None = None
    ) -> None:
        """Send a message to a workflow; in a workflow, once.

        Raises:
            DBOSNonExistentWorkflowError: there is no such workflow.
        """
        runtime, place = cls.launched(), _counted()
        if place is None:
            send_outside(runtime, destination_id, message, topic, idempotency_key)
        else:
            place.asker.ask(_sending(runtime, destination_id, message, topic, idempotency_key))

    @classmethod
    async def send_async(
        cls, destination_id: str, message: Any, topic: str | None = None, *, idempotency_key: str | None = None
    ) -> None:
        """Send a message to a workflow; in a workflow, once."""
        runtime, place = cls.launched(), _counted()
        if place is None:
            await asyncio.to_thread(send_outside, runtime, destination_id, message, topic, idempotency_key)
        else:
            await place.asker.ask_async(_sending(runtime, destination_id, message, topic, idempotency_key))

    @classmethod
    def send_bulk(cls, messages: list[SendMessage], **unknown: Any) -> None:
        """Send several messages; none if one of the workflows does not exist.

        Raises:
            DBOSNonExistentWorkflowError: naming it.
        """
        refuse_arguments("DBOS.send_bulk", usual_serialization(unknown))
        runtime, place = cls.launched(), _counted()
        if place is None:
            _send_all_outside(runtime, messages)
        else:
            place.asker.ask(_sending_all(runtime, messages))

    @classmethod
    async def send_bulk_async(cls, messages: list[SendMessage], **unknown: Any) -> None:
        """Send several messages; none if one of the workflows does not exist."""
        refuse_arguments("DBOS.send_bulk", usual_serialization(unknown))
        runtime, place = cls.launched(), _counted()
        if place is None:
            await asyncio.to_thread(_send_all_outside, runtime, messages)
        else:
            await place.asker.ask_async(_sending_all(runtime, messages))

    @classmethod
    def recv(cls, topic: str | None = None, timeout_seconds: float = 60) -> Any:
        """Take the next message of a topic; None when the time is over first."""
        return body_of("recv").asker.ask(_receiving(topic, timeout_seconds))

    @classmethod
    async def recv_async(cls, topic: str | None = None, timeout_seconds: float = 60) -> Any:
        """Take the next message of a topic; None when the time is over first."""
        return await body_of("recv_async").asker.ask_async(_receiving(topic, timeout_seconds))

    @classmethod
    def set_event(cls, key: str, value: Any) -> None:
        """Publish a value under a key of this workflow."""
        body_of("set_event").asker.ask(_publishing(key, value))

    @classmethod
    async def set_event_async(cls, key: str, value: Any) -> None:
        """Publish a value under a key of this workflow."""
        await body_of("set_event_async").asker.ask_async(_publishing(key, value))

    @classmethod
    def get_event(cls, workflow_id: str, key: str, timeout_seconds: float = 60) -> Any:
        """Read what a workflow published; None when the time is over first."""
        place = _counted()
        if place is None:
            return cls.launched().client.get_event(workflow_id, key, timeout_seconds)
        return place.asker.ask(_reading(workflow_id, key, timeout_seconds))

    @classmethod
    async def get_event_async(cls, workflow_id: str, key: str, timeout_seconds: float = 60) -> Any:
        """Read what a workflow published; None when the time is over first."""
        place = _counted()
        if place is None:
            client = cls.launched().client
            return await asyncio.to_thread(client.get_event, workflow_id, key, timeout_seconds)
        return await place.asker.ask_async(_reading(workflow_id, key, timeout_seconds))


def body_of(what: str) -> WorkflowPlace:
    """Return the workflow whose own body calls, and count the call."""
    place = _counted()
    if place is None:
        raise DBOSException(f"DBOS.{what} works in a workflow's own body only")
    return place


def _counted() -> WorkflowPlace | None:
    """Return the workflow whose own body calls, with the call counted; None in steps and outside."""
    place = workflow_here.get()
    if place is None or step_here.get() is not None:
        return None
    place.next_step_id()
    return place


def _sleeping(seconds: float) -> Operation:
    def operation(ctx: Any) -> Any:
        yield ctx.sleep(seconds)

    return operation


def send_outside(runtime: Runtime, destination_id: str, message: Any, topic: str | None, key: str | None) -> None:
    """Send a message that no workflow records."""
    try:
        runtime.client.send(destination_id, message, topic, idempotency_key=key)
    except NotFoundError as error:
        raise DBOSNonExistentWorkflowError(f"there is no workflow {destination_id!r}") from error


def _sending(runtime: Runtime, destination_id: str, message: Any, topic: str | None, key: str | None) -> Operation:
    def send() -> None:
        send_outside(runtime, destination_id, message, topic, key)

    def operation(ctx: Any) -> Any:
        if key is not None:  # the key is the receiver's, beyond this workflow
            yield ctx.run(send).options(retry_policy=None)
            return
        try:
            yield ctx.send(destination_id, message, topic)
        except NotFoundError as error:
            raise DBOSNonExistentWorkflowError(f"there is no workflow {destination_id!r}") from error

    return operation


def _send_all_outside(runtime: Runtime, messages: list[SendMessage]) -> None:
    for one in messages:
        runtime.statuses.of(one.destination_id)
    for one in messages:
        send_outside(runtime, one.destination_id, one.message, one.topic, one.idempotency_key)


def _sending_all(runtime: Runtime, messages: list[SendMessage]) -> Operation:
    def check() -> None:
        for one in messages:
            runtime.statuses.of(one.destination_id)

    check.__name__ = check.__qualname__ = "DBOS.send_bulk"

    def operation(ctx: Any) -> Any:
        yield ctx.run(check).options(retry_policy=None)
        for one in messages:
            yield from _sending(runtime, one.destination_id, one.message, one.topic, one.idempotency_key)(ctx)

    return operation


def usual_serialization(given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says what happens anyway: values are stored in one way."""
    usual = given.get("serialization_type")
    is_usual = getattr(usual, "value", None) is None
    return {name: value for name, value in given.items() if name != "serialization_type" or not is_usual}


def _receiving(topic: str | None, seconds: float) -> Operation:
    def operation(ctx: Any) -> Any:
        return (yield ctx.recv(topic, timeout=seconds))

    return operation


def _publishing(key: str, value: Any) -> Operation:
    def operation(ctx: Any) -> Any:
        yield ctx.set_event(key, value)

    return operation


def _reading(workflow_id: str, key: str, seconds: float) -> Operation:
    def operation(ctx: Any) -> Any:
        return (yield ctx.get_event(workflow_id, key, timeout=seconds))

    return operation
