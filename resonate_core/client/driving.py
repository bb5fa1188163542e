"""What the host of drivers needs of a ``Resonate`` beyond its everyday calls; see ``resonate_core.driver``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.client.messages import Messages
from resonate_core.client.operations import Operation, checked
from resonate_core.client.replay import replay_operation
from resonate_core.client.starting import newest_operation
from resonate_core.clock import new_id
from resonate_core.errors import CanceledError, NotFoundError, TimedOutError
from resonate_core.ids import event_id, logical_id, run_id
from resonate_core.network.local import LocalNetwork
from resonate_core.network.open import open_network
from resonate_core.protocol.requests import PromiseGet, PromiseSearch, PromiseSettle
from resonate_core.registry import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from resonate_core.client.resonate import Resonate
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.scheduler.environment import Environment
    from resonate_core.scheduler.execution import Execution

_PAGE = 1000


class DriverHost:
    """One ``Resonate`` as the host of drivers sees it. Futures are ``concurrent.futures``; nothing blocks.

    Args:
        resonate: the client, or worker, to look behind.
    """

    def __init__(self, resonate: Resonate) -> None:
        self.resonate = resonate
        self._engine = resonate._engine  # noqa: SLF001 - two faces of one object

    def sibling(self, *, group: str, **settings: Any) -> Resonate:
        """Return another ``Resonate`` on the same store, ``memory:`` included, as a member of another group."""
        mine = self._engine.settings
        shared = {"encryptor": mine.encryptor, "synchronous": mine.synchronous, "ttl": mine.ttl_ms / 1000}
        settings = {**shared, **settings}
        network = self._engine.network
        if mine.url == "memory:" and isinstance(network, LocalNetwork):
            own = open_network("memory:", group=group, clock=mine.clock, shared=network.server)
            return type(self.resonate)(network=own, group=group, clock=mine.clock, **settings)
        return type(self.resonate)(mine.url, group=group, **settings)

    def register_fallback(self, function: Callable[..., Any]) -> None:
        """Run a function for every name that nobody registered; ``ctx.info.function`` says which was called."""
        self._engine.registry.fallback = describe(function)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happens here until time passes or somebody outside does something."""
        return not self._engine.is_open or self._engine.worker.is_quiet

    def next_due_ms(self) -> int | None:
        """Return the instant at which something happens here by itself, None if nothing will; for virtual time."""
        if not self._engine.is_open:
            return None
        network = self._engine.network
        server = network.server.next_due_ms() if isinstance(network, LocalNetwork) else None
        found = [due for due in (server, self._engine.worker.peek_due_ms()) if due is not None]
        return min(found, default=None)

    @property
    def url(self) -> str:
        """Where everything is kept."""
        return self._engine.settings.url

    def now_ms(self) -> int:
        """Return the time of the store's clock, milliseconds since the epoch."""
        return self._engine.env.now_ms()

    # -- promises ------------------------------------------------------------------------------------------------

    def post(self, id: str, message: Mapping[str, Any]) -> Future[None]:
        """Put a message into the inbox of the newest generation of an execution; the same ``id`` twice is one."""
        plain = dict(message)
        return Messages(self._engine).post(id, plain, plain.pop("id", None) or new_id())

    def newest(self, id: str) -> Future[PromiseRecord | None]:
        """Return the record of the newest generation of an id, None if there is none."""
        return self._engine.drive(_newest(id))

    def get(self, promise_id: str) -> Future[PromiseRecord | None]:
        """Return one record, None if there is none."""
        return self._engine.drive(_get(promise_id))

    def runs(self, promise_id: str) -> Future[int]:
        """Return how often an execution has continued as new."""
        return self._engine.drive(_runs(promise_id))

    def run_promise(self, promise_id: str, run: int) -> str:
        """Return the id of the promise that begins a run after the first; its execution has ended the run before."""
        return run_id(promise_id, run)

    def event(self, promise_id: str, key: str) -> Future[Any]:
        """Return the newest value that an execution has published under a key, None if there is none yet."""
        return self._engine.drive(_event(self._engine.env, promise_id, key))

    def event_promise(self, promise_id: str, key: str, number: int) -> str:
        """Return the id of the promise of an execution's N-th event under a key; the first is number 0."""
        return event_id(promise_id, key, number)

    def settled(self, promise_id: str) -> Future[PromiseRecord]:
        """Return a future for the settled record of a promise, which need not exist yet."""
        return self._engine.settled(promise_id)

    def search(self, *, state: str | None = None, tags: Mapping[str, str]) -> Future[list[PromiseRecord]]:
        """Return records by state and tags."""
        return self._engine.drive(_search(state, dict(tags)))

    def settle(
        self, promise_id: str, *, value: Any = None, error: BaseException | None = None, canceled: bool = False
    ) -> Future[PromiseRecord]:
        """Settle a promise; one that is settled already stays as it is and is returned."""
        codec = self._engine.env.codec
        encoded = codec.encode_value(value) if error is None else codec.encode_error(error)
        state = "rejected_canceled" if canceled else "resolved" if error is None else "rejected"
        return self._engine.drive(_settle(PromiseSettle(promise_id, state, encoded)))  # type: ignore[arg-type]

    def replayed(self, record: PromiseRecord, run: int | None = None) -> Future[Execution]:
        """Return an execution in memory, as far as its records go; its ``version`` is 0, and it writes nothing.

        Args:
            record: of the execution.
            run: which of its runs, the newest by default.
        """
        call = self._engine.env.codec.decode_invocation(record.param)
        function = self._engine.registry.get(call.func, call.version)
        return self._engine.drive_apart(replay_operation(self._engine.env, record, function, run))

    def outcome(self, record: PromiseRecord) -> tuple[Any, BaseException | None]:
        """Return (value, error) of a settled record."""
        codec = self._engine.env.codec
        if record.state == "resolved":
            return codec.decode_value(record.value), None
        if record.state == "rejected_timedout":
            return None, TimedOutError(f"{record.id} was not finished before its deadline")
        if record.value.data is None:
            return None, CanceledError(f"{record.id} was canceled")
        return None, codec.decode_error(record.value)

    def function_name(self, record: PromiseRecord) -> str | None:
        """Return the name of the function behind a record."""
        return self._engine.env.recorded_name(record)

    def arguments(self, record: PromiseRecord) -> tuple[Any, ...]:
        """Return the positional arguments of the call behind a record."""
        return self.call(record)[0]

    def call(self, record: PromiseRecord) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        """Return the call behind a record: arguments, named arguments, and the options that travelled with it.

        Raises:
            DecodeError: there is none, or this process cannot read it.
        """
        found = self._engine.env.codec.decode_invocation(record.param)
        return found.args, found.kwargs, found.extra

    def id_of(self, record: PromiseRecord) -> str:
        """Return the id as the starter of an execution chose it, of whatever generation the record is."""
        return logical_id(record.id)


def _get(promise_id: str) -> Operation[PromiseRecord | None]:
    response = (yield [PromiseGet(promise_id)])[0]
    if response.status == 404:
        return None
    return checked(response, "promise.get", promise_id).promise


def _newest(id: str) -> Operation[PromiseRecord | None]:
    record = yield from _get(id)
    return None if record is None else (yield from newest_operation(id, record))


def _runs(promise_id: str) -> Operation[int]:
    number, _ = yield from _last(lambda run: run_id(promise_id, run), 0)
    return number


def _event(env: Environment, promise_id: str, key: str) -> Operation[Any]:
    _, record = yield from _last(lambda number: event_id(promise_id, key, number), -1)
    return None if record is None else env.codec.decode_value(record.value)


def _last(name: Callable[[int], str], known: int) -> Operation[tuple[int, PromiseRecord | None]]:
    """Return the highest number whose promise is there, and that; numbers have no holes: double, then halve."""
    newest, step = None, 1
    while (record := (yield from _get(name(known + step)))) is not None:
        newest, known, step = record, known + step, step * 2
    missing = known + step
    while missing - known > 1:
        middle = (known + missing) // 2
        record = yield from _get(name(middle))
        if record is None:
            missing = middle
        else:
            newest, known = record, middle
    return known, newest


def _settle(request: PromiseSettle) -> Operation[PromiseRecord]:
    response = (yield [request])[0]
    if response.status == 404:
        raise NotFoundError(f"there is no promise {request.id!r}", kind="promise.settle", id=request.id, status=404)
    found = checked(response, "promise.settle", request.id).promise
    if found is None:
        raise AssertionError("an answer to promise.settle carries the promise")
    return found


def _search(state: str | None, tags: dict[str, str]) -> Operation[list[PromiseRecord]]:
    found: list[PromiseRecord] = []
    cursor: str | None = None
    while True:
        response = checked((yield [PromiseSearch(state, tags, _PAGE, cursor)])[0], "promise.search", "")
        found.extend(response.promises)
        cursor = response.cursor
        if cursor is None:
            return found
