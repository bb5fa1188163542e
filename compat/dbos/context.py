"""Where the caller stands: in a workflow's body, in a step, or outside; and what ``with Set...`` blocks ask for."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from compat.dbos.body import Operation
    from compat.dbos.names import WorkflowIDReusePolicy


class Asker(Protocol):
    """The body of a workflow, as far as its calls reach it."""

    def ask(self, operation: Operation) -> Any:
        """Have something durable done, and wait."""

    async def ask_async(self, operation: Operation) -> Any:
        """Have something durable done, and await it."""


@dataclass
class WorkflowPlace:
    """A running workflow.

    Attributes:
        id: of the workflow.
        asker: its body.
        step_id: of the last durable call; DBOS counts them from 1.
        deadline: that children inherit, seconds since the epoch, None for none.
    """

    id: str
    asker: Asker
    step_id: int = 0
    deadline: float | None = None
    #: Promises of children that this workflow has started, by their ids.
    children: dict[str, Any] = field(default_factory=dict)
    #: Ids of debounced workflows, and of the promises of the executions that start them.
    starters: dict[str, str] = field(default_factory=dict)

    def time_left(self, now: float) -> float | None:
        """Return the seconds that a child may take, None for as long as it likes."""
        return None if self.deadline is None else max(self.deadline - now, 0.001)

    def next_step_id(self) -> int:
        """Count a durable call."""
        self.step_id += 1
        return self.step_id


@dataclass
class StepPlace:
    """A running step of a workflow."""

    workflow_id: str
    step_id: int
    name: str
    current_attempt: int = 0
    max_attempts: int | None = None


#: Innermost first counts: a step in a workflow is a step.
workflow_here: Final[ContextVar[WorkflowPlace | None]] = ContextVar("dbos_workflow", default=None)
step_here: Final[ContextVar[StepPlace | None]] = ContextVar("dbos_step", default=None)


@dataclass
class _Wishes:
    """What the next start shall have."""

    workflow_id: str | None = None
    is_new: bool = False
    timeout: float | None = None
    has_timeout: bool = False
    enqueue: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] | None = None


_wishes: Final[ContextVar[_Wishes | None]] = ContextVar("dbos_wishes", default=None)


def wishes() -> _Wishes:
    """Return the wishes of the blocks around the caller."""
    return _wishes.get() or _Wishes()


def take_workflow_id() -> str | None:
    """Return the id that ``SetWorkflowID`` chose, once: the next start gets a fresh one."""
    found = _wishes.get()
    if found is None:
        return None
    chosen, found.workflow_id = found.workflow_id, None
    return chosen


class Block:
    """Base of ``with`` blocks: a copy of the wishes around, changed."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._token: Token[_Wishes | None] | None = None

    def __enter__(self) -> Any:
        around = wishes()
        own = replace(around, enqueue=dict(around.enqueue))
        for name, value in self._changes.items():
            setattr(own, name, value)
        self._token = _wishes.set(own)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _wishes.reset(self._token)


class SetWorkflowID(Block):
    """Give the first workflow that is started in the block this id; ``"reject"`` is for an id that must be new."""

    def __init__(self, wfid: str | None, *, workflow_id_reuse_policy: WorkflowIDReusePolicy | None = None) -> None:
        super().__init__(workflow_id=wfid, is_new=workflow_id_reuse_policy == "reject")


class SetWorkflowTimeout(Block):
    """Give workflows that are started in the block this many seconds; None for no limit."""

    def __init__(self, workflow_timeout_sec: float | None) -> None:
        super().__init__(timeout=workflow_timeout_sec, has_timeout=True)


class SetWorkflowAttributes(Block):
    """Note key-value pairs on workflows that are started in the block."""

    def __init__(self, attributes: dict[str, Any] | None) -> None:
        super().__init__(attributes=attributes)
