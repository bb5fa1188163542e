"""Durable classes: how an execution begins, and what its messages do.

A handler without ``yield`` runs at once. One that yields becomes a branch beside the entry, on the same ``self``;
branches switch only at a yield. The ids of what it does stand under its message's slot, so they do not shift others.
"""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any

from resonate_core.context import Context
from resonate_core.errors import Cancelled, CodecError, UsageError
from resonate_core.ids import inbox_id
from resonate_core.protocol.requests import PromiseSettle
from resonate_core.queues.turn import begun_later, waits
from resonate_core.registry import is_generator_function
from resonate_core.scheduler import interpret
from resonate_core.scheduler.branch import Branch
from resonate_core.scheduler.effects import Outcome, Write

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core.registry import Registered
    from resonate_core.scheduler.execution import Execution
    from resonate_core.scheduler.inbox import Message

logger = logging.getLogger("resonate_core")


def make_main(function: Registered, context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return (instance or None, generator); no generator where the body never yields and runs as a step.

    Raises:
        UsageError: a generator function gave something else (a decorator hides it).
    """
    instance, made = _make(function, context, args, kwargs)
    execution = context.execution
    if not waits(execution.travelled):
        return instance, made
    if made is None:
        made = _leaf_body(context, function, instance, args, kwargs)
    return instance, begun_later(context, execution.travelled, made, is_first_run=execution.run == 0)


def _make(function: Registered, context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    if function.kind == "leaf":
        return None, None
    if function.kind != "class":
        return None, _generator(function, function.thing(context, *args, **kwargs))
    instance = _make_instance(function.thing, context, args, kwargs)
    entry = getattr(instance, function.entry or "")
    if not is_generator_function(entry):
        return instance, None
    return instance, _generator(function, entry(context, *args, **kwargs))


def _leaf_body(
    context: Context, function: Registered, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, Any, Any]:
    """Run a body that never yields as a step of an execution that has to wait before it."""
    leaf = leaf_of(function, instance)
    if function.kind == "class":
        leaf = functools.partial(leaf, context)
    command = context.run(leaf, *args, **kwargs)
    command.opts = context.execution.opts
    return (yield command)


def _make_instance(cls: Any, context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make the object of an execution: its constructor may take the context first, and what the entry receives."""
    wanted = list(inspect.signature(cls).parameters)
    first = (context,) if wanted[:1] == ["ctx"] else ()
    return cls(*first, *args, **kwargs) if len(wanted) > len(first) else cls(*first)


def _generator(function: Registered, made: Any) -> Any:
    if not hasattr(made, "send"):
        raise UsageError(
            f"{function.name} is declared as a generator function but gave {type(made).__name__}; "
            "a decorator around it must use `yield from`"
        )
    return made


def leaf_of(function: Registered, instance: Any) -> Any:
    """Return what runs as a step where the body of an execution never yields."""
    return function.thing if instance is None else getattr(instance, function.entry or "")


def _takes_context(method: Any) -> bool:
    """Whether a handler takes the context first: one that yields does, another may."""
    parameters = list(inspect.signature(method).parameters.values())
    first = parameters[0] if parameters else None
    return inspect.isgeneratorfunction(method) or (first is not None and first.name == "ctx")


def is_event(function: Registered, message: Message) -> bool:
    """Whether a message is delivered as an event; others are kept for ``recv``."""
    if message.kind == "cancel":
        return True
    return message.kind in ("signal", "update") and (message.kind, message.topic) in function.handlers


def refuse(ex: Execution, message: Message) -> bool:
    """Answer an update that nobody here handles; return whether it was one."""
    if message.kind != "update" or is_event(ex.function, message):
        return False
    known = sorted(name for kind, name in ex.function.handlers if kind == "update")
    error = UsageError(f"{ex.function.name} has no update {message.topic!r}; it has: {', '.join(known) or 'none'}")
    ex.inbox.take(message.slot)
    _reply(ex, message.reply, None, error)
    return True


def deliver(ex: Execution, message: Message) -> None:
    """Call the handler of a message."""
    if message.kind == "cancel":
        if ex.main is not None:
            interpret.cancel_branch(ex, ex.main, str(message.content) if message.args else "cancelled")
        return
    attribute, mark = ex.function.handlers[message.kind, message.topic]  # type: ignore[index]
    context = Context(ex, inbox_id(ex.base, message.slot))
    try:
        method = getattr(ex.instance, attribute)
        first = (context,) if _takes_context(method) else ()
        args = message.args
        if message.is_plain:  # from a client that knows only names
            args = ex.env.codec.read_by_annotation(args, method, skip=len(first))
        if mark.validator is not None:
            mark.validator(ex.instance, *args, **message.kwargs)
        made = method(*first, *args, **message.kwargs)
    except BaseException as error:  # noqa: BLE001 - the handler is user code
        _failed(ex, message, ex.env.tame(error))
        return
    if not inspect.isgenerator(made):
        _reply(ex, message.reply, made, None)
        return
    branch = Branch(made, context, message.topic or message.kind)
    branch.is_handler = True
    branch.reply = message.reply
    _reply(ex, message.accepted, None, None)
    ex.start_branch(branch)


def ended(ex: Execution, branch: Branch, value: Any, error: BaseException | None) -> None:
    """A handler that had yielded is done."""
    if error is not None and branch.reply is None and not isinstance(error, Cancelled):
        ex.finish(Outcome(error=error))
        return
    _reply(ex, branch.reply, value, error)


def _failed(ex: Execution, message: Message, error: BaseException) -> None:
    """An update that fails tells its sender; a signal that fails ends the execution: it must not be lost silently."""
    if message.reply is not None:
        _reply(ex, message.reply, None, error)
        return
    logger.error("%s: handler of signal %r failed: %s", ex.id, message.topic, error)
    ex.finish(Outcome(error=error))


def _reply(ex: Execution, reply: str | None, value: Any, error: BaseException | None) -> None:
    if reply is None:
        return
    codec = ex.env.codec
    try:
        encoded = codec.encode_value(value) if error is None else codec.encode_error(error)
    except CodecError as problem:
        error, encoded = problem, codec.encode_error(problem)
    ex.write(Write(PromiseSettle(reply, "resolved" if error is None else "rejected", encoded)))
    ex.effects.is_urgent = True
