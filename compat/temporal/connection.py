"""A client's connection to Resonate: where a URL leads, and what both clients and workers do there."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.bridge.proto.child_workflow import ParentClosePolicy

from compat.temporal import failures, ids
from compat.temporal.activity_meta import TAG_OWNER
from compat.temporal.children import TAG_CLOSE, TAG_PARENT
from compat.temporal.groups import workflow_group
from compat.temporal.migrated import is_known_name
from compat.temporal.replays import Replays
from compat.temporal.starts import FOREVER_S, TAG_KIND
from compat.temporal.workflow_messages import with_about
from resonate_core import AlreadyStartedError, DriverHost, ExecutionClosedError, Resonate, ResonateCoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.bridge.worker import WorkerConfig

    from compat.temporal.bridge import BridgeWorker
    from compat.temporal.starts import WorkflowStart
    from resonate_core import PromiseRecord

_logger = logging.getLogger("compat.temporal")

TAG_REQUEST: Final = "temporal:request"
#: A workflow of the shim answers a query at once; one that does not may be migrated, which only a worker knows then.
_UNANSWERED_S: Final = 1.0
#: How long a worker may take to replay an execution that has ended.
_QUERY_S: Final = 60.0
_URL: Final = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST: Final = re.compile(r"^(\[[0-9a-fA-F:]+\]|[\w.-]+)(:\d+)?$")
_REUSE: Final = WorkflowIdReusePolicy
_CONFLICT: Final = WorkflowIdConflictPolicy


def store_url(target: str) -> str:
    """Return the store that a target host stands for.

    A Temporal host name is accepted, with one notice: everything goes to ``RESONATE_URL``, else to the embedded file.
    """
    is_host = _HOST.match(target) is not None and not target.startswith("memory:")
    if not is_host and _URL.match(target):
        return target
    url = os.environ.get("RESONATE_URL") or "sqlite:///resonate.db"
    _logger.warning("no Temporal server is used: %r is ignored, everything is kept in %s", target, url)
    return url


@dataclass(frozen=True)
class Started:
    """What a start led to."""

    promise_id: str
    run_id: str
    is_new: bool


class AlreadyRunsError(Exception):
    """The id of a start is taken and its policy allows no second run."""

    def __init__(self, run_id: str) -> None:
        super().__init__("Workflow execution already started")
        self.run_id = run_id


class Connection:
    """One store, as clients and workers of this process use it.

    Args:
        resonate: client of the store.
        identity: of the client.
    """

    def __init__(self, resonate: Resonate, identity: str) -> None:
        self.resonate = resonate
        self.identity = identity
        self.host = DriverHost(resonate)
        self._members: list[DriverHost] = []
        self.replays = Replays(self)

    # -- what temporalio's worker asks its bridge client for -----------------------------------------------------------

    def make_bridge_worker(self, config: WorkerConfig) -> BridgeWorker:
        """Return what a ``Worker`` of this client polls."""
        from compat.temporal.bridge import BridgeWorker  # noqa: PLC0415 - a program that is only a client needs none

        return BridgeWorker(self, config, self.identity)

    def sibling(self, group: str) -> Resonate:
        """Return a member of a group on the same store."""
        member = self.host.sibling(group=group)
        self._members.append(DriverHost(member))
        return member

    def is_quiet(self) -> bool:
        """Whether nothing goes on in this process's members of the store."""
        return self.host.is_quiet and all(member.is_quiet for member in self._members)

    def next_due_ms(self) -> int | None:
        """Return the instant at which something happens by itself in this process."""
        found = [host.next_due_ms() for host in (self.host, *self._members)]
        return min((due for due in found if due is not None), default=None)

    def now_ms(self) -> int:
        """Return the time of the store's clock."""
        return self.host.now_ms()

    def post(self, promise_id: str, message: Mapping[str, Any]) -> Future[None]:
        """Put a message into an inbox."""
        return self.host.post(promise_id, with_about(message))

    # -- starting ------------------------------------------------------------------------------------------------

    async def start(
        self, start: WorkflowStart, arguments: list[Any], *, tags: Mapping[str, str] | None = None
    ) -> Started:
        """Start a workflow as its id policies say.

        Raises:
            AlreadyRunsError: they do not allow it.
        """
        request = start.request
        promise_id = ids.promise_id(request.workflow_id)
        conflict = request.workflow_id_conflict_policy
        if request.workflow_id_reuse_policy == _REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
            conflict = _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        newest = await asyncio.wrap_future(self.host.newest(promise_id))
        if newest is not None and newest.state == "pending":
            if conflict == _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
                return Started(newest.id, await self.current_run(newest.id), is_new=False)
            if conflict != _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
                raise AlreadyRunsError(await self.current_run(newest.id))
            error = failures.terminated("TerminateIfRunning WorkflowIdReusePolicy")
            await asyncio.wrap_future(self.host.settle(newest.id, error=error))
        elif newest is not None:
            await self._check_reuse(request.workflow_id_reuse_policy, newest)
        try:
            handle = await self.resonate.options(
                target=workflow_group(request.task_queue.name),
                tags={**start.tags(), **(tags or {})},
                timeout=start.execution_timeout_s,
                if_exists="fail" if _allows_one(request.workflow_id_reuse_policy) else "restart_closed",
            ).aio.begin_rpc(promise_id, request.workflow_type.name, *arguments)
        except AlreadyStartedError:
            return await self.start(start, arguments, tags=tags)  # somebody was quicker: decide again
        return Started(handle.promise_id, ids.run_id(handle.promise_id, 0), is_new=True)

    async def _check_reuse(self, policy: int, newest: Any) -> None:
        is_refused = policy == _REUSE.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE or (
            policy == _REUSE.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY and newest.state == "resolved"
        )
        if is_refused:
            raise AlreadyRunsError(await self.current_run(newest.id))

    # -- one execution -------------------------------------------------------------------------------------------

    async def terminate(
        self, promise_id: str, reason: str, *, identity: str = "", details: list[Any] | None = None
    ) -> None:
        """End a workflow from outside, with its activities, and its children as their policies say."""
        error = failures.terminated(reason, identity, details)
        record = await asyncio.wrap_future(self.host.settle(promise_id, error=error))
        if record.state == "resolved":
            return
        for activity in await asyncio.wrap_future(self.host.search(state="pending", tags={TAG_OWNER: promise_id})):
            await asyncio.wrap_future(self.host.settle(activity.id, error=error, canceled=True))
        for child in await asyncio.wrap_future(self.host.search(state="pending", tags={TAG_PARENT: promise_id})):
            await self._close_child(child)

    async def _close_child(self, child: PromiseRecord) -> None:
        policy = int(child.tags.get(TAG_CLOSE, "0"))
        if policy == ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL:
            await asyncio.wrap_future(self.post(child.id, {"kind": "cancel", "args": ["by parent close policy"]}))
        elif policy != ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON:
            await self.terminate(child.id, "by parent close policy")

    async def open_promise(self, promise_id: str) -> None:
        """Make a promise that an execution will settle; it may be there already."""
        deadline = self.now_ms() + int(FOREVER_S * 1000)
        await asyncio.wrap_future(self.resonate.promises.futures.create(promise_id, deadline))

    async def query(self, record: PromiseRecord, message: Mapping[str, Any]) -> tuple[Any, BaseException | None]:
        """Ask an execution and return its answer; one that has ended is replayed by a worker of its task queue."""
        if is_known_name(self.host.function_name(record)):
            return await self._query_migrated(record, message)
        if record.state == "pending":
            try:
                return await self._query_open(record, message)
            except ExecutionClosedError:
                pass  # it ended just now
        return await self._query_closed(record, message)

    async def _query_migrated(
        self, record: PromiseRecord, message: Mapping[str, Any]
    ) -> tuple[Any, BaseException | None]:
        try:
            return await self.resonate.aio.query(record.id, message["topic"], *message["args"]), None
        except ResonateCoreError as error:
            return None, error

    async def _query_closed(
        self, record: PromiseRecord, message: Mapping[str, Any]
    ) -> tuple[Any, BaseException | None]:
        id = f"{record.id}.query.{uuid.uuid4()}"
        asking = self.resonate.options(
            target=record.tags["resonate:target"], tags={TAG_KIND: "query"}, timeout=_QUERY_S, retry_policy=None
        )
        handle = await asking.aio.begin_rpc(id, "temporal.query", record.id, dict(message))
        return self.host.outcome(await asyncio.wrap_future(self.host.settled(handle.promise_id)))

    async def _query_open(self, record: PromiseRecord, message: Mapping[str, Any]) -> tuple[Any, BaseException | None]:
        reply = f"{record.id}.query.{uuid.uuid4()}"
        await self.open_promise(reply)
        await asyncio.wrap_future(self.post(record.id, {**message, "id": reply, "reply": reply}))
        answering = asyncio.ensure_future(self.answer(record.id, reply))
        try:
            if not (await asyncio.wait([answering], timeout=_UNANSWERED_S))[0] and await self._is_migrated(record):
                return await self._query_migrated(record, message)
            answer = await answering
        finally:
            answering.cancel()
        return await self._query_closed(record, message) if answer is None else self.host.outcome(answer)

    async def _is_migrated(self, record: PromiseRecord) -> bool:
        """Ask a worker of the task queue whether plain Resonate code runs an execution."""
        id = f"{record.id}.query.{uuid.uuid4()}"
        asking = self.resonate.options(
            target=record.tags["resonate:target"], tags={TAG_KIND: "kind"}, timeout=_QUERY_S, retry_policy=None
        )
        handle = await asking.aio.begin_rpc(id, "temporal.kind", self.host.function_name(record))
        found, _ = self.host.outcome(await asyncio.wrap_future(self.host.settled(handle.promise_id)))
        return found is True

    async def answer(self, promise_id: str, reply: str) -> PromiseRecord | None:
        """Wait for the answer of an execution; None if it ended without one."""
        answered = asyncio.wrap_future(self.host.settled(reply))
        closed = asyncio.wrap_future(self.host.settled(promise_id))
        try:
            await asyncio.wait([answered, closed], return_when=asyncio.FIRST_COMPLETED)
            return answered.result() if answered.done() else await asyncio.wrap_future(self._if_settled(reply))
        finally:
            answered.cancel()
            closed.cancel()

    def _if_settled(self, promise_id: str) -> Future[PromiseRecord | None]:
        """Return a record that is settled already: an answer is written before the end."""
        found: Future[PromiseRecord | None] = Future()

        def told(asked: Future[PromiseRecord | None]) -> None:
            record = asked.result()
            found.set_result(None if record is None or record.state == "pending" else record)

        self.host.get(promise_id).add_done_callback(told)
        return found

    async def current_run(self, promise_id: str) -> str:
        """Return the run id of the newest run of a generation."""
        return ids.run_id(promise_id, await asyncio.wrap_future(self.host.runs(promise_id)))

    async def start_child(
        self, start: WorkflowStart, arguments: list[Any], *, tags: Mapping[str, str], request_id: str
    ) -> dict[str, str]:
        """Start a child once, however often this is called with one request id; empty if its id is taken."""
        newest = await asyncio.wrap_future(self.host.newest(ids.promise_id(start.request.workflow_id)))
        if newest is not None and newest.tags.get(TAG_REQUEST) == request_id:
            return {"promise_id": newest.id, "run_id": ids.run_id(newest.id, 0)}
        try:
            started = await self.start(start, arguments, tags={**tags, TAG_REQUEST: request_id})
        except AlreadyRunsError:
            return {}
        return {"promise_id": started.promise_id, "run_id": started.run_id}


def _allows_one(policy: int) -> bool:
    return policy == _REUSE.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
