"""Streams: values that a workflow writes under a key, one after the other, for readers that follow.

A stream is kept as the events of a key of its own: each is written once, under its number, and none replaces another.
A value is stored as a list of one, the end as an empty list.
"""

from __future__ import annotations

import asyncio
import time
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException, DBOSNonExistentWorkflowError, DBOSStreamTimeoutError
from compat.dbos.missing import refuse_arguments
from compat.dbos.talking import body_of, usual_serialization
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from compat.dbos.body import Operation
    from compat.dbos.runtime import Runtime
    from resonate_core import PromiseRecord

_PREFIX: Final = "stream:"
_EVENTS: Final = ".event."


class Streaming:
    """What workflows write for those that follow them."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def write_stream(cls, key: str, value: Any, **unknown: Any) -> None:
        """Write the next value of a stream of this workflow, once."""
        refuse_arguments("DBOS.write_stream", usual_serialization(unknown))
        _writer("write_stream").asker.ask(_writing(key, [value]))

    @classmethod
    async def write_stream_async(cls, key: str, value: Any, **unknown: Any) -> None:
        """Write the next value of a stream of this workflow, once."""
        refuse_arguments("DBOS.write_stream", usual_serialization(unknown))
        await _writer("write_stream_async").asker.ask_async(_writing(key, [value]))

    @classmethod
    def close_stream(cls, key: str) -> None:
        """End a stream of this workflow."""
        _writer("close_stream").asker.ask(_writing(key, []))

    @classmethod
    async def close_stream_async(cls, key: str) -> None:
        """End a stream of this workflow."""
        await _writer("close_stream_async").asker.ask_async(_writing(key, []))

    @classmethod
    def read_stream(
        cls,
        workflow_id: str,
        key: str,
        *,
        offset: int = 0,
        polling_interval_sec: float | None = None,
        timeout_seconds: float | None = None,
    ) -> Generator[Any, Any, None]:
        """Give the values of a stream, also those to come, until it or its workflow ends.

        Args:
            workflow_id: whose stream.
            key: of the stream.
            offset: number of the first value; 0 is the beginning.
            polling_interval_sec: values are pushed here.
            timeout_seconds: how long to wait for each value.

        Raises:
            DBOSNonExistentWorkflowError: there is no such workflow.
            DBOSStreamTimeoutError: a value was waited for too long.
        """
        del polling_interval_sec
        return read(cls.launched(), workflow_id, key, offset, timeout_seconds)

    @classmethod
    def read_stream_offset(
        cls,
        workflow_id: str,
        key: str,
        offset: int,
        *,
        polling_interval_sec: float | None = None,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Give one value of a stream, when it is written.

        Raises:
            DBOSException: the stream has ended before.
        """
        del polling_interval_sec
        for value in read(cls.launched(), workflow_id, key, offset, timeout_seconds):
            return value
        raise DBOSException(f"stream {key!r} of workflow {workflow_id!r} has ended before offset {offset}")

    @classmethod
    async def read_stream_async(cls, workflow_id: str, key: str, **options: Any) -> AsyncGenerator[Any, None]:
        """Give the values of a stream, also those to come, until it or its workflow ends."""
        values, end = cls.read_stream(workflow_id, key, **options), object()
        while (value := await asyncio.to_thread(next, values, end)) is not end:
            yield value

    @classmethod
    async def read_stream_offset_async(cls, workflow_id: str, key: str, offset: int, **options: Any) -> Any:
        """Give one value of a stream, when it is written."""
        return await asyncio.to_thread(cls.read_stream_offset, workflow_id, key, offset, **options)

    @classmethod
    def get_all_events(cls, workflow_id: str) -> dict[str, Any]:
        """Return what a workflow has published, the newest value of each key."""
        return all_events(cls.launched(), workflow_id)

    @classmethod
    async def get_all_events_async(cls, workflow_id: str) -> dict[str, Any]:
        """Return what a workflow has published, the newest value of each key."""
        return await asyncio.to_thread(all_events, cls.launched(), workflow_id)


def _writer(what: str) -> Any:
    if step_here.get() is not None:
        raise UnsupportedFeatureError(f"DBOS.{what} in a step", "return the value, and write it in the workflow")
    return body_of(what)


def _writing(key: str, stored: list[Any]) -> Operation:
    def operation(ctx: Any) -> Any:
        yield ctx.set_event(_PREFIX + key, stored)

    return operation


def _record(runtime: Runtime, workflow_id: str) -> PromiseRecord:
    found = runtime.host.newest(workflow_id).result()
    if found is None:
        raise DBOSNonExistentWorkflowError(f"there is no workflow {workflow_id!r}")
    return found


def read(
    runtime: Runtime, workflow_id: str, key: str, offset: int, timeout: float | None
) -> Generator[Any, Any, None]:
    """Give the values of a stream; see ``Streaming.read_stream``."""
    if workflow_here.get() is not None and step_here.get() is None:
        raise UnsupportedFeatureError("DBOS.read_stream in a workflow's own body", "read it in a step")
    host, workflow = runtime.host, _record(runtime, workflow_id)
    while True:
        promise_id = host.event_promise(workflow.id, _PREFIX + key, offset)
        record = host.get(promise_id).result() or _next(runtime, workflow, promise_id, timeout)
        stored = [] if record is None else host.outcome(record)[0]
        if not stored:
            return
        yield stored[0]
        offset += 1


def _next(runtime: Runtime, workflow: PromiseRecord, promise_id: str, timeout: float | None) -> PromiseRecord | None:
    """Wait for a value; None if the workflow has ended without it."""
    host, begin = runtime.host, time.monotonic()
    value, end = host.settled(promise_id), host.settled(workflow.id)
    done, _ = futures.wait({value, end}, timeout, return_when=futures.FIRST_COMPLETED)
    if not done:
        seconds = time.monotonic() - begin
        raise DBOSStreamTimeoutError(f"no value of {promise_id} in {seconds:.3g} s; the workflow goes on, read again")
    return value.result() if value in done else host.get(promise_id).result()


def all_events(runtime: Runtime, workflow_id: str) -> dict[str, Any]:
    """Return the newest value of each key that a workflow has published."""
    host, workflow = runtime.host, _record(runtime, workflow_id)
    prefix = workflow.id + _EVENTS
    newest: dict[str, tuple[int, PromiseRecord]] = {}
    for record in host.search(tags={"resonate:branch": workflow.id}).result():
        if record.id.startswith(prefix):
            key, _, number = record.id.removeprefix(prefix).rpartition(".")
            if not key.startswith(_PREFIX):
                newest[key] = max(newest.get(key, (-1, record)), (int(number), record), key=lambda found: found[0])
    return {key: host.outcome(record)[0] for key, (_, record) in sorted(newest.items())}
