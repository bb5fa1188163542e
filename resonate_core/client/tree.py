"""The tree of an execution: what it has called, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resonate_core.client.operations import Operation, checked
from resonate_core.client.starting import find_operation
from resonate_core.ids import BEAT, inbox_id, order_id
from resonate_core.protocol.records import TAG_ORIGIN, PromiseRecord
from resonate_core.protocol.requests import PromiseSearch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resonate_core.scheduler.environment import Environment

_PAGE = 1000
_AFTER_NUMBERS = 2**62


@dataclass
class Node:
    """One promise in a tree.

    Attributes:
        id: promise id.
        name: what made it: a function's name, ``sleep``, ``promise``; None where the record does not say.
        state: as stored.
        created_at: seconds since the epoch.
        settled_at: seconds since the epoch, None while pending.
        children: in the order in which they were made.
    """

    id: str
    name: str | None
    state: str
    created_at: float
    settled_at: float | None
    children: list[Node] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Give (depth, node) from the top."""
        stack = [(depth, self)]
        while stack:
            level, node = stack.pop()
            yield level, node
            stack.extend((level + 1, child) for child in reversed(node.children))


def tree_operation(env: Environment, id: str) -> Operation[Node]:
    """Read the tree of the newest generation of an id. Messages and bookkeeping are left out.

    Raises:
        NotFoundError: there is no such execution.
    """
    root = yield from find_operation(id)
    origin = root.tags.get(TAG_ORIGIN, root.id)
    nodes = {root.id: _node(env, root)}
    for record in (yield from _lineage(origin)):
        if record.id != root.id and record.id.startswith(f"{root.id}.") and not _is_bookkeeping(record.id):
            nodes[record.id] = _node(env, record)
    for node_id in sorted((key for key in nodes if key != root.id), key=_position):
        nodes[_parent(node_id, nodes, root.id)].children.append(nodes[node_id])
    return nodes[root.id]


def _lineage(origin: str) -> Operation[list[PromiseRecord]]:
    found: list[PromiseRecord] = []
    cursor: str | None = None
    while True:
        request = PromiseSearch(tags={TAG_ORIGIN: origin}, limit=_PAGE, cursor=cursor)
        response = checked((yield [request])[0], "promise.search", origin)
        found.extend(response.promises)
        cursor = response.cursor
        if cursor is None:
            return found


def _node(env: Environment, record: PromiseRecord) -> Node:
    settled = None if record.settled_at is None else record.settled_at / 1000
    return Node(record.id, env.recorded_name(record), record.state, record.created_at / 1000, settled)


def _is_bookkeeping(promise_id: str) -> bool:
    """Whether a promise is an order record, a slot of an inbox, a heartbeat or the arguments of a run."""
    head, _, tail = promise_id.rpartition(".")
    owner = head.rpartition(".")[0]
    if BEAT in promise_id:
        return True
    is_numbered = tail.isdigit() and promise_id in (order_id(owner, int(tail)), inbox_id(owner, int(tail)))
    return is_numbered or (tail.isdigit() and head.endswith(".run"))


def _parent(promise_id: str, nodes: dict[str, Node], root: str) -> str:
    """Return the nearest ancestor by position that is shown."""
    head = promise_id.rpartition(".")[0]
    while head and head not in nodes:
        head = head.rpartition(".")[0]
    return head or root


def _position(promise_id: str) -> list[tuple[int, str]]:
    """Sort numbers as numbers, and before words: ``w.2``, ``w.10``, ``w.run.1.1``."""
    return [(int(part), "") if part.isdigit() else (_AFTER_NUMBERS, part) for part in promise_id.split(".")]
