"""What changes about errors in workflow code although the code says the same."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal import rm509_catches_all
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Draft

_WORK: Final = ("temporalio.workflow.execute_", "temporalio.workflow.start_")
_CAUGHT: Final = ("Activity", "ChildWorkflow", "Failure", "Temporal")
_BROAD: Final = frozenset({"builtins.Exception", *(f"temporalio.exceptions.{name}Error" for name in _CAUGHT)})


def note_raw_errors(draft: Draft, functions: Iterable[Definition]) -> None:
    """Say where the text of an error changes: a broad handler that looks at the error."""
    for function in functions:
        for node in own_nodes(function.node):
            if not isinstance(node, ast.Try) or not any(isinstance(one, ast.Await) for one in ast.walk(node)):
                continue
            for handler in node.handlers:
                if handler.name and any(
                    isinstance(one, ast.Name) and one.id == handler.name for one in ast.walk(handler)
                ):
                    draft.note(
                        function.module,
                        handler,
                        "RM508",
                        "note",
                        f"{handler.name} is the step's own error, not a wrapper around it",
                        "Look whether its text is stored, compared or shown.",
                    )


def note_cancellation(draft: Draft, functions: Iterable[Definition]) -> None:
    """Say where clean-up does not run on a cancellation any more.

    Temporal hands a cancellation to a workflow that waits for an activity as an ActivityError, which is an Exception.
    """
    for function in functions:
        rm509_catches_all.note(draft, function)
        for node in own_nodes(function.node):
            if not isinstance(node, ast.Try) or not _works(draft, function, node):
                continue
            for handler in node.handlers:
                if set(_caught(draft, function, handler.type)) & _BROAD:
                    _note_handler(draft, function, handler)


def _note_handler(draft: Draft, function: Definition, handler: ast.ExceptHandler) -> None:
    """A handler that does durable work is clean-up; one that goes on with another value swallowed the cancellation."""
    if any(isinstance(one, ast.Await) for one in ast.walk(handler)):
        draft.note(
            function.module,
            handler,
            "RM503",
            "review",
            "a cancellation is no Exception: this clean-up does not run when the workflow is cancelled",
            "Catch Cancelled too, and raise it again, if the clean-up must run then.",
        )
        draft.mark(function.module, handler.body[0], "RM503", "catch Cancelled too if this must run on a cancellation")
    elif not isinstance(handler.body[-1], ast.Raise):
        draft.note(
            function.module,
            handler,
            "RM503",
            "note",
            "a cancellation is no Exception: it passes this handler, and the workflow ends as cancelled",
            "Catch Cancelled too if the workflow must go on when it is cancelled during the activity.",
        )


def _works(draft: Draft, function: Definition, node: ast.Try) -> bool:
    calls = (one for statement in node.body for one in ast.walk(statement) if isinstance(one, ast.Call))
    return any(draft.external(function.module, one.func).startswith(_WORK) for one in calls)


def _caught(draft: Draft, function: Definition, node: ast.expr | None) -> Iterator[str]:
    for one in node.elts if isinstance(node, ast.Tuple) else [node]:
        yield draft.external(function.module, one)


def note_raises(draft: Draft, functions: Iterable[Definition]) -> None:
    """Say where an error ends an execution that Temporal would keep open until its code is fixed."""
    for function in functions:
        for node in own_nodes(function.node):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                found = draft.project.resolve(function.module, node.exc.func)
                is_own = found is not None and (found.definition is not None or found.name.startswith("builtins."))
                if is_own and not _is_caught(function, node):
                    name = ast.unparse(node.exc.func)
                    draft.note(
                        function.module,
                        node,
                        "RM506",
                        "note",
                        f"raising {name} ends the execution; Temporal would try the workflow task again",
                        "Raise ApplicationError where the end is meant.",
                    )


def _is_caught(function: Definition, node: ast.Raise) -> bool:
    """Say whether a ``try`` with handlers stands around the statement: then it may be meant for them."""
    for parent in function.module.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, ast.Try) and parent.handlers:
            return True
    return False
