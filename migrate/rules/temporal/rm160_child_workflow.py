"""RM160: child workflows become ``ctx.rpc``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.backoff import RETRY_POLICY, read_policy
from migrate.rules.temporal.calls import argument_parts, read_arguments
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.facts import keyword_of
from migrate.rules.temporal.fresh_ids import is_fresh
from migrate.rules.temporal.queues import other_queue, target_part
from migrate.rules.temporal.rm171_client import REUSE
from migrate.rules.temporal.workflow_reference import WorkflowReference, read_reference

if TYPE_CHECKING:
    from migrate.findings import Level
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM160",
    title="Child workflow",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`execute_child_workflow(Price.run, order, id=...)` becomes `yield ctx.rpc(price,
order).options(id=..., if_exists="restart_closed")`: Temporal runs a closed id again. `start_child_workflow` becomes
`yield ctx.begin_rpc(...)`, with `ParentClosePolicy.ABANDON` `yield ctx.detached(...)`.""",
    why="A child is a durable function like any other; the caller finds its result again by its id.",
    action="Name the child by reference or by text, with its arguments in args=[...].",
    minutes=10,
)
ID: Final = "temporalio.workflow.ChildWorkflowHandle.id"
NAMES: Final = ("temporalio.workflow.execute_child_workflow", "temporalio.workflow.start_child_workflow")
_POLICIES: Final = {"ABANDON": "abandon", "REQUEST_CANCEL": "cancel", "TERMINATE": "terminate"}
_DISPLAY_ONLY: Final = frozenset(
    ("memo", "search_attributes", "static_summary", "static_details", "task_timeout", "versioning_intent", "priority",
     "event_groups")
)  # fmt: skip


def convert(place: Place) -> None:
    """Convert one call of a child."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    positional = list(node.args)
    target = positional.pop(0) if positional else said.pop("workflow", None)
    arguments, args_node = read_arguments(positional, said)
    if target is None or any(k.arg is None for k in node.keywords):
        place.block(RULE.code, "the arguments of this child are unpacked at run time", RULE.action)
        return
    reference = read_reference(place.draft, place.work.facts, place.module, target, by=place.node)
    if reference is None and _is_text(place, target):
        message = "which child runs is decided at run time, by its name: its worker must move to Resonate as well"
        place.draft.note(place.module, place.node, "RM507", "review", message)
        reference = WorkflowReference(target, None)
    if reference is None:
        place.block(RULE.code, "which child runs is decided at run time", RULE.action)
        return
    if reference.workflow is None:
        place.draft.mark(place.module, place.node, "RM507", "the worker of this child must move to Resonate too")
    policy = _policy(place, said.pop("parent_close_policy", None))
    exists = _if_exists(place, said.pop("id_reuse_policy", None))
    if policy is None or exists is None or not _check(place, said):
        return
    is_start = place.name.endswith("start_child_workflow")
    given = argument_parts(arguments, args_node)

    def make(emit: Emit, begin: bool) -> Part:
        verb = "detached" if policy == "abandon" else "begin_rpc" if begin or is_start else "rpc"
        command = call(f"{emit.ctx(place.node)}.{verb}", reference.part(emit), *given)
        options = _options(place, said, exists)
        if place.function in place.work.wrapped and verb != "detached":
            options.append(Named("errors", '"wrapped"'))
        if is_start and policy not in ("abandon", ""):
            options.append(Named("parent_close", f'"{policy}"'))
        return call(code("{}.options", command), *options) if options else command

    place.command(make, rule=RULE.code)


def convert_id(place: Place) -> None:
    """Convert ``handle.id`` of a started child: it is what the start says, if that has no effect of its own."""
    node = place.node
    receiver = node.value if isinstance(node, ast.Attribute) else None
    bindings = place.function.inner.bindings.get(receiver.id, []) if isinstance(receiver, ast.Name) else []
    value = bindings[0].value if len(bindings) == 1 else None
    start = value.value if isinstance(value, ast.Await) else value
    said = keyword_of(start, "id") if start is not None else None
    if said is None or any(isinstance(one, (ast.Call, ast.Await, ast.NamedExpr)) for one in ast.walk(said)):
        place.block(RULE.code, "the id of a child is asked for that its start does not say", RULE.action)
        return
    names = {one.id for one in ast.walk(said) if isinstance(one, ast.Name)}
    if any(len(place.function.inner.bindings.get(name, [])) > 1 for name in names):
        place.block(RULE.code, "the id of a child is asked for after what it is made of has changed", RULE.action)
        return
    place.claim()
    place.replace(node, lambda _emit: code("{}", said), rule=RULE.code)


def _policy(place: Place, node: ast.expr | None) -> str | None:
    """Return what becomes of the child when its parent ends; None if only the program knows."""
    if node is None:
        return "terminate"
    name = place.draft.external(place.module, node).rpartition(".")[2]
    place.draft.claim(node)
    if name not in _POLICIES:
        place.block(RULE.code, "parent_close_policy= is decided at run time", RULE.action, node)
        return None
    return _POLICIES[name]


def _if_exists(place: Place, node: ast.expr | None) -> str | None:
    """Return what starting the child's id again does; None if only the program knows."""
    if node is None:
        return "restart_closed"
    name = place.draft.external(place.module, node).rpartition(".")[2]
    place.draft.claim(node)
    if name not in REUSE:
        place.block(RULE.code, "id_reuse_policy= is decided at run time", RULE.action, node)
        return None
    if name == "ALLOW_DUPLICATE_FAILED_ONLY":
        message = 'becomes if_exists="fail": a failed child is not run again under its id either'
        place.draft.note(place.module, node, "RM505", "review", message, "Look whether the parent expects that.")
    return REUSE[name]


def _check(place: Place, said: dict[str, ast.expr]) -> bool:
    draft, module = place.draft, place.module
    for name, node in said.items():
        if name in _DISPLAY_ONLY:
            draft.claim(node)
            level: Level = "review" if name in ("memo", "search_attributes") else "note"
            draft.note(
                module,
                node,
                "RM512",
                level,
                f"{name}= of a child has no counterpart and is left out",
                "Pass what the child needs as an argument." if level == "review" else "",
            )
        elif name == "cancellation_type":
            draft.claim(node)
            draft.note(
                module,
                node,
                "RM503",
                "review",
                "cancellation_type= of a child is left out",
                "A cancelled child is asked to stop; wait for it with ctx.shielded() if you must.",
            )
        elif name == "result_type" or (name == "retry_policy" and _is_single(place, node)):
            draft.claim(node)
        elif name not in ("id", "task_queue", "execution_timeout", "run_timeout"):
            place.block(
                RULE.code,
                f"option {name}= of a child has no counterpart",
                "Remove it, or convert this call by hand.",
                node,
            )
            return False
    return True


def _is_text(place: Place, node: ast.expr) -> bool:
    """Tell whether an expression is a text for sure: what is annotated so, or put together as one."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Name):
        scope = place.module.scope_of.get(node, place.module.scope)
        bindings = scope.bindings.get(node.id, [])
        annotations = [getattr(one.node, "annotation", None) for one in bindings]
        return bool(bindings) and all(one is not None and ast.unparse(one) == "str" for one in annotations)
    if isinstance(node, ast.Call):
        found = place.draft.project.resolve(place.module, node.func)
        returns = getattr(found.definition.node, "returns", None) if found is not None and found.definition else None
        return returns is not None and ast.unparse(returns) == "str"
    return False


def _is_single(place: Place, node: ast.expr) -> bool:
    """Tell whether a retry policy allows one attempt only, as every child here has."""
    if isinstance(node, ast.Constant) and node.value is None:
        return True
    if not isinstance(node, ast.Call) or place.draft.external(place.module, node.func) != RETRY_POLICY:
        return False
    policy = read_policy(node)
    return policy is not None and policy.is_single


def _options(place: Place, said: dict[str, ast.expr], exists: str) -> list[Part]:
    found: list[Part] = []
    if "id" in said:
        found.append(Named("id", said["id"]))
        if exists != "restart_closed" or not is_fresh(place.draft, place.module, said["id"]):
            found.append(Named("if_exists", f'"{exists}"'))
    queue = other_queue(place, said.get("task_queue"))
    if queue is not None:
        found.append(Named("target", target_part(queue)))
    limit = said.get("execution_timeout", said.get("run_timeout"))
    if limit is not None:
        found.append(Named("timeout", seconds_part(limit, place.draft.resolver(place.module))))
    return found
