"""Talking to executions from outside: signals, messages, updates, queries, events, cancellation. All give futures."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from resonate_core.client.describe import Description, described
from resonate_core.client.operations import Operation, checked, finish
from resonate_core.client.starting import find_operation, terminate_operation
from resonate_core.clock import new_id
from resonate_core.errors import ExecutionClosedError
from resonate_core.limits import CLOSED_ANSWER_GRACE_MS, DEFAULT_TIMEOUT_S
from resonate_core.marks import handler_name
from resonate_core.network.post import post_message
from resonate_core.network.published import read_event
from resonate_core.protocol.records import TAG_EXTERNAL, TAG_SCOPE, PromiseRecord
from resonate_core.protocol.requests import PromiseCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.client.engine import Engine

Args = tuple[Any, ...]


def signal_message(name: Any, args: Sequence[Any]) -> dict[str, Any]:
    """Return a signal by the name of its handler, or the handler itself."""
    return {"kind": "signal", "topic": handler_name(name), "args": list(args)}


class Messages:
    """Messages to executions, for blocking and async callers alike."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def signal(self, id: str, name: Any, args: Args) -> Future[None]:
        """Post a signal."""
        return self.post(id, signal_message(name, args))

    def send(self, id: str, message: Any, topic: str | None, key: str | None = None) -> Future[None]:
        """Post a message for ``recv``; the same ``key`` again changes nothing."""
        return self.post(id, {"kind": "send", "topic": topic, "args": [message]}, key)

    def cancel(self, id: str, reason: str) -> Future[None]:
        """Post a cancellation; one for a finished execution is no error."""
        done: Future[None] = Future()

        def posted(_: Any, error: BaseException | None) -> None:
            finish(done, None, None if isinstance(error, ExecutionClosedError) else error)

        self._send(id, {"kind": "cancel", "args": [reason or "cancelled by a client"], "id": new_id()}, posted)
        return done

    def post(self, id: str, message: dict[str, Any], key: str | None = None) -> Future[None]:
        """Post any message; the same ``key`` again changes nothing."""
        done: Future[None] = Future()
        self._send(id, {**message, "id": key or new_id()}, lambda _, error: finish(done, None, error))
        return done

    def _send(self, id: str, message: dict[str, Any], then: Callable[[str | None, BaseException | None], None]) -> None:
        engine = self._engine
        try:
            post_message(engine.submit, engine.env, id, message, then)
        except Exception as error:  # noqa: BLE001 - what cannot be encoded is the caller's outcome too
            then(None, error)

    def terminate(self, promise_id: str, reason: str) -> Future[Any]:
        """Settle an execution from outside."""
        return self._engine.drive(_terminate(self._engine, promise_id, reason or "terminated by a client"))

    def describe(self, promise_id: str) -> Future[Description]:
        """Describe the newest generation of an id."""
        return self._engine.drive(_describe(self._engine, promise_id))

    def get_event(self, source: str, key: str, timeout: float | None) -> Future[Any]:
        """Read a published event, waiting for the first value."""
        engine, done = self._engine, Future[Any]()
        deadline = None if timeout is None else engine.env.now_ms() + round(timeout * 1000)

        def begin() -> None:
            read_event(engine.worker, engine.env, source, key, deadline, lambda v, e: finish(done, v, e))

        engine.worker.post(begin)
        return done

    def update(self, id: str, name: Any, args: Args) -> Future[Any]:
        """Post an update and wait for the answer of its handler."""
        engine, done, key = self._engine, Future[Any](), new_id()
        reply = f"{id}.update.{key}"
        message = {"kind": "update", "topic": handler_name(name), "args": list(args), "reply": reply, "id": key}
        opened = engine.drive(_open_reply(engine, reply))

        def posted(slot: str | None, error: BaseException | None) -> None:
            if error is not None or slot is None:
                finish(done, None, error)
                return
            _Answer(engine, done, reply, slot.rpartition(".inbox.")[0]).wait()

        def send(_: Future[None]) -> None:
            error = opened.exception()
            if error is not None:
                finish(done, None, error)
            else:
                self._send(id, message, posted)

        opened.add_done_callback(send)
        return done

    def query(self, id: str, name: Any, args: Args) -> Future[Any]:
        """Read state with a query handler."""
        from resonate_core.client.queries import query  # noqa: PLC0415 - it builds on starting, which few need

        return query(self._engine, id, handler_name(name), args)


class _Answer:
    """Waits for the answer to an update; an execution that ends without answering is an answer too."""

    def __init__(self, engine: Engine, done: Future[Any], reply: str, promise_id: str) -> None:
        self._engine = engine
        self._done = done
        self._reply = reply
        self._promise_id = promise_id

    def wait(self) -> None:
        self._engine.network.watch(self._reply, self._answered)
        self._engine.network.watch(self._promise_id, self._closed)
        self._done.add_done_callback(self._forget)

    def _forget(self, _: Future[Any]) -> None:
        self._engine.network.unwatch(self._reply, self._answered)
        self._engine.network.unwatch(self._promise_id, self._closed)

    def _answered(self, record: PromiseRecord) -> None:
        codec = self._engine.env.codec
        try:
            if record.state == "resolved":
                finish(self._done, codec.decode_value(record.value), None)
            else:
                finish(self._done, None, codec.decode_error(record.value))
        except Exception as error:  # noqa: BLE001 - an answer that cannot be read is the caller's outcome
            finish(self._done, None, error)

    def _closed(self, record: PromiseRecord) -> None:
        """The answer is written just before the end; give it a moment to be told."""
        error = ExecutionClosedError(
            f"execution {record.id} ended ({record.state}) without answering the update",
            kind="message",
            id=record.id,
            status=409,
        )
        worker = self._engine.worker

        def give_up_later() -> None:
            worker.after(CLOSED_ANSWER_GRACE_MS, lambda: finish(self._done, None, error))

        worker.post(give_up_later)


def _terminate(engine: Engine, promise_id: str, reason: str) -> Operation[Any]:
    record = yield from find_operation(promise_id)
    return (yield from terminate_operation(engine.env, record.id, reason))


def _describe(engine: Engine, promise_id: str) -> Operation[Description]:
    record = yield from find_operation(promise_id)
    return described(engine.env, record)


def _open_reply(engine: Engine, reply: str) -> Operation[None]:
    deadline = engine.env.now_ms() + int(DEFAULT_TIMEOUT_S * 1000)
    create = PromiseCreate(reply, deadline, tags={TAG_SCOPE: "global", TAG_EXTERNAL: "true"})
    checked((yield [create])[0], "promise.create", reply)
