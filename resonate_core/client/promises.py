"""``resonate.promises``: durable promises as such, with the generator SDK's names and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from resonate_core.client.operations import Operation, checked
from resonate_core.codec.plain import to_wire
from resonate_core.errors import NotFoundError, UsageError
from resonate_core.ids import check_id
from resonate_core.protocol.records import TAG_EXTERNAL, TAG_SCOPE, PromiseRecord, SettledState, Value
from resonate_core.protocol.requests import PromiseCreate, PromiseGet, PromiseSearch, PromiseSettle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from resonate_core.client.engine import Engine

T = TypeVar("T")
_PAGE = 1000


class Promises:
    """Promises by id. ``data`` is JSON text, as in the SDK: ``data=json.dumps(value)``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, id: str) -> PromiseRecord:
        """Return a promise.

        Raises:
            NotFoundError: there is none of this id.
        """
        return self._wait(self.futures.get(id))

    def create(
        self,
        id: str,
        timeout: int,
        *,
        ikey: str | None = None,
        strict: bool = False,
        headers: dict[str, str] | None = None,
        data: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> PromiseRecord:
        """Create a promise, or return the one that is there; ``timeout`` is an instant in epoch milliseconds."""
        return self._wait(self.futures.create(id, timeout, headers, data, tags))

    def resolve(
        self,
        id: str,
        *,
        ikey: str | None = None,
        strict: bool = False,
        headers: dict[str, str] | None = None,
        data: str | None = None,
    ) -> PromiseRecord:
        """Resolve a promise; one that is settled already stays as it is and is returned: look at its ``state``."""
        return self._wait(self.futures.settle(id, "resolved", headers, data))

    def reject(
        self,
        id: str,
        *,
        ikey: str | None = None,
        strict: bool = False,
        headers: dict[str, str] | None = None,
        data: str | None = None,
    ) -> PromiseRecord:
        """Reject a promise; one that is settled already stays as it is and is returned."""
        return self._wait(self.futures.settle(id, "rejected", headers, data))

    def cancel(
        self,
        id: str,
        *,
        ikey: str | None = None,
        strict: bool = False,
        headers: dict[str, str] | None = None,
        data: str | None = None,
    ) -> PromiseRecord:
        """Settle a promise as canceled; one that is settled already stays as it is and is returned."""
        return self._wait(self.futures.settle(id, "rejected_canceled", headers, data))

    def search(
        self, *, state: str | None = None, tags: Mapping[str, str] | None = None, limit: int | None = None
    ) -> list[PromiseRecord]:
        """Return promises by state and tags, ordered by id."""
        return self._wait(self.futures.search(state, tags, limit))

    @property
    def futures(self) -> PromiseFutures:
        """The same, as futures."""
        return PromiseFutures(self._engine)

    def _wait(self, future: Future[T]) -> T:
        return self._engine.wait(future)


class PromiseFutures:
    """The requests behind ``Promises``, as futures."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, id: str) -> Future[PromiseRecord]:
        """Get one."""
        return self._engine.drive(_one("promise.get", check_id(id), PromiseGet(id)))

    def create(
        self,
        id: str,
        timeout: Any,
        headers: Any = None,
        data: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Future[PromiseRecord]:
        """Create one."""
        if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 0:
            raise UsageError(
                f"timeout of promise {id!r} must be an instant in milliseconds since the epoch, got {timeout!r}"
            )
        own = {TAG_SCOPE: "global", TAG_EXTERNAL: "true", **(tags or {})}
        request = PromiseCreate(check_id(id), timeout, self._value(headers, data), own)
        return self._engine.drive(_one("promise.create", id, request))

    def settle(
        self,
        id: str,
        state: SettledState,
        headers: Any = None,
        data: str | None = None,
    ) -> Future[PromiseRecord]:
        """Settle one."""
        return self._engine.drive(
            _one("promise.settle", id, PromiseSettle(check_id(id), state, self._value(headers, data)))
        )

    def search(
        self, state: str | None, tags: Mapping[str, str] | None, limit: int | None
    ) -> Future[list[PromiseRecord]]:
        """Search."""
        return self._engine.drive(_search(state, dict(tags or {}), limit))

    def _value(self, headers: dict[str, str] | None, data: str | None) -> Value:
        """Return the stored form of JSON text."""
        if data is None:
            return Value(headers) if headers else Value()
        if not isinstance(data, str):
            raise UsageError(f"data must be JSON text, got {type(data).__name__}; write data=json.dumps(...)")
        try:
            plain = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise UsageError(
                f"data must be JSON text, got {data[:60]!r} ({error}); write data=json.dumps(...)"
            ) from None
        if self._engine.settings.encryptor is not None:
            sealed = self._engine.env.codec.encode_value(plain)
            return msgspec.structs.replace(sealed, headers={**(sealed.headers or {}), **(headers or {})} or None)
        return Value(headers, to_wire(data.encode()))


def _one(what: str, id: str, request: Any) -> Operation[PromiseRecord]:
    response = (yield [request])[0]
    if response.status == 404:
        raise NotFoundError(f"there is no promise {id!r} in this store", kind=what, id=id, status=404)
    found = checked(response, what, id).promise
    if found is None:
        raise AssertionError(f"an answer to {what} carries the promise")
    return found


def _search(state: str | None, tags: dict[str, str], limit: int | None) -> Operation[list[PromiseRecord]]:
    found: list[PromiseRecord] = []
    cursor: str | None = None
    while True:
        response = checked((yield [PromiseSearch(state, tags, _PAGE, cursor)])[0], "promise.search", "")
        found.extend(response.promises)
        cursor = response.cursor
        if cursor is None or (limit is not None and len(found) >= limit):
            return found if limit is None else found[:limit]
