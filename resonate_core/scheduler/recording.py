"""Recording what an execution was told once, so that it is told the same on replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.errors import NondeterminismError
from resonate_core.protocol.requests import FenceSettled
from resonate_core.scheduler.effects import Ask, Write
from resonate_core.scheduler.promises import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.protocol.records import PromiseRecord, SettledState
    from resonate_core.scheduler.execution import Execution


def check_fingerprint(ex: Execution, slot: Slot, record: PromiseRecord) -> None:
    """Refuse a record that something else than the code's call has made.

    Raises:
        NondeterminismError: naming both.
    """
    recorded = ex.env.recorded_name(record)
    if recorded is not None and recorded != slot.name:
        raise NondeterminismError(
            f"{slot.id} was recorded as {recorded!r}, and the code now calls {slot.name!r} there; it has changed in "
            "a way that running executions cannot follow: keep the old order, or register it as a new version",
            recorded=recorded,
            yielded=slot.name,
        )


def record_outcome(ex: Execution, id: str, name: str, value: Any, error: BaseException | None = None) -> None:
    """Record the outcome of an operation; durable before a step starts."""
    slot = Slot(id, "step", name)
    codec = ex.env.codec
    encoded = codec.encode_value(value) if error is None else codec.encode_error(error)
    state: SettledState = "resolved" if error is None else "rejected"
    create = ex.local_create(slot, ex.record.timeout_at, {})
    ex.write(Write(FenceSettled(ex.id, ex.version, create, state, encoded)))
    ex.effects.is_gate = True


def told_once(
    ex: Execution,
    id: str,
    name: str,
    ask: tuple[str, tuple[Any, ...]],
    then: Callable[[Any, BaseException | None], None],
) -> None:
    """Ask the world something whose answer is recorded under an id, or read what it answered before."""
    known = ex.take_record(id)
    if known is not None:
        slot = Slot(id, "step", name)
        check_fingerprint(ex, slot, known)
        then(*ex.env.decode(slot, known))
        return
    ex.answers_open += 1

    def answer(value: Any, error: BaseException | None) -> None:
        ex.answers_open -= 1
        record_outcome(ex, id, name, value, error)
        then(value, error)

    ex.effects.asks.append(Ask(ask[0], ask[1], answer))
