"""RM123: activities become steps."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS, keyword_of
from migrate.rules.temporal.rm122_activity_options import mark_arguments

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Activity
    from migrate.rules.temporal.rm122_activity_options import Mark

RULE: Final = Rule(
    code="RM123",
    title="Definition of an activity",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`@activity.defn(name="charge")` becomes `@step(name="charge", ...)` with the options on which all calls
agree. The function keeps its signature; `async def` stays `async def`; methods stay methods.""",
    why="A step is a plain function that can be called anywhere; its mark carries name, retry policy and limits.",
    action="Give the activity a fixed name.",
    minutes=10,
)
#: First parameters that the runtime takes for its own context.
_CONTEXT_NAMES: Final = frozenset({"ctx", "context", "_ctx", "_context", "c", "_"})


def check(draft: Draft, activity: Activity) -> None:
    """Say what about the definition cannot be converted."""
    module, decorator = activity.module, activity.decorator
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
        if keyword.arg == "no_thread_cancel_exception":
            draft.note(
                module,
                decorator,
                "RM503",
                "review",
                "no_thread_cancel_exception= is left out",
                "A step in a thread is told of its cancellation at its next heartbeat, never in between.",
            )
        elif keyword.arg != "name":
            draft.block(
                module, decorator, RULE.code, f"@activity.defn({keyword.arg}=...) has no counterpart", RULE.action
            )
    if isinstance(decorator, ast.Call) and decorator.args:
        draft.block(module, decorator, RULE.code, "activity.defn is called on a function", "Use it as a decorator.")
    node = activity.definition.node
    assert isinstance(node, FUNCTIONS)
    below = node.decorator_list[node.decorator_list.index(decorator) + 1 :]
    if any(draft.external(module, one) in ("builtins.staticmethod", "builtins.classmethod") for one in below):
        draft.block(
            module,
            decorator,
            RULE.code,
            "activity.defn stands above @staticmethod or @classmethod",
            "Put activity.defn below it.",
        )
    plain = [*node.args.posonlyargs, *node.args.args]
    if activity.definition.parent is not None and isinstance(activity.definition.parent.node, ast.ClassDef):
        plain = plain[1:]
    if plain and plain[0].arg in _CONTEXT_NAMES:
        draft.block(
            module,
            plain[0],
            RULE.code,
            f"the first parameter is called {plain[0].arg!r}, which the runtime takes for the step's own context",
            "Give the parameter another name.",
        )


def convert(draft: Draft, activity: Activity, mark: Mark) -> None:
    """Leave the edit of the decorator."""
    decorator = activity.decorator
    draft.claim(decorator)
    draft.link(draft.unit(activity.module, decorator), activity.unit)

    def make(emit: Emit) -> Part:
        name = keyword_of(decorator, "name")
        named = [Named("name", name)] if name is not None else []
        return call(emit.core("step"), *named, *mark_arguments(emit, mark))

    def add(emit: Emit) -> None:
        node = activity.definition.node
        assert isinstance(node, FUNCTIONS)
        emit.file.decorate(node, make(emit), code=RULE.code)

    draft.act(activity.module, decorator, lambda emit: emit.file.replace(decorator, make(emit), code=RULE.code))
    draft.survey.marks[activity.unit].append((activity.module, decorator, add))
