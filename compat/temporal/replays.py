"""Histories of workflows: told by a worker of this process where one knows the workflow, else by one elsewhere."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict
from temporalio.api.history.v1 import HistoryEvent

from compat.temporal.private import knows_workflow
from compat.temporal.starts import HOST_DEPENDENCY, TAG_KIND, TAG_QUEUE, message_to_dict
from resonate_core import DriverHost, NondeterminismError

if TYPE_CHECKING:
    from compat.temporal.connection import Connection
    from compat.temporal.host import Host
    from resonate_core import PromiseRecord, Resonate

#: Workers of this process that are remembered after they have stopped: their code still tells histories.
_WORKERS_KEPT: Final = 100
#: How long a worker elsewhere may take to replay an execution.
_ANSWER_S: Final = 60.0


class Replays:
    """Replays executions of one connection in memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._hosts: deque[Host] = deque(maxlen=_WORKERS_KEPT)
        self._member: Resonate | None = None
        self._lock = threading.Lock()

    def remember(self, host: Host) -> None:
        """Keep a worker of this process."""
        self._hosts.append(host)

    async def history(self, record: PromiseRecord, run: int) -> list[HistoryEvent]:
        """Return the events of one run, as far as its records go.

        Raises:
            TimeoutError: no worker has told them.
        """
        host = self._host_of(record)
        if host is not None:
            return await asyncio.to_thread(self.replay, host, record, run)
        asking = self._connection.resonate.options(
            target=record.tags["resonate:target"], tags={TAG_KIND: "history"}, timeout=_ANSWER_S, retry_policy=None
        )
        id = f"{record.id}.query.{uuid.uuid4()}"
        handle = await asking.aio.begin_rpc(id, "temporal.history", record.id, run)
        answer = await asyncio.wrap_future(self._connection.host.settled(handle.promise_id))
        value, error = self._connection.host.outcome(answer)
        if error is not None:
            raise error
        return [ParseDict(event, HistoryEvent()) for event in value]

    def _host_of(self, record: PromiseRecord) -> Host | None:
        queue, name = record.tags.get(TAG_QUEUE), self._connection.host.function_name(record) or ""
        for host in reversed(self._hosts):
            if host.task_queue == queue and knows_workflow(host.workflow_worker, name):
                return host
        return None

    def replay_to_dicts(self, host: Host, promise_id: str, run: int) -> list[dict[str, Any]]:
        """Return the events of one run as JSON."""
        record = self._connection.host.get(promise_id).result()
        assert record is not None
        return [message_to_dict(event) for event in self.replay(host, record, run)]

    def replay(self, host: Host, record: PromiseRecord, run: int) -> list[HistoryEvent]:
        """Replay one run with the code of a worker and return its events; blocks."""
        with self._lock:
            member = self._replaying_member()
            member.set_dependency(HOST_DEPENDENCY, host)
            host.forget_replay()
            execution, problem = None, None
            try:
                execution = DriverHost(member).replayed(record, run).result()
            except NondeterminismError as error:
                problem = error
            replayed = host.replaying
            try:
                if replayed is None or replayed.history is None:
                    return []  # plain Resonate code: there were no workflow tasks
                if problem is not None:
                    replayed.history.end_badly(str(problem))
                return replayed.history.events
            finally:
                if replayed is not None:
                    replayed.evict()
                if execution is not None:
                    execution.close_generators()

    def _replaying_member(self) -> Resonate:
        from compat.temporal.host import temporal_task  # noqa: PLC0415 - a client that replays nothing needs no host

        if self._member is None:
            self._member = self._connection.sibling("temporal-replays")
            DriverHost(self._member).register_fallback(temporal_task)
        return self._member
