"""The part of ``DBOS`` that waits and talks: sleep, messages, events; each for plain and for async code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException, DBOSNonExistentWorkflowError
from resonate_core import NotFoundError

if TYPE_CHECKING:
    from compat.dbos.body import Operation
    from compat.dbos.context import WorkflowPlace
    from compat.dbos.runtime import Runtime


class Talking:
    """What workflows say to each other."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def sleep(cls, seconds: float) -> None:
        """Wait durably."""
        _body("sleep").asker.ask(_sleeping(seconds))

    @classmethod
    async def sleep_async(cls, seconds: float) -> None:
        """Wait durably."""
        await _body("sleep_async").asker.ask_async(_sleeping(seconds))

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
    def recv(cls, topic: str | None = None, timeout_seconds: float = 60) -> Any:
        """Take the next message of a topic; None when the time is over first."""
        return _body("recv").asker.ask(_receiving(topic, timeout_seconds))

    @classmethod
    async def recv_async(cls, topic: str | None = None, timeout_seconds: float = 60) -> Any:
        """Take the next message of a topic; None when the time is over first."""
        return await _body("recv_async").asker.ask_async(_receiving(topic, timeout_seconds))

    @classmethod
    def set_event(cls, key: str, value: Any) -> None:
        """Publish a value under a key of this workflow."""
        _body("set_event").asker.ask(_publishing(key, value))

    @classmethod
    async def set_event_async(cls, key: str, value: Any) -> None:
        """Publish a value under a key of this workflow."""
        await _body("set_event_async").asker.ask_async(_publishing(key, value))

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


def _body(what: str) -> WorkflowPlace:
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
