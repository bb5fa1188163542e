"""The fixed surroundings of executions: codec, registry, addresses; and how records become values and errors."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from resonate_core.errors import (
    CanceledError,
    Cancelled,
    ChildError,
    CodecError,
    ConflictError,
    NotFoundError,
    ProtocolError,
    StepCrashedError,
    StepError,
    TimedOutError,
    TransportError,
    UsageError,
)
from resonate_core.marks import durable_mark, step_mark
from resonate_core.protocol.records import TAG_EXTERNAL, TAG_TIMER, PromiseRecord, Value
from resonate_core.queues.queue import place_in
from resonate_core.registry import Registered, Registry, name_of, signature_of
from resonate_core.retry import to_wire
from resonate_core.scheduler.opening import opening
from resonate_core.scheduler.promises import LATENT_NAME, TIMER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resonate_core.codec import Codec
    from resonate_core.options import CallOptions
    from resonate_core.protocol.requests import PromiseCreate, Response
    from resonate_core.scheduler.promises import Slot

#: Headers of a failed step's record, for ``StepError``.
ATTEMPTS_HEADER = "resonate:attempts"
RETRY_STATE_HEADER = "resonate:retry-state"
#: Names remembered by their stored form; a program has as many step names as this at the most.
_NAMES_MAX = 4096


class Environment:
    """What all executions of one ``Resonate`` share.

    Args:
        codec: values to records and back.
        registry: what can be run here, by name.
        now_ms: wall clock, milliseconds since the epoch.
        address: from a group name, or None for the own group, to an address.
        dependencies: what ``ctx.get_dependency`` finds.
    """

    def __init__(
        self,
        codec: Codec,
        registry: Registry,
        *,
        now_ms: Callable[[], int],
        address: Callable[[str | None], str],
        dependencies: dict[str, Any] | None = None,
    ) -> None:
        self.codec = codec
        self.registry = registry
        self.now_ms = now_ms
        self.address = address
        self.dependencies = {} if dependencies is None else dependencies
        self._params: dict[str, Value] = {}
        self._names: dict[str, str | None] = {}

    # -- names ---------------------------------------------------------------------------------------------------

    def name_param(self, name: str) -> Value:
        """Return the param of a local child: the name of what made it, its fingerprint at replay."""
        found = self._params.get(name)
        if found is None:
            found = self._params[name] = self.codec.encode_value({"func": name})
        return found

    def recorded_name(self, record: PromiseRecord) -> str | None:
        """Return the name of what made a record; None where it does not say."""
        if record.tags.get(TAG_TIMER) == "true":
            return TIMER_NAME
        if record.tags.get(TAG_EXTERNAL) == "true":
            return LATENT_NAME
        data = record.param.data
        if data is None:
            return None
        if data not in self._names:
            if len(self._names) >= _NAMES_MAX:
                self._names.clear()
            self._names[data] = self._read_name(record.param)
        return self._names[data]

    def _read_name(self, param: Value) -> str | None:
        try:
            plain = self.codec.decode_value(param)
        except CodecError:
            return None
        name = plain.get("func") if isinstance(plain, dict) else None
        return name if isinstance(name, str) else None

    def local_target(self, function: Any) -> Any:
        """Return what runs when a function is called here: whatever is registered under its name, else itself.

        So a test registers a substitute under the name of a step, and a method marked as a step runs on the instance
        whose bound method was registered.
        """
        if isinstance(function, Registered):
            return function.thing
        mark = step_mark(function) or durable_mark(function)
        if mark is None or inspect.isclass(function):
            return function
        found = self.registry.find(mark.name)
        if found is None or found.kind == "class":
            return function
        return found.thing

    def target_of(self, function: Any, version: int) -> tuple[str, int, Any]:
        """Return (name, version, thing or None) of what a remote call names.

        Raises:
            UsageError: neither a name nor something that has one.
        """
        if isinstance(function, str):
            found = self.registry.find(function, version)
            return function, version or (found.version if found else 1), found.callable if found else None
        known = function if isinstance(function, Registered) else self.registry.find_thing(function)
        if known is not None and version in (0, known.version):
            return known.name, known.version, known.callable
        if not callable(function):
            raise UsageError(f"expected a function, a durable class or a registered name, got {function!r}")
        mark = durable_mark(function)
        own = version or (mark.version if mark else 1)
        return name_of(function), own, function if not inspect.isclass(function) else None

    # -- calls ---------------------------------------------------------------------------------------------------

    def invocation(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], version: int, opts: CallOptions
    ) -> Value:
        """Encode a remote call with the options that travel with it.

        Raises:
            EncodeError: an argument has no stored form.
            UsageError: a retry policy that cannot travel.
        """
        extra = travelling(opts, self.now_ms())
        if opts.opening is not None:
            extra |= opening(self.codec, opts.opening)
        return self.codec.encode_invocation(name, args, kwargs, version, extra)

    def check_arguments(self, function: Registered, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse arguments that the function does not take.

        Raises:
            UsageError: with the function's parameters.
        """
        target = function.callable
        lead = (None,) * function.lead
        signature = signature_of(target)
        if signature is None:
            return
        try:
            signature.bind(*lead, *args, **kwargs)
        except TypeError as error:
            shown = ", ".join(list(signature.parameters)[len(lead) :]) or "no arguments"
            raise UsageError(f"{function.name} takes {shown}; the call does not fit: {error}") from None

    # -- outcomes ------------------------------------------------------------------------------------------------

    def tame(self, error: BaseException) -> BaseException:
        """Turn what would end a thread or process into an ordinary error; the rest stays."""
        if isinstance(error, (Exception, Cancelled)):
            return error
        name = type(error).__name__
        tamed = StepCrashedError(f"a durable function raised {name}({error}); raise an ordinary error", crash_type=name)
        tamed.__cause__ = error
        return tamed

    def decode(self, slot: Slot, record: PromiseRecord) -> tuple[Any, BaseException | None]:
        """Return (value, error) of a settled record; what cannot be read is an error."""
        self._read_attempts(slot, record)
        try:
            if record.state == "resolved":
                if record.tags.get(TAG_TIMER) == "true":
                    return None, None
                return self.codec.decode_value(record.value, slot.hint), None
            return None, self.error_of(slot, record)
        except CodecError as problem:
            return None, problem

    def _read_attempts(self, slot: Slot, record: PromiseRecord) -> None:
        """Take from a failed step's record what ``StepError`` says: the same on replay as when it happened."""
        headers = record.value.headers
        if not headers or ATTEMPTS_HEADER not in headers:
            return
        attempts = headers[ATTEMPTS_HEADER]
        slot.attempts = int(attempts) if attempts.isdecimal() else 0
        slot.retry_state = headers.get(RETRY_STATE_HEADER, "")

    def error_of(self, slot: Slot, record: PromiseRecord) -> BaseException:
        """Return the error of a record that was rejected."""
        if record.state == "rejected":
            return self.codec.decode_error(record.value)
        if record.state == "rejected_timedout":
            return TimedOutError(f"{slot.name} ({record.id}) was not settled before its deadline")
        reason = self._reason(record)
        if slot.kind in ("branch", "step"):
            return Cancelled(reason)
        return CanceledError(f"{slot.name} ({record.id}) was canceled" + (reason and f": {reason}"))

    def _reason(self, record: PromiseRecord) -> str:
        if not record.value.data:
            return ""
        try:
            return str(self.codec.decode_error(record.value))
        except CodecError:
            return ""

    def wrap(self, slot: Slot, error: BaseException) -> BaseException:
        """Put an error into the wrapper that ``errors="wrapped"`` asks for."""
        if isinstance(error, Cancelled):
            return error
        if slot.kind == "step" or slot.is_leaf:
            return StepError(
                f"step {slot.name!r} failed: {error}",
                cause=error,
                step=slot.name,
                attempts=slot.attempts,
                retry_state=slot.retry_state,
            )
        return ChildError(f"child {slot.name!r} failed: {error}", cause=error, child=slot.name)

    def refusal(self, create: PromiseCreate, response: Response) -> Exception:
        """Return the error for a request that the server did not carry out."""
        what = f"promise {create.id}"
        detail = response.error or f"status {response.status}"
        if response.status == 0:
            return TransportError(f"{what} could not be created: {detail}")
        kinds: Mapping[int, type[ProtocolError]] = {404: NotFoundError, 409: ConflictError}
        refused = kinds.get(response.status, ProtocolError)
        return refused(f"{what} was refused: {detail}", kind="promise.create", id=create.id, status=response.status)


def travelling(opts: CallOptions, now_ms: int) -> dict[str, Any]:
    """Return the options that a remote call carries to the worker that runs it.

    Raises:
        UsageError: a retry policy that cannot travel, or a place that the queue does not have.
    """
    extra: dict[str, Any] = {}
    if opts.has_retry_policy:
        extra["retryPolicy"] = to_wire(opts.retry_policy)
    limits = {
        "attemptTimeout": opts.attempt_timeout,
        "heartbeatTimeout": opts.heartbeat_timeout,
        "scheduleToStartTimeout": opts.schedule_to_start_timeout,
        "delay": opts.delay,
    }
    if opts.queue is not None:
        extra["queue"] = place_in(opts.queue, priority=opts.priority, partition=opts.partition, now_ms=now_ms)
    return extra | {key: value for key, value in limits.items() if value is not None}
