"""Functions that every worker registers: what the runtime itself asks of workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.client.operations import Operation, checked
from resonate_core.client.queries import worker_side
from resonate_core.client.starting import find_operation
from resonate_core.marks import STEP_ATTRIBUTE, StepMark
from resonate_core.mutex import SETTLE_FUNCTION, Keeper
from resonate_core.protocol.requests import PromiseSettle
from resonate_core.queues.keeper import queue_keeper
from resonate_core.recurring import STATE_FUNCTION, Recurring
from resonate_core.registry import describe
from resonate_core.retry import Exponential

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.client.engine import Engine


def register_builtins(engine: Engine) -> None:
    """Register them in an engine that becomes a worker."""
    for thing in (worker_side(engine), _settler(engine), _reader(engine), Keeper, Recurring, queue_keeper):
        engine.registry.add(describe(thing))


def _settler(engine: Engine) -> Callable[[str, Any], None]:
    def settle(promise_id: str, value: Any) -> None:
        engine.wait(engine.drive(_settle(engine, promise_id, value)))

    setattr(settle, STEP_ATTRIBUTE, StepMark(SETTLE_FUNCTION, Exponential()))
    return settle


def _reader(engine: Engine) -> Callable[[str], str]:
    def state_of(promise_id: str) -> str:
        return engine.wait(engine.drive(_state(promise_id)))

    setattr(state_of, STEP_ATTRIBUTE, StepMark(STATE_FUNCTION, Exponential()))
    return state_of


def _state(promise_id: str) -> Operation[str]:
    record = yield from find_operation(promise_id)
    return record.state


def _settle(engine: Engine, promise_id: str, value: Any) -> Operation[None]:
    request = PromiseSettle(promise_id, "resolved", engine.env.codec.encode_value(value))
    checked((yield [request])[0], "promise.settle", promise_id)
