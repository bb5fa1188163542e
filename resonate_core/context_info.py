"""What a context tells about its execution, and the logger that is silent during replay."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resonate_core.limits import CONTINUE_AS_NEW_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from resonate_core.scheduler.execution import Execution


@dataclass(frozen=True)
class ContextInfo:
    """One execution as it knows itself.

    Attributes:
        id: promise id of the execution or of the local child.
        root_id: promise id of the execution that the whole tree began with.
        parent_id: promise id of the caller, None at the root.
        function: registered name.
        version: version of that name.
        attempt: 1, and one more for every time a worker took the execution over.
        run: how often it has continued as new.
        tags: tags of the execution's promise.
        timeout: deadline, seconds since the epoch.
        created_at: start, seconds since the epoch.
        idempotency_key: the id, under which everything here is idempotent.
        is_replaying: whether the function goes over what it did before.
        execution_id: id under which the execution was started: the same in every handler, local child and run.
        run_id: id of this run of it; another one after each continue-as-new.
        history_length: events that the execution has seen in this run.
    """

    id: str
    root_id: str
    parent_id: str | None
    function: str
    version: int
    attempt: int
    run: int
    tags: Mapping[str, str]
    timeout: float
    created_at: float
    idempotency_key: str
    is_replaying: bool
    execution_id: str
    run_id: str
    history_length: int

    @property
    def is_continue_as_new_suggested(self) -> bool:
        """Whether the history is so long that starting over with an empty one makes recovery quicker."""
        return self.history_length >= CONTINUE_AS_NEW_EVENTS

    @classmethod
    def of(cls, execution: Execution, base: str) -> ContextInfo:
        """Describe an execution from inside."""
        record = execution.record
        parent = record.tags.get("resonate:parent")
        return cls(
            id=base,
            root_id=execution.origin,
            parent_id=None if parent in (None, record.id) else parent,
            function=execution.function.name,
            version=execution.function.version,
            attempt=max(execution.version, 1),
            run=execution.run,
            tags=record.tags,
            timeout=record.timeout_at / 1000,
            created_at=record.created_at / 1000,
            idempotency_key=base,
            is_replaying=execution.is_replaying,
            execution_id=execution.logical_id,
            run_id=execution.base,
            history_length=execution.order.position,
        )


class ReplaySafeLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds the execution's id and function to every record, and says nothing twice: replay is silent."""

    def __init__(self, execution: Execution, shown_id: str) -> None:
        super().__init__(logging.getLogger("resonate.workflow"), {})
        self._execution = execution
        self._fields = {"workflow_id": shown_id, "workflow_function": execution.function.name}

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        """Say whether a record of this level would be written now."""
        return not self._execution.is_replaying and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Return the message with the execution's fields in ``extra``."""
        kwargs["extra"] = {**self._fields, **(kwargs.get("extra") or {})}
        return msg, kwargs
