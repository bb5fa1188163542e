"""The one module that uses private names of temporalio, and says for which versions that was tested.

temporalio's workflow worker and activity worker stand on a *bridge worker*, the Rust core that polls a server. Here is
the seam to put another one under them: a service client that looks like the bridge's own, and a dispatch in
``Worker.create``. Everything above (instances, sandbox, interceptors, converters, heartbeats) stays temporalio's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final

import temporalio
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

TESTED: Final = ((1, 35), (1, 35))


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
    kind = _testing._V1WorkflowEnvironment if skips_time else _testing._NonTsWorkflowEnvironment  # noqa: SLF001
    return kind(client, store)


class Instance:
    """One run of a workflow in memory: temporalio's own instance, activated synchronously.

    Args:
        workflow_worker: of the ``Worker`` that registered the workflow.
        workflow_id: of the run.
    """

    def __init__(self, workflow_worker: Any, workflow_id: str) -> None:
        self._worker = workflow_worker
        self._workflow_id = workflow_id
        self._instance: Any = None
        self._converter = workflow_worker._data_converter  # noqa: SLF001
        self._is_coded = self._converter.payload_codec is not None or self._converter.external_storage is not None

    def activate(self, activation: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run the workflow's code until nothing more can happen; what goes wrong is a failed completion."""
        try:
            if self._is_coded:
                _codec_loop.run(self._decode(activation))
            if self._instance is None:
                with _nominal_loop():
                    self._instance = self._create(activation)
            completion: WorkflowActivationCompletion = self._instance.activate(activation)
        except Exception as error:  # noqa: BLE001 - whatever user code and converters raise fails the task
            return self._failed(error)
        if self._is_coded:
            try:
                _codec_loop.run(self._encode(completion))
            except Exception as error:  # noqa: BLE001 - the codec is the user's
                return self._failed(error)
        return completion

    def _create(self, activation: WorkflowActivation) -> Any:
        init = next(job.initialize_workflow for job in activation.jobs if job.HasField("initialize_workflow"))
        return self._worker._create_workflow_instance(activation, init)  # noqa: SLF001

    def _failed(self, error: Exception) -> WorkflowActivationCompletion:
        completion = WorkflowActivationCompletion()
        failure = completion.failed.failure
        is_final = isinstance(error, temporalio.exceptions.ApplicationError) and error.non_retryable
        if is_final:
            completion.successful.SetInParent()
            failure = completion.successful.commands.add().fail_workflow_execution.failure
        try:
            self._converter.failure_converter.to_failure(error, self._converter.payload_converter, failure)
        except Exception as problem:  # noqa: BLE001 - the converter is the user's
            failure.message = f"Failed converting activation exception: {problem}"
        return completion

    def _context(self) -> Any:
        return temporalio.converter.WorkflowSerializationContext(
            namespace=self._worker._namespace,  # noqa: SLF001
            workflow_id=self._workflow_id,
        )

    def _aware_converter(self) -> Any:
        contextual = self._converter.with_context(self._context())
        if self._instance is None:
            return contextual
        return _worker_workflow._CommandAwareDataConverter.create(  # noqa: SLF001
            instance=self._instance,
            context_free_dc=self._converter,
            workflow_context_dc=contextual,
            workflow_context=self._context(),
        )

    async def _decode(self, activation: WorkflowActivation) -> None:
        await temporalio.bridge.worker.decode_activation(
            activation,
            self._aware_converter(),
            decode_headers=self._worker._encode_headers,  # noqa: SLF001
            storage_concurrency_limit=self._worker._max_workflow_task_external_storage_concurrency,  # noqa: SLF001
        )

    async def _encode(self, completion: WorkflowActivationCompletion) -> None:
        await temporalio.bridge.worker.encode_completion(
            completion,
            self._aware_converter(),
            encode_headers=self._worker._encode_headers,  # noqa: SLF001
            storage_concurrency_limit=self._worker._max_workflow_task_external_storage_concurrency,  # noqa: SLF001
        )

    def evict(self, activation: WorkflowActivation) -> None:
        """Tear the run's event loop down; the activation says so."""
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.activate(activation)


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
_nominal: Final = asyncio.new_event_loop()
