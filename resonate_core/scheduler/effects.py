"""What an execution asks the worker to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.marks import StepMark
    from resonate_core.options import CallOptions
    from resonate_core.protocol.requests import PromiseCreate, Request, Response
    from resonate_core.scheduler.promises import Slot


@dataclass
class StartStep:
    """Run a leaf function and record its outcome under ``create.id``; ``create`` is None for the execution itself.

    Attributes:
        mark: of the function, or of the step that it stands in for: retries and limits are the caller's business.
    """

    slot: Slot
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    opts: CallOptions
    create: PromiseCreate | None
    context: Any = None
    mark: StepMark | None = None
    carry: list[Write] = field(default_factory=list)


@dataclass
class Write:
    """A request, and who wants to see its answer."""

    request: Request
    then: Callable[[Response], None] | None = None


@dataclass
class Outcome:
    """How an execution ended: a value, an error, or new arguments to go on with."""

    value: Any = None
    error: BaseException | None = None
    new_args: tuple[tuple[Any, ...], dict[str, Any]] | None = None


@dataclass
class Ask:
    """Something to look up outside: the worker answers through ``then`` on the scheduler's thread."""

    kind: str
    arguments: tuple[Any, ...]
    then: Callable[[Any, BaseException | None], None]


@dataclass
class Effects:
    """What an execution has piled up since the worker last looked.

    ``is_urgent``: the writes must go out now. ``is_gate``: they must be durable before a step starts.
    """

    writes: list[Write] = field(default_factory=list)
    starts: list[StartStep] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    stops: list[Slot] = field(default_factory=list)
    is_urgent: bool = False
    is_gate: bool = False
