"""Starting, finding, listing and scheduling executions, as futures: the common ground of blocking and async callers."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resonate_core.client.describe import Description, list_operation
from resonate_core.client.function import Function
from resonate_core.client.handle import Handle
from resonate_core.client.messages import Messages
from resonate_core.client.operations import Operation, checked, finish
from resonate_core.client.starting import Start, find_operation, start_operation
from resonate_core.client.tree import Node, tree_operation
from resonate_core.clock import new_id
from resonate_core.errors import AlreadyStartedError, ExecutionClosedError, NotRegisteredError, UsageError
from resonate_core.ids import check_id, logical_id
from resonate_core.limits import DEFAULT_TIMEOUT_S, KEEPER_TIMEOUT_S
from resonate_core.marks import durable_mark
from resonate_core.options import UNSET, CallOptions
from resonate_core.protocol.records import TAG_SCOPE, TAG_TARGET
from resonate_core.protocol.requests import ScheduleCreate
from resonate_core.queues.line import place_of, stand_in_line
from resonate_core.recurring import SCHEDULE_FUNCTION, Cron
from resonate_core.registry import Registered, describe, return_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.client.engine import Engine
    from resonate_core.scheduler.environment import Environment


class Calls:
    """One client's way to start things, with the options of its view."""

    def __init__(self, engine: Engine, options: CallOptions) -> None:
        self._engine = engine
        self._options = options

    def begin(
        self,
        id: str,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        here: bool,
    ) -> Future[Handle[Any]]:
        """Start a function.

        Raises:
            UsageError: a bad id, arguments that do not fit, something that is no function.
            NotRegisteredError: it shall run here and is not registered here.
            EncodeError: an argument has no stored form.
        """
        engine, env = self._engine, self._engine.env
        check_id(id)
        _check_no_generation(id)
        function = function.func if isinstance(function, Function) else function
        name, version, thing = env.target_of(function, self._options.version)
        registered = env.registry.find(name, version) or _as_registered(function)
        if here and env.registry.find(name, version) is None:
            raise NotRegisteredError(
                f"{name!r} is not registered in this process, so it cannot run here; "
                f"call register({name}) first, or start it elsewhere with rpc"
            )
        if registered is not None:
            env.check_arguments(registered, args, kwargs)
        opts = self._effective(registered)
        start = Start(
            id=id,
            name=name,
            param=env.invocation(name, args, kwargs, version, opts),
            target=env.address(opts.target),
            opts=opts,
            here=(engine.network.pid, engine.settings.ttl_ms) if here else None,
        )
        hint = Any if thing is None else return_hint(thing)
        begun = engine.drive(self._begin(start, hint))
        return begun if opts.queue is None else self._in_line(begun, start)

    def signal_with_start(
        self, id: str, message: dict[str, Any], function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Handle[Any]]:
        """Send a message to an execution that runs, or start one with it.

        Raises:
            UsageError: as ``begin``.
        """
        done = Future[Handle[Any]]()
        opts = self._options.merged({"if_exists": "restart_closed"})
        starts = Calls(self._engine, replace(opts, opening={**message, "id": new_id()}))
        posts = Messages(self._engine)

        def attempt() -> None:
            starts.begin(id, function, args, kwargs, here=False).add_done_callback(begun)

        def begun(future: Future[Handle[Any]]) -> None:
            if isinstance(future.exception(), AlreadyStartedError):
                posts.post(id, message).add_done_callback(posted)
            else:
                _pass_on(future, done)

        def posted(future: Future[None]) -> None:
            if isinstance(future.exception(), ExecutionClosedError):
                attempt()  # it has ended in between, so it is started after all
            elif future.exception() is not None:
                finish(done, None, future.exception())
            else:
                self.get(id).add_done_callback(lambda found: _pass_on(found, done))

        attempt()
        return done

    def _in_line(self, begun: Future[Handle[Any]], start: Start) -> Future[Handle[Any]]:
        """Put an execution in line after it has begun. A failure of that loses nothing: it asks for its turn itself."""
        engine, done = self._engine, Future[Handle[Any]]()
        place = place_of(engine.env, start.param)

        def has_begun(future: Future[Handle[Any]]) -> None:
            error = future.exception()
            if error is not None or place is None:
                finish(done, None if error else future.result(), error)
                return
            handle = future.result()
            stand_in_line(
                engine.submit, engine.env, handle.promise_id, place, start.target, lambda *_: finish(done, handle, None)
            )

        begun.add_done_callback(has_begun)
        return done

    def _begin(self, start: Start, hint: Any) -> Operation[Handle[Any]]:
        engine = self._engine
        started = yield from start_operation(engine.env, start)
        held = started.held
        if held is not None and held.task is not None:
            version, preload = held.task.version, list(held.preload)
            engine.worker.post(lambda: engine.worker.take(started.record, version, preload))
        return Handle(engine, start.id, started.record.id, hint=hint, name=start.name)

    def _effective(self, registered: Registered | None) -> CallOptions:
        """Return this view's options over those of the mark."""
        marked = registered.options if registered is not None else {}
        own = self._options
        fresh = CallOptions()
        changes = {
            name: value for name, value in marked.items() if getattr(own, name, UNSET) == getattr(fresh, name, UNSET)
        }
        return own.merged({**changes, "tags": {**marked.get("tags", {}), **own.tags}}) if changes else own

    def get(self, id: str) -> Future[Handle[Any]]:
        """Find an execution or promise.

        Raises:
            NotFoundError: there is none of this id.
        """
        return self._engine.drive(self._get(check_id(id)))

    def _get(self, id: str) -> Operation[Handle[Any]]:
        engine = self._engine
        record = yield from find_operation(id)
        name = engine.env.recorded_name(record) if TAG_TARGET in record.tags else None
        registered = None if name is None else engine.registry.find(name)
        hint = Any if registered is None else return_hint(registered.callable)
        return Handle(engine, logical_id(record.id), record.id, hint=hint, name=name or "")

    def list(self, state: str | None, tags: Mapping[str, str], limit: int | None) -> Future[list[Description]]:
        """List executions."""
        return self._engine.drive(list_operation(self._engine.env, state=state, tags=tags, limit=limit))

    def _recurring(self, id: str, cron: Cron, call: dict[str, Any]) -> Future[None]:
        """Start the execution that keeps a schedule; the same again changes nothing."""
        env, opts = self._engine.env, self._options
        call |= {"target": opts.target, "timeout": opts.timeout}
        keeper_opts = CallOptions(timeout=KEEPER_TIMEOUT_S)
        start = Start(
            id=check_id(f"schedule/{id}"),
            name=SCHEDULE_FUNCTION,
            param=env.invocation(SCHEDULE_FUNCTION, (id, cron.spec(), call), {}, 1, keeper_opts),
            target=env.address(opts.target),
            opts=keeper_opts,
        )
        return self._engine.drive(_same_schedule(env, start))

    def tree(self, id: str) -> Future[Node]:
        """Read the tree of an execution."""
        return self._engine.drive(tree_operation(self._engine.env, check_id(id)))

    def schedule(
        self,
        id: str,
        cron: str | Cron,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Future[None]:
        """Create a schedule that starts a function; the same id again changes nothing."""
        env = self._engine.env
        function = function.func if isinstance(function, Function) else function
        name, version, _ = env.target_of(function, self._options.version)
        opts = self._options
        if isinstance(cron, Cron):
            call = {"function": name, "version": version, "args": list(args), "kwargs": kwargs}
            return self._recurring(id, cron, call)
        param = env.invocation(name, args, kwargs, version, opts)
        seconds = DEFAULT_TIMEOUT_S if opts.timeout is None else opts.timeout
        tags = {**opts.tags, TAG_TARGET: env.address(opts.target), TAG_SCOPE: "global"}
        request = ScheduleCreate(check_id(id), cron, f"{id}.{{{{.timestamp}}}}", int(seconds * 1000), param, tags)
        return self._engine.drive(_schedule(request))


def _pass_on(future: Future[Handle[Any]], done: Future[Handle[Any]]) -> None:
    error = future.exception()
    finish(done, None if error is not None else future.result(), error)


def _same_schedule(env: Environment, start: Start) -> Operation[None]:
    started = yield from start_operation(env, start)
    if started.record.param != start.param:
        name = start.id.partition("/")[2]
        raise UsageError(f"schedule {name!r} exists and says something else; delete it first: schedules.delete(...)")


def _schedule(request: ScheduleCreate) -> Operation[None]:
    checked((yield [request])[0], "schedule.create", request.id)


def _check_no_generation(id: str) -> None:
    if logical_id(id) != id:
        raise UsageError(
            f"id {id!r} ends like a generation (~ and a number), which the runtime makes itself; choose another"
        )


def _as_registered(function: Any) -> Registered | None:
    """Describe a function that is not registered here, to check a call of it."""
    if isinstance(function, str) or not callable(function):
        return None
    try:
        return describe(function) if durable_mark(function) is not None or not isinstance(function, type) else None
    except UsageError:
        return None
