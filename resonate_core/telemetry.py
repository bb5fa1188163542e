"""OpenTelemetry spans (extra ``[otel]``): one for each attempt of a step, one for each execution that ends here.

All spans of a call tree are of one trace, whatever processes they come from and however often it is taken over: the
trace id is made of the root execution's id, and so is the parent of everything an execution does. Replay makes none.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from resonate_core.step_context import current_step
from resonate_core.worker.steps_invoke import is_async

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from resonate_core.protocol.records import PromiseRecord


class Telemetry:
    """Makes spans with a tracer of the program: ``Resonate(tracer=trace.get_tracer("orders"))``."""

    def __init__(self, tracer: Any) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - an extra

        self._trace = trace
        self._tracer = tracer

    def _parent(self, root_id: str, execution_id: str) -> Any:
        """Return the context of an execution's place in its trace."""
        trace = self._trace
        place = trace.SpanContext(
            trace_id=_number(root_id, 16),
            span_id=_number(execution_id, 8),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
        return trace.set_span_in_context(trace.NonRecordingSpan(place))

    def traced(self, function: Any, *, name: str, step_id: str, execution_id: str, root_id: str) -> Any:
        """Return a step's function that makes a span of each attempt and is current inside it."""

        def span() -> AbstractContextManager[Any]:
            scope = current_step.get()
            attributes = {
                "resonate.step.id": step_id,
                "resonate.execution.id": execution_id,
                "resonate.attempt": 1 if scope is None else scope.info().attempt,
            }
            parent = self._parent(root_id, execution_id)
            found: AbstractContextManager[Any] = self._tracer.start_as_current_span(name, parent, attributes=attributes)
            return found

        if is_async(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with span():
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with span():
                return function(*args, **kwargs)

        return called

    def ended(self, record: PromiseRecord, *, name: str, root_id: str, error: BaseException | None) -> None:
        """Make the span of an execution that has ended, from its start to now."""
        status = self._trace.Status(self._trace.StatusCode.OK)
        if error is not None:
            status = self._trace.Status(self._trace.StatusCode.ERROR, f"{type(error).__name__}: {error}")
        span = self._tracer.start_span(
            name,
            self._parent(root_id, record.id),
            attributes={"resonate.execution.id": record.id},
            start_time=record.created_at * 1_000_000,
        )
        span.set_status(status)
        span.end()


def _number(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big") or 1
