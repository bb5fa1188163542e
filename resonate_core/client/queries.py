"""Queries: reading the state of an execution, running or finished, without changing it.

A query needs no message. An execution is determined by what is stored, so whoever has the code can replay it in memory
and ask the handler. Where this process does not know the function, a worker of the execution's group does the same: it
is called under the name ``resonate.query``.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from resonate_core.client.operations import Operation, finish
from resonate_core.client.replay import replay_operation
from resonate_core.client.starting import Start, find_operation, start_operation
from resonate_core.clock import new_id
from resonate_core.codec.plain import is_plain
from resonate_core.errors import UsageError
from resonate_core.marks import STEP_ATTRIBUTE, StepMark
from resonate_core.options import CallOptions
from resonate_core.protocol.records import TAG_TARGET, PromiseRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.client.engine import Engine
    from resonate_core.registry import Registered

#: Registered name of the function that workers answer queries with.
QUERY_FUNCTION: Final = "resonate.query"
_TIMEOUT_S = 60.0


def query(engine: Engine, id: str, name: str, args: tuple[Any, ...]) -> Future[Any]:
    """Ask a query handler: here if the function is known here, else through a worker.

    Raises:
        UsageError: the execution has no query of this name.
    """
    done: Future[Any] = Future()
    asked = engine.drive_apart(_query(engine, id, name, args))

    def told(_: Future[Any]) -> None:
        error = asked.exception()
        if error is not None:
            finish(done, None, error)
        elif isinstance(asked.result(), _Elsewhere):
            _await_worker(engine, asked.result().promise_id, done)
        else:
            finish(done, asked.result(), None)

    asked.add_done_callback(told)
    return done


class _Elsewhere:
    """A worker was asked; its answer is this promise."""

    def __init__(self, promise_id: str) -> None:
        self.promise_id = promise_id


def _query(engine: Engine, id: str, name: str, args: tuple[Any, ...]) -> Operation[Any]:
    record = yield from find_operation(id)
    function_name = engine.env.recorded_name(record) if TAG_TARGET in record.tags else None
    if function_name is None:
        raise UsageError(f"{id!r} is a promise without a function; only executions of durable classes answer queries")
    version = engine.env.codec.decode_invocation(record.param).version
    function = engine.env.registry.find(function_name, version)
    if function is None:
        return _Elsewhere((yield from _ask_a_worker(engine, record, name, args)))
    return (yield from _answer(engine, record, function, name, args))


def _answer(
    engine: Engine, record: PromiseRecord, function: Registered, name: str, args: tuple[Any, ...]
) -> Operation[Any]:
    handler = function.handlers.get(("query", name))
    if handler is None:
        known = sorted(known for kind, known in function.handlers if kind == "query")
        raise UsageError(f"{function.name} has no query {name!r}; it has: {', '.join(known) or 'none'}")
    execution = yield from replay_operation(engine.env, record, function)
    try:
        method = getattr(execution.instance, handler[0])
        if is_plain(list(args)):  # maybe from a client that knows only names
            args = engine.env.codec.read_by_annotation(args, method)
        return method(*args)
    finally:
        execution.close_generators()


def _ask_a_worker(engine: Engine, record: PromiseRecord, name: str, args: tuple[Any, ...]) -> Operation[str]:
    opts = CallOptions(timeout=_TIMEOUT_S)
    param = engine.env.invocation(QUERY_FUNCTION, (record.id, name, list(args)), {}, 1, opts)
    id = f"{record.id}.query.{new_id()}"
    start = Start(id=id, name=QUERY_FUNCTION, param=param, target=record.tags[TAG_TARGET], opts=opts)
    started = yield from start_operation(engine.env, start)
    return started.record.id


def _await_worker(engine: Engine, promise_id: str, done: Future[Any]) -> None:
    from resonate_core.client.handle import outcome  # noqa: PLC0415 - handles know messages, messages know queries

    settled = engine.settled(promise_id)

    def told(_: Future[PromiseRecord]) -> None:
        try:
            finish(done, outcome(engine, settled.result(), Any, "query"), None)
        except Exception as error:  # noqa: BLE001 - whatever the handler raised belongs to the caller
            finish(done, None, error)

    settled.add_done_callback(told)


def worker_side(engine: Engine) -> Callable[[str, str, list[Any]], Any]:
    """Return the step that a worker registers under ``QUERY_FUNCTION``."""

    def answer_query(promise_id: str, name: str, args: list[Any]) -> Any:
        return engine.wait(query(engine, promise_id, name, tuple(args)))

    setattr(answer_query, STEP_ATTRIBUTE, StepMark(QUERY_FUNCTION))
    return answer_query
