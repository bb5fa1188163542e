"""The one module that uses private names of temporalio, and says for which versions that was tested.

temporalio's workflow worker and activity worker stand on a *bridge worker*, the Rust core that polls a server. Here is
the seam to put another one under them: a service client that looks like the bridge's own, and a dispatch in
``Worker.create``. Everything above (instances, sandbox, interceptors, converters, heartbeats) stays temporalio's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import logging
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final, cast

import temporalio
import temporalio.bridge.proto
import temporalio.bridge.worker
import temporalio.converter
import temporalio.exceptions
import temporalio.service
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.bridge.worker import PollShutdownError as PollShutdownError  # type: ignore[attr-defined] # noqa: PLC0414
from temporalio.testing import _workflow as _testing
from temporalio.worker import _workflow as _worker_workflow

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping
    from datetime import timedelta

    from google.protobuf.message import Message
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation

_logger = logging.getLogger("compat.temporal")

TESTED: Final = ((1, 20), (1, 35))


def check_version() -> None:
    """Warn where temporalio is another than what this was tested with."""
    found = tuple(int(part) for part in temporalio.__version__.split(".")[:2])
    if not TESTED[0] <= found <= TESTED[1]:
        least, most = (".".join(map(str, version)) for version in TESTED)
        warnings.warn(
            f"compat.temporal was tested with temporalio {least} to {most}, found {temporalio.__version__}",
            stacklevel=3,
        )


class BridgeServiceClient(temporalio.service._BridgeServiceClient):  # noqa: SLF001 - the seam this module is for
    """Base of a service client that a ``Worker`` accepts and that never opens a connection to a Temporal server."""

    def __init__(self, config: temporalio.service.ConnectConfig, bridge: Any) -> None:
        super().__init__(config)
        self._bridge_client = bridge

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[Any],
        *,
        service: str,
        retry: bool,  # noqa: ARG002 - a store on this machine needs no second try
        metadata: Mapping[str, str | bytes],  # noqa: ARG002 - there is nobody to read it
        timeout: timedelta | None,
    ) -> Any:
        call = self.call(rpc, req, resp_type, service=service)
        if timeout is None:
            return await call
        try:
            return await asyncio.wait_for(call, timeout.total_seconds())
        except TimeoutError:
            status = temporalio.service.RPCStatusCode.DEADLINE_EXCEEDED
            raise temporalio.service.RPCError("context deadline exceeded", status, b"") from None

    async def call(self, rpc: str, req: Message, resp_type: type[Any], *, service: str) -> Any:
        """Answer one call."""
        raise NotImplementedError

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Nobody reads it."""

    def update_api_key(self, api_key: str | None) -> None:
        """Nobody reads it."""


def install() -> None:
    """Let ``temporalio.worker.Worker`` take a bridge of ours where its client is one of ours."""
    check_version()
    worker_class: Any = temporalio.bridge.worker.Worker
    if getattr(worker_class.create, "is_resonate", False):
        return
    original = worker_class.create

    def create(client: Any, config: Any) -> Any:
        maker = getattr(client, "make_bridge_worker", None)
        return original(client, config) if maker is None else maker(config)

    create.is_resonate = True  # type: ignore[attr-defined]
    worker_class.create = staticmethod(create)


def workflow_worker_of(worker: Any) -> Any:
    """Return the workflow half of a ``Worker``, None if it has no workflows."""
    return worker._workflow_worker  # noqa: SLF001


def namespace_info() -> Any:
    """Return what a worker learns of its namespace: no limits; None where temporalio does not ask yet."""
    kind = getattr(temporalio.bridge.proto, "NamespaceInfo", None)
    return None if kind is None else kind()


def knows_workflow(workflow_worker: Any, name: str) -> bool:
    """Whether the workflow half of a ``Worker`` has a workflow, or a dynamic one for every name."""
    if workflow_worker is None:
        return False
    is_dynamic = workflow_worker._dynamic_workflow is not None  # noqa: SLF001
    return is_dynamic or name in workflow_worker._workflows  # noqa: SLF001


def cancel_activity(worker: Any, task: Any) -> bool:
    """Cancel an activity that runs in a ``Worker``; return whether it does.

    Not through the poller: until that comes to it, the activity may have ended, and temporalio would warn.
    """
    half = worker._activity_worker  # noqa: SLF001
    if half is None or task.task_token not in half._running_activities:  # noqa: SLF001
        return False
    half._handle_cancel_activity_task(task.task_token, task.cancel)  # noqa: SLF001
    return True


def environment_without_server(client: Any, store: Any, *, skips_time: bool) -> Any:
    """Return temporalio's own test environment around a client, with something else to shut down than a server."""
    kinds: Any = _testing
    single = getattr(kinds, "_EphemeralServerWorkflowEnvironment", None)
    if single is not None:  # until 1.33 one class, which asks its server
        return single(client, store)
    kind = kinds._V1WorkflowEnvironment if skips_time else kinds._NonTsWorkflowEnvironment  # noqa: SLF001
    return kind(client, store)


#: How temporalio decodes and encodes what goes to an instance and comes from it, in three generations.
_TAKES: Final = frozenset(inspect.signature(temporalio.bridge.worker.decode_activation).parameters)
_TAKES_CODEC: Final = "codec" in _TAKES  # until 1.21
_TAKES_STORAGE: Final = "storage_concurrency_limit" in _TAKES  # from 1.25


class _Coding:
    """Encodes and decodes payloads of activations as the worker's converter says, with their contexts.

    Args:
        workflow_worker: of the ``Worker``.
        start: activation job that began the run.
        run_id: of the run.
    """

    def __init__(self, workflow_worker: Any, start: Any, run_id: str) -> None:
        self._worker = workflow_worker
        self._plain: Any = workflow_worker._data_converter  # noqa: SLF001
        self._encode_headers: bool = workflow_worker._encode_headers  # noqa: SLF001
        namespace = workflow_worker._namespace  # noqa: SLF001
        self._context = temporalio.converter.WorkflowSerializationContext(
            namespace=namespace, workflow_id=start.workflow_id
        )
        self.converter: Any = self._plain.with_context(self._context)
        if _TAKES_STORAGE:
            target = temporalio.converter.StorageDriverWorkflowInfo(
                id=start.workflow_id, run_id=run_id, type=start.workflow_type, namespace=namespace
            )
            stored_for = temporalio.converter.StorageDriverStoreContext(target=target)
            self.converter = self._plain._with_contexts(self._context, stored_for)  # noqa: SLF001

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to encode: else payloads pass as they are."""
        return self._plain.payload_codec is not None or getattr(self._plain, "external_storage", None) is not None

    def _options(self, instance: Any, *, word: str) -> dict[str, Any]:
        """Return the arguments that say how, whatever this version calls them."""
        options: dict[str, Any] = {f"{word}_headers": self._encode_headers}
        if _TAKES_STORAGE:
            limit = self._worker._max_workflow_task_external_storage_concurrency  # noqa: SLF001
            return {**options, "data_converter": self._aware_converter(instance), "storage_concurrency_limit": limit}
        codec = self._aware_codec(instance)
        if _TAKES_CODEC:
            return {**options, "codec": codec}
        return {**options, "data_converter": dataclasses.replace(self.converter, payload_codec=codec)}

    def _aware_converter(self, instance: Any) -> Any:
        if instance is None:
            return self.converter
        return _worker_workflow._CommandAwareDataConverter.create(  # noqa: SLF001
            instance=instance,
            context_free_dc=self._plain,
            workflow_context_dc=self.converter,
            workflow_context=self._context,
        )

    def _aware_codec(self, instance: Any) -> Any:
        if instance is None:
            return self.converter.payload_codec
        kind: Any = _worker_workflow
        return kind._CommandAwarePayloadCodec(  # noqa: SLF001
            instance, self._plain.payload_codec, self.converter.payload_codec, self._context
        )

    async def decode(self, activation: WorkflowActivation, instance: Any) -> None:
        """Decode what an instance is told."""
        coder: Any = temporalio.bridge.worker.decode_activation
        await coder(activation, **self._options(instance, word="decode"))

    async def encode(self, completion: WorkflowActivationCompletion, instance: Any) -> None:
        """Encode what an instance wants."""
        coder: Any = temporalio.bridge.worker.encode_completion
        await coder(completion, **self._options(instance, word="encode"))


class Instance:
    """One run of a workflow in memory: temporalio's own instance, activated synchronously.

    Args:
        workflow_worker: of the ``Worker`` that registered the workflow.
    """

    def __init__(self, workflow_worker: Any) -> None:
        self._worker = workflow_worker
        self._instance: Any = None
        self._coding: Any = None
        self._running: Any = None
        self._stuck: Future[Any] | None = None

    def activate(self, activation: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run the workflow's code until nothing more can happen; what goes wrong is a failed completion."""
        if self._coding is None:
            self._coding = _Coding(self._worker, _initialization(activation), activation.run_id)
        coding = self._coding
        try:
            if coding.is_needed:
                _codec_loop.run(coding.decode(activation, self._instance))
            if self._instance is None:
                with _nominal_loop():
                    self._instance = self._create(activation)
                self._running = _worker_workflow._RunningWorkflow(self._instance, "")  # noqa: SLF001
            completion = self._activate_within_time(activation)
        except Exception as error:  # noqa: BLE001 - whatever user code and converters raise fails the task
            completion = self._failed(error)
        if coding.is_needed:
            try:
                _codec_loop.run(coding.encode(completion, self._instance))
            except Exception as error:  # noqa: BLE001 - the codec is the user's
                completion = WorkflowActivationCompletion()
                completion.failed.failure.message = f"Failed encoding completion: {error}"
        return completion

    def _activate_within_time(self, activation: WorkflowActivation) -> WorkflowActivationCompletion:
        """Activate on another thread: code that never yields is interrupted, and blocks nobody else.

        Raises:
            _DeadlockError: temporalio's, with the place where the code is stuck.
        """
        limit_s = self._worker._deadlock_timeout_seconds  # noqa: SLF001
        if limit_s is None:
            completion: WorkflowActivationCompletion = self._instance.activate(activation)
            return completion
        activating = _activating.submit(self._running.activate, activation)
        if not wait([activating], limit_s).done:
            stuck = _worker_workflow._DeadlockError.from_deadlocked_workflow(self._instance, limit_s)  # noqa: SLF001
            self._stuck = activating
            self._running.attempt_deadlock_interruption()
            stuck.swap_traceback()
            raise stuck
        return cast("WorkflowActivationCompletion", activating.result())

    def _create(self, activation: WorkflowActivation) -> Any:
        return self._worker._create_workflow_instance(activation, _initialization(activation))  # noqa: SLF001

    def _failed(self, error: Exception) -> WorkflowActivationCompletion:
        completion = WorkflowActivationCompletion()
        failure = completion.failed.failure
        is_final = isinstance(error, temporalio.exceptions.ApplicationError) and error.non_retryable
        if is_final:
            completion.successful.SetInParent()
            failure = completion.successful.commands.add().fail_workflow_execution.failure
        converter = self._coding.converter
        try:
            converter.failure_converter.to_failure(error, converter.payload_converter, failure)
        except Exception as problem:  # noqa: BLE001 - the converter is the user's
            failure.message = f"Failed converting activation exception: {problem}"
        return completion

    def evict(self, activation: WorkflowActivation) -> None:
        """Tear the run's event loop down; the activation says so."""
        instance, self._instance = self._instance, None
        if instance is None:
            return
        if self._stuck is not None:  # not before its thread is out of it, which nobody waits for
            self._stuck.add_done_callback(lambda _: _activating.submit(instance.activate, activation))
            return
        limit_s = self._worker._deadlock_timeout_seconds  # noqa: SLF001
        if not wait([_activating.submit(instance.activate, activation)], limit_s).done:
            _logger.error("run %s swallows its eviction: it catches BaseException and goes on", activation.run_id)


def _initialization(activation: WorkflowActivation) -> Any:
    """Return the job of an activation that begins a run."""
    return next(job.initialize_workflow for job in activation.jobs if job.HasField("initialize_workflow"))


@contextlib.contextmanager
def _nominal_loop() -> Iterator[None]:
    """Have a running loop in name: while an instance is made, its interceptors find it there."""
    asyncio._set_running_loop(_nominal)  # noqa: SLF001 - for whoever implements event loops, as temporalio does
    try:
        yield
    finally:
        asyncio._set_running_loop(None)  # noqa: SLF001


class _CodecLoop:
    """One thread with an event loop: codecs are coroutines, and activations are not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, from any other thread."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="temporal-codec", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


_codec_loop: Final = _CodecLoop()
#: Threads of activations; one that is stuck in a workflow's code keeps its own.
_activating: Final = ThreadPoolExecutor(1_000, thread_name_prefix="temporal-workflow")
_nominal: Final = asyncio.new_event_loop()
