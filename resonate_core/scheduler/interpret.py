"""What each command does to an execution. One function per command; the table at the end joins them.

A function returns how the branch goes on at once (``("send", value)`` or ``("throw", error)``), or None when the branch
now waits.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from resonate_core import commands as c
from resonate_core.context import Context
from resonate_core.errors import (
    CanceledError,
    Cancelled,
    CodecError,
    ContinueAsNew,
    NondeterminismError,
    UsageError,
)
from resonate_core.ids import event_id
from resonate_core.isolation import isolated_call
from resonate_core.limits import DEFAULT_TIMEOUT_S, INSTANT_MAX_MS
from resonate_core.marks import HANDLER_ATTRIBUTE, durable_mark, step_mark
from resonate_core.protocol.records import (
    EMPTY,
    TAG_BRANCH,
    TAG_EXTERNAL,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    TAG_START,
    TAG_TARGET,
    TAG_TIMER,
    PromiseRecord,
)
from resonate_core.protocol.requests import FenceSettled, PromiseCreate, PromiseSettle, Response
from resonate_core.registry import is_generator_function, name_of, return_hint, takes_context
from resonate_core.scheduler import driving
from resonate_core.scheduler.branch import Branch
from resonate_core.scheduler.effects import Ask, StartStep, Write
from resonate_core.scheduler.promises import LATENT_NAME, TIMER_NAME, Promise, Slot, slot_of
from resonate_core.scheduler.recording import check_fingerprint, record_outcome, told_once
from resonate_core.scheduler.waits import (
    Action,
    WaitAll,
    WaitAnswer,
    WaitAny,
    WaitDrain,
    WaitMessage,
    WaitOne,
    WaitPredicate,
)

if TYPE_CHECKING:
    from resonate_core.protocol.records import SettledState, Value
    from resonate_core.scheduler.execution import Execution


def carry_out(ex: Execution, branch: Branch, command: Any) -> Action | None:
    """Do what a yielded thing asks for; what cannot be yielded is thrown back at the line that did it."""
    if type(command) is c.Call and command.kind == "run":
        return _run(ex, branch, command)
    if type(command) is Promise:
        return _wait_for(ex, branch, slot_of(command))
    action = _TABLE.get(type(command))
    if action is None:
        return ("throw", _not_a_command(command))
    try:
        result: Action | None = action(ex, branch, command)
    except NondeterminismError:
        raise  # not for user code: its clean-up must not run over records that it does not fit
    except (UsageError, CodecError) as error:
        return ("throw", error)
    return result


def _not_a_command(thing: Any) -> UsageError:
    hint = "yield a call on ctx, or a promise"
    if isinstance(thing, (list, tuple, set)):
        hint = "wrap them: yield ctx.gather(*...)"
    elif inspect.isgenerator(thing):
        hint = "a generator helper is called with `yield from`"
    elif inspect.iscoroutine(thing):
        thing.close()
        hint = "a coroutine function is a step: yield ctx.run(function, ...)"
    return UsageError(f"a durable function yielded {type(thing).__name__} {thing!r:.80}; {hint}")


def _wait_for(ex: Execution, branch: Branch, slot: Slot) -> Action | None:
    if ex.slots.get(slot.id) is not slot:
        error = UsageError(
            f"promise {slot.id} belongs to another execution than {ex.id}; pass its id and await it with "
            "ctx.promise(id=...), or pass its value"
        )
        return ("throw", error)
    ex.block(WaitOne(branch, slot))
    return None


def _deadline(ex: Execution, timeout: float | None, *, capped: bool = True) -> int:
    wanted = ex.env.now_ms() + int((DEFAULT_TIMEOUT_S if timeout is None else timeout) * 1000)
    limit = ex.record.timeout_at if capped else INSTANT_MAX_MS
    return min(wanted, limit)


def _claim(ex: Execution, cmd: c.Command, kind: Any, name: str, *, key: str | None = None) -> tuple[Slot, bool]:
    """Return the slot of a command's id and whether it is new; the same id twice must mean the same thing."""
    key = key or cmd.id
    known = ex.slots.get(key)
    if known is None:
        slot = ex.slots[key] = Slot(key, kind, name)
        slot.wrap = cmd.opts.errors == "wrapped"
        slot.close = cmd.opts.parent_close
        return slot, True
    if known.name != name:
        raise UsageError(f"id {cmd.id!r} is used for {known.name!r} and for {name!r} in one execution; use two ids")
    return known, False


# -- local calls -----------------------------------------------------------------------------------------------------


def _run(ex: Execution, branch: Branch, cmd: c.Call) -> Action | None:
    try:
        slot, is_new = _begin_local(ex, cmd)
    except NondeterminismError:
        raise
    except Exception as error:  # noqa: BLE001 - what makes the generator may be user code
        return ("throw", error)
    if cmd.begin:
        if is_new:
            ex.attach(slot)
        return ("send", Promise(slot))
    return _wait_for(ex, branch, slot)


def _begin_local(ex: Execution, cmd: c.Call) -> tuple[Slot, bool]:
    function = ex.env.local_target(cmd.function)
    if not callable(function):
        raise UsageError(f"ctx.run takes a function, got {function!r}; by name it is ctx.rpc({function!r}, ...)")
    if inspect.isclass(function) and durable_mark(function) is not None:
        raise UsageError(f"{function.__name__} is a durable class with an execution of its own: use ctx.rpc")
    is_generator = is_generator_function(function)
    slot, is_new = _claim(ex, cmd, "branch" if is_generator else "step", name_of(function))
    if not is_new:
        return slot, False
    record = ex.history.get(slot.id)
    if record is not None:
        check_fingerprint(ex, slot, record)
    slot.timeout_at = _deadline(ex, cmd.opts.timeout)
    if is_generator:
        _begin_branch(ex, cmd, slot, function)
    else:
        _begin_step(ex, cmd, slot, function)
    return slot, True


def _begin_branch(ex: Execution, cmd: c.Call, slot: Slot, function: Any) -> None:
    context = Context(ex, slot.id)
    child = Branch(function(context, *cmd.args, **cmd.kwargs), context, slot.name)
    child.slot = slot
    slot.branch = child
    if not hasattr(child.generator, "send"):
        raise UsageError(f"{slot.name} is declared as a generator function but gave {type(child.generator).__name__}")
    ex.start_branch(child)


def _begin_step(ex: Execution, cmd: c.Call, slot: Slot, function: Any) -> None:
    mark = step_mark(function) or step_mark(cmd.function)  # a substitute need not say what the step says
    slot.function = function
    slot.is_leaf = True
    slot.hint = cmd.opts.result_type or _hint(function, cmd.function)
    if mark is not None and cmd.opts.errors is None:
        slot.wrap = mark.errors == "wrapped"
    record = ex.take_record(slot.id)
    if record is not None:
        ex.settle_slot(slot, record)
        return
    wants_context = takes_context(function, cmd.args, cmd.kwargs)
    context = Context(ex, slot.id) if wants_context else None
    create = ex.local_create(slot, slot.timeout_at, dict(cmd.opts.tags))
    args, kwargs = isolated_call(cmd.args, cmd.kwargs)
    ex.effects.starts.append(StartStep(slot, function, args, kwargs, cmd.opts, create, context, mark))
    ex.steps_running += 1


def _hint(function: Any, called: Any) -> Any:
    """Return the annotated result of what runs, else of what was called."""
    own = return_hint(function)
    return own if own is not Any or function is called or not callable(called) else return_hint(called)


# -- remote calls ----------------------------------------------------------------------------------------------------


def _is_durable(function: Any) -> bool:
    """Whether a call of it is a child and not a step: by its yields or by its mark, its own or its class's."""
    is_marked = durable_mark(function) is not None or hasattr(function, HANDLER_ATTRIBUTE)
    return is_marked or is_generator_function(function)


def _remote(ex: Execution, branch: Branch, cmd: c.Call) -> Action | None:
    name, version, thing = ex.env.target_of(cmd.function, cmd.opts.version)
    # An id that may run again does not say which promise it is: the command's position does.
    key = cmd.id if cmd.opts.id is None or cmd.opts.if_exists == "join" else cmd.position
    slot, is_new = _claim(ex, cmd, "remote", name, key=key)
    if is_new:
        if cmd.kind == "detached":
            slot.close = "abandon"
        slot.hint = cmd.opts.result_type or (Any if thing is None else return_hint(thing))
        slot.function = thing
        slot.is_leaf = thing is not None and not _is_durable(thing)
        param = ex.env.invocation(name, cmd.args, cmd.kwargs, version, cmd.opts)
        if slot.id == cmd.id:
            _create_remote(ex, branch, cmd, slot, param)
        else:
            _choose(ex, branch, cmd, slot, param)
        ex.attach(slot)
    if cmd.begin or cmd.kind == "detached":
        return ("send", Promise(slot))
    return _wait_for(ex, branch, slot)


def _choose(ex: Execution, branch: Branch, cmd: c.Call, slot: Slot, param: Value) -> None:
    """Find out which generation of the id this child is, once, then create it."""

    def chosen(promise_id: Any, error: BaseException | None) -> None:
        ex.choices_open -= 1
        if error is not None:
            slot.settle(None, ex.wrapped(slot, error), ex.now_ms)
            ex.slot_settled(slot)
            return
        ex.rename(slot, promise_id)
        _create_remote(ex, branch, cmd, slot, param)
        reason, slot.stop_reason = slot.stop_reason, None
        if reason is not None:
            cancel_slot(ex, slot, reason, terminate=ex.closing and slot.close == "terminate")

    slot.promise_id = ""
    ex.choices_open += 1
    ask = ("choose", (cmd.id, cmd.opts.if_exists, _start_tag(ex, cmd)))
    told_once(ex, cmd.position, slot.name, ask, chosen)


def _start_tag(ex: Execution, cmd: c.Call) -> str:
    return f"{ex.base}/{cmd.position}"


def _create_remote(ex: Execution, branch: Branch, cmd: c.Call, slot: Slot, param: Value) -> None:
    is_positional = cmd.opts.id is None
    promise_id = slot.promise_id
    tags = {
        TAG_TARGET: ex.env.address(cmd.opts.target),
        TAG_SCOPE: "global",
        TAG_ORIGIN: ex.origin if is_positional else promise_id,
        TAG_BRANCH: promise_id,
        TAG_PARENT: branch.context.base if is_positional else promise_id,
        **cmd.opts.tags,
    }
    if cmd.opts.if_exists != "join":
        tags[TAG_START] = _start_tag(ex, cmd)
    deadline = _deadline(ex, cmd.opts.timeout, capped=cmd.kind != "detached")
    create = PromiseCreate(promise_id, deadline, param, tags)
    _create(ex, slot, create)
    if cmd.opts.queue is not None:
        _stand_in_line(ex, cmd, create)


def _create(ex: Execution, slot: Slot, create: PromiseCreate) -> None:
    """Create the promise behind a slot, unless the history has it."""
    known = ex.take_record(create.id) or ex.open_records.pop(create.id, None)
    if known is not None:
        _created(ex, slot, known)
        return

    def answered(response: Response) -> None:
        ex.answers_open -= 1
        if response.promise is not None:
            _created(ex, slot, response.promise)
            return
        slot.settle(None, ex.env.refusal(create, response), ex.now_ms)
        ex.slot_settled(slot)

    ex.fence(create, answered)


def _stand_in_line(ex: Execution, cmd: c.Call, create: PromiseCreate) -> None:
    """Put a queued child in line, once, right after it is made. Until then this execution does not end."""

    def stands(_value: Any, _error: BaseException | None) -> None:
        ex.choices_open -= 1

    ex.choices_open += 1
    told_once(ex, f"{cmd.position}.queue", "enqueue", ("enqueue", (create,)), stands)


def _created(ex: Execution, slot: Slot, record: PromiseRecord) -> None:
    if slot.kind != "latent" or slot.id.startswith(f"{ex.base}."):
        check_fingerprint(ex, slot, record)  # a promise of somebody else carries the name of what it is there
    ex.settle_slot(slot, record)


def _latent(ex: Execution, branch: Branch, cmd: c.Latent) -> Action | None:
    slot, is_new = _claim(ex, cmd, "latent", LATENT_NAME)
    if is_new:
        slot.close = "abandon"
        slot.hint = cmd.opts.result_type or Any
        tags = {TAG_EXTERNAL: "true", TAG_SCOPE: "global", **cmd.opts.tags}
        if cmd.opts.id is None:
            tags |= {TAG_ORIGIN: ex.origin, TAG_BRANCH: ex.base, TAG_PARENT: branch.context.base}
        param = ex.env.codec.encode_value(cmd.data)
        _create(ex, slot, PromiseCreate(slot.promise_id, _deadline(ex, cmd.opts.timeout), param, tags))
    return ("send", Promise(slot))


def _timer(ex: Execution, id: str, seconds: float) -> Slot:
    slot = ex.slots.get(id)
    if slot is None:
        slot = ex.slots[id] = Slot(id, "timer", TIMER_NAME)
        slot.close = "abandon"
        tags = {TAG_TIMER: "true", TAG_SCOPE: "global", TAG_ORIGIN: ex.origin, TAG_BRANCH: ex.base, TAG_PARENT: ex.base}
        due = min(ex.env.now_ms() + int(seconds * 1000), INSTANT_MAX_MS)
        _create(ex, slot, PromiseCreate(id, due, tags=tags))
    return slot


def _sleep(ex: Execution, branch: Branch, cmd: c.Sleep) -> Action | None:
    slot = _timer(ex, cmd.id, cmd.seconds)
    return ("send", Promise(slot)) if cmd.begin else _wait_for(ex, branch, slot)


# -- several at once -------------------------------------------------------------------------------------------------


def _slots_of(ex: Execution, promises: list[Any], what: str) -> list[Slot]:
    for promise in promises:
        if not isinstance(promise, Promise):
            raise UsageError(
                f"{what} takes promises, got {promise!r:.80}; begin the work first: yield ctx.begin_run(...)"
            )
        if ex.slots.get(slot_of(promise).id) is not slot_of(promise):
            raise UsageError(f"{what}: promise {promise.id} belongs to another execution than {ex.id}")
    return [slot_of(promise) for promise in promises]


def _select(ex: Execution, branch: Branch, cmd: c.Select) -> Action | None:
    slots = _slots_of(ex, cmd.promises, "select")
    if not slots:
        raise UsageError("select needs at least one promise")
    ex.block(WaitAny(branch, slots))
    return None


def _gather(ex: Execution, branch: Branch, cmd: c.Gather) -> Action | None:
    if not cmd.items:
        return ("send", [])
    limit: Any = cmd.limit
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UsageError(f"gather limit must be a whole number from 1, got {limit!r}")
    _GatherRun(ex, branch, cmd).start(limit or len(cmd.items))
    return None


class _GatherRun:
    """Begins the parts of a gather, at most ``limit`` at a time; what settles makes room for the next, as an event."""

    def __init__(self, ex: Execution, branch: Branch, cmd: c.Gather) -> None:
        self._ex = ex
        self._branch = branch
        self._key = f"g:{cmd.id}"
        self._items = cmd.items
        self._next = 0
        self._wait = WaitAll(branch, self._key, return_exceptions=cmd.return_exceptions, begin_next=self._begin_next)

    def start(self, limit: int) -> None:
        self._wait.open_count = len(self._items)
        self._wait.room = max(0, len(self._items) - limit)
        self._ex.block(self._wait)
        for _ in range(min(limit, len(self._items))):
            self._begin_next()

    def _begin_next(self) -> None:
        slot = self._begin(self._items[self._next])
        self._next += 1
        self._wait.begun.append(slot)
        slot.observe(self._settled)

    def _begin(self, item: Any) -> Slot:
        if isinstance(item, Promise):
            return _slots_of(self._ex, [item], "gather")[0]
        if isinstance(item, (c.Call, c.Latent, c.Sleep)):
            if isinstance(item, (c.Call, c.Sleep)):
                item.begin = True
            action = carry_out(self._ex, self._branch, item)
            if action is not None and action[0] == "send":
                return slot_of(action[1])
            error = action[1] if action else None
        else:
            error = UsageError(f"gather takes commands and promises, got {item!r:.80}")
        failed = Slot(f"{self._key}.{self._next}", "step", "gather")
        failed.settle(None, error, self._ex.now_ms)
        return failed

    def _settled(self, slot: Slot) -> None:
        self._wait.settled(slot)
        if self._wait.offer(with_failures=True) is not None:
            self._ex.make_available(self._key)


# -- messages --------------------------------------------------------------------------------------------------------


def _wait_until(ex: Execution, branch: Branch, cmd: c.WaitUntil) -> Action | None:
    try:
        is_true = bool(cmd.predicate())
    except BaseException as error:  # noqa: BLE001 - the predicate is user code
        return ("throw", error)
    if is_true:
        return ("send", None)
    timer = None if cmd.timeout is None else _timer(ex, cmd.id, cmd.timeout)
    ex.block(WaitPredicate(branch, cmd.predicate, timer))
    return None


def _receive(ex: Execution, branch: Branch, cmd: c.Receive) -> Action | None:
    timer = None if cmd.timeout is None else _timer(ex, cmd.id, cmd.timeout)
    ex.block(WaitMessage(branch, f"r:{cmd.id}", cmd.topic, timer))
    return None


def _drain(ex: Execution, branch: Branch, cmd: c.Drain) -> Action | None:
    wait = WaitDrain(branch, f"d:{cmd.id}", ex.inbox.next_slot)
    ex.block(wait)
    known = ex.take_record(cmd.id)
    if known is not None:
        wait.start, bound = ex.env.codec.decode_value(known.value)
        ex.drain_bound(wait, bound)
        return None
    ex.answers_open += 1
    wait.start = ex.drained_to

    def found(bound: Any, error: BaseException | None) -> None:
        ex.answers_open -= 1
        if error is not None:
            ex.wake(wait, ("throw", error))
            return
        record_outcome(ex, cmd.id, "drain", [wait.start, bound])
        ex.drained_to = bound
        ex.drain_bound(wait, bound)

    ex.effects.asks.append(Ask("drain", (ex.inbox.next_slot,), found))
    return None


def _answered(ex: Execution, branch: Branch, id: str, name: str, ask: tuple[str, tuple[Any, ...]]) -> None:
    """Block on an operation outside whose outcome is recorded once and then replayed."""
    key = f"a:{id}"
    ex.block(WaitAnswer(branch, key))
    told_once(ex, id, name, ask, lambda value, error: ex.make_available(key, (value, error)))


def _post(ex: Execution, branch: Branch, cmd: c.Post) -> Action | None:
    destination = cmd.destination
    if isinstance(destination, Promise):
        destination = destination.id
    if not isinstance(destination, str):
        raise UsageError(f"a message goes to an execution's id or promise, got {destination!r:.80}")
    message = {**cmd.message, "id": f"{cmd.id}"}
    _answered(ex, branch, cmd.id, cmd.message["kind"], ("post", (destination, message)))
    return None


def _cancel(ex: Execution, branch: Branch, cmd: c.Post) -> Action | None:
    target = cmd.destination
    if isinstance(target, Promise):
        slot = slot_of(target)
        if slot.kind != "remote":
            cancel_slot(ex, slot, "cancelled by ctx.cancel")
            return ("send", None)
    return _post(ex, branch, cmd)


def _set_event(ex: Execution, _branch: Branch, cmd: c.SetEvent) -> Action | None:
    number = ex.event_counts.get(cmd.key, 0)
    ex.event_counts[cmd.key] = number + 1
    slot = Slot(event_id(ex.id, cmd.key, number), "step", "event")
    if ex.take_record(slot.id) is None:
        value = ex.env.codec.encode_value(cmd.value)
        create = ex.local_create(slot, ex.record.timeout_at, {TAG_EXTERNAL: "true"})
        ex.write(Write(FenceSettled(ex.id, ex.version, create, "resolved", value)))
        ex.effects.is_urgent = True
    return ("send", None)


def _get_event(ex: Execution, branch: Branch, cmd: c.GetEvent) -> Action | None:
    _answered(ex, branch, cmd.id, "get_event", ("event", (cmd.source, cmd.key, cmd.timeout)))
    return None


# -- ending ----------------------------------------------------------------------------------------------------------


def _continue(ex: Execution, _branch: Branch, cmd: c.Continue) -> Action | None:
    ex.env.check_arguments(ex.function, cmd.args, cmd.kwargs)
    return ("throw", ContinueAsNew(cmd.args, cmd.kwargs))


def cancel_slot(ex: Execution, slot: Slot, reason: str, *, terminate: bool = False) -> None:
    """Cancel what stands behind a promise: a branch, a running step, or a remote execution by message.

    What is cancelled settles by its record: its end may have come first, and replay would see that.
    """
    if slot.is_settled or slot.stop_reason is not None:
        return
    if slot.kind == "branch":
        cancel_branch(ex, slot.branch, reason)
    elif slot.kind == "step":
        slot.stop_reason = reason
        ex.effects.stops.append(slot)
        ex.effects.is_urgent = True
    elif not slot.promise_id:
        slot.stop_reason = reason  # as soon as it is known which promise it is
    elif slot.kind == "remote" and not terminate:
        message = {"kind": "cancel", "args": [reason], "id": f"{slot.promise_id}.cancel"}
        ex.effects.asks.append(Ask("post", (slot.promise_id, message), lambda _value, _error: None))
    else:
        slot.stop_reason = reason
        state: SettledState = "resolved" if slot.kind == "timer" else "rejected_canceled"
        value = EMPTY if slot.kind == "timer" else ex.env.codec.encode_error(CanceledError(reason))
        ex.write(Write(PromiseSettle(slot.promise_id, state, value), lambda answer: ex.stopped(slot, answer)))
        ex.effects.is_urgent = True
        ex.answers_open += 1


def cancel_branch(ex: Execution, branch: Branch, reason: str) -> None:
    """Cancel a branch at its yield: what it waits for first, as asyncio does; then itself."""
    branch.cancel_reason = reason
    wait = branch.wait
    if wait is None or not branch.must_cancel:
        return
    branch.cancel_reason = None
    inner = [slot for slot in wait.slots() if slot.kind != "timer"]
    ex.wake(wait, ("throw", Cancelled(reason)))
    for slot in inner:
        cancel_slot(ex, slot, reason)


_TABLE: dict[type, Any] = {
    c.Call: _remote,
    c.Latent: _latent,
    c.Sleep: _sleep,
    c.Select: _select,
    c.Gather: _gather,
    c.WaitUntil: _wait_until,
    c.Drain: _drain,
    c.Receive: _receive,
    c.Post: _post,
    c.Cancellation: _cancel,
    **driving.COMMANDS,
    c.SetEvent: _set_event,
    c.GetEvent: _get_event,
    c.Continue: _continue,
}
