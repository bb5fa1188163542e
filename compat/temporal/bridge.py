"""The bridge worker: what temporalio's ``Worker`` polls instead of the Rust core, see ``private``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio.bridge.worker import FixedSizeSlotSupplier

from compat.temporal.activity_runner import ActivityRunner
from compat.temporal.host import Host
from compat.temporal.private import PollShutdownError, cancel_activity, namespace_info
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from temporalio.bridge.proto import ActivityHeartbeat, ActivityTaskCompletion
    from temporalio.bridge.proto.activity_task import ActivityTask
    from temporalio.bridge.worker import WorkerConfig
    from temporalio.worker import Worker

    from compat.temporal.connection import Connection

#: Slots where a tuner of the user's decides by resources: as many as Temporal's own default.
_DEFAULT_SLOTS = 100
#: Seconds after the grace that steps get to write what they have.
_LAST_WRITES_S = 10.0


class BridgeWorker:
    """Gives temporalio's worker its tasks, from Resonate."""

    def __init__(self, connection: Connection, config: WorkerConfig, identity: str) -> None:
        _refuse(config)
        supplier = config.tuner.activity_slot_supplier
        slots = supplier.num_slots if isinstance(supplier, FixedSizeSlotSupplier) else _DEFAULT_SLOTS
        self._config = config
        self._runner = ActivityRunner(slots=slots, per_second=config.max_activities_per_second or 0)
        self.host = Host(connection, config.task_queue, self._runner, config.identity_override or identity)
        connection.replays.remember(self.host)
        self._worker: Worker | None = None
        self._is_over = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

    def bind(self, worker: Worker) -> None:
        """Say whose bridge this is."""
        self._worker = worker
        self._runner.deliver_cancel = lambda task: cancel_activity(worker, task)

    # -- life ----------------------------------------------------------------------------------------------------

    async def validate(self) -> Any:
        """Begin to take tasks."""
        assert self._worker is not None
        types = self._config.task_types
        await self.host.start(self._worker, workflows=types.enable_workflows, activities=types.enable_remote_activities)
        return namespace_info()

    def initiate_shutdown(self) -> None:
        """Stop taking tasks, let activities end, then tell the pollers."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        grace_s = self._config.graceful_shutdown_period_millis / 1000
        stopping = asyncio.create_task(self.host.stop(grace_s + _LAST_WRITES_S))
        await self._runner.drain(grace_s)
        await stopping
        self._runner.close()
        self._is_over.set()

    async def finalize_shutdown(self) -> None:
        """Wait until everything has ended."""
        if self._ending is not None:
            await self._ending

    def replace_client(self, client: Any) -> None:
        """A worker stays with the store that it was made for."""
        if client is not self.host.connection:
            raise UnsupportedFeatureError("replacing the client of a running worker", "start another worker")

    # -- workflows: driven elsewhere, the poller only waits for the end ----------------------------------------------

    async def poll_workflow_activation(self) -> Any:
        """Wait for the end."""
        await self._is_over.wait()
        raise PollShutdownError

    async def complete_workflow_activation(self, completion: Any) -> None:
        """Nothing was activated through here."""

    def request_workflow_eviction(self, run_id: str) -> None:
        """Instances leave memory when their executions do."""

    # -- activities ----------------------------------------------------------------------------------------------

    async def poll_activity_task(self) -> ActivityTask:
        """Return the next task of an activity."""
        return await self._runner.poll()

    async def complete_activity_task(self, completion: ActivityTaskCompletion) -> None:
        """Take an outcome."""
        self._runner.complete(completion)

    def record_activity_heartbeat(self, heartbeat: ActivityHeartbeat) -> None:
        """Take a heartbeat."""
        self._runner.heartbeat(heartbeat)

    async def poll_nexus_task(self) -> Any:
        """There are none."""
        await self._is_over.wait()
        raise PollShutdownError


def _refuse(config: WorkerConfig) -> None:
    """Refuse what changes guarantees and cannot be kept."""
    if config.task_types.enable_nexus:
        raise UnsupportedFeatureError("Nexus", "start a workflow on the other task queue instead")
    strategy = config.versioning_strategy
    if getattr(strategy, "use_worker_versioning", False) or hasattr(strategy, "build_id_with_versioning"):
        raise UnsupportedFeatureError(
            "worker versioning (deployment_config, use_worker_versioning)",
            "use workflow.patched, or give each version its own task queue",
        )
    if config.max_task_queue_activities_per_second:
        raise UnsupportedFeatureError(
            "max_task_queue_activities_per_second", "limit each worker with max_activities_per_second"
        )
