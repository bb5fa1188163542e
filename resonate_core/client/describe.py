"""What a store knows about executions: one of them, a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resonate_core.client.operations import Operation, checked
from resonate_core.ids import logical_id
from resonate_core.protocol.records import TAG_TARGET, PromiseState
from resonate_core.protocol.requests import PromiseSearch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.scheduler.environment import Environment

_PAGE = 1000


@dataclass(frozen=True)
class Description:
    """One execution as the store has it; times are seconds since the epoch.

    Attributes:
        id: id as its starter chose it.
        promise_id: durable promise of this generation.
        function: registered name, None for a promise without a function.
        state: ``pending``, or how it was settled.
    """

    id: str
    promise_id: str
    function: str | None
    state: PromiseState
    tags: Mapping[str, str]
    created_at: float
    settled_at: float | None
    timeout_at: float


def described(env: Environment, record: PromiseRecord) -> Description:
    """Return a record in the words of a user."""
    return Description(
        id=logical_id(record.id),
        promise_id=record.id,
        function=env.recorded_name(record) if TAG_TARGET in record.tags else None,
        state=record.state,
        tags=record.tags,
        created_at=record.created_at / 1000,
        settled_at=None if record.settled_at is None else record.settled_at / 1000,
        timeout_at=record.timeout_at / 1000,
    )


def list_operation(
    env: Environment, *, state: str | None, tags: Mapping[str, str], limit: int | None
) -> Operation[list[Description]]:
    """List executions, roots and remote children, by id.

    Raises:
        ProtocolError: the server cannot search.
    """
    found: list[Description] = []
    cursor: str | None = None
    while True:
        request = PromiseSearch(state=state, tags=dict(tags), limit=_PAGE, cursor=cursor)
        response: Any = checked((yield [request])[0], "promise.search", "")
        found.extend(described(env, record) for record in response.promises if TAG_TARGET in record.tags)
        cursor = response.cursor
        if cursor is None or (limit is not None and len(found) >= limit):
            return found if limit is None else found[:limit]
