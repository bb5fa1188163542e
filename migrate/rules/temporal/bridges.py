"""Where the shim can stand between what moves and what stays.

The shim's worker and client take rewritten workflows and steps beside Temporal's own, so a place that only wires
workflows (makes a worker, starts, signals, describes) need not hold them: it stays on the shim, and they are rewritten.
The same goes for a workflow of the shim that calls rewritten steps and children. And a test never holds what it tests.

A bridge needs the shim to treat rewritten code as Temporal treated the old code. Interceptors, plugins and converters
of the project's own see only what passes through temporalio; some options of a start (a cron schedule, a retry policy,
a signal with the start) are carried out by the shim's own workflow driver. Where such a thing is used there is no
bridge.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.survey import Bridge, finding_at
from migrate.rules.temporal.backoff import read_policy
from migrate.rules.temporal.draft import SDK, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate.index.model import Definition, Module
    from migrate.plan.survey import Unit
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.facts import Facts, Workflow

#: Modules whose names say that a place wires workflows, and does not take part in them.
_WIRING: Final = tuple(
    f"{SDK}{module}."
    for module in ("api", "client", "common", "contrib", "converter", "envconfig", "exceptions", "runtime", "service",
                   "testing", "types", "worker")
)  # fmt: skip
#: Modules whose objects go from hand to hand.
_OBJECTS: Final = (f"{SDK}client.", f"{SDK}worker.")
_ERRORS: Final = f"{SDK}exceptions."
_CLIENT: Final = f"{SDK}client.Client"
#: Code of the mark of a step.
_MARK: Final = "RM123"
#: What an activity asks of its worker that no step can give.
_NOT_PORTABLE: Final = tuple(
    f"{SDK}activity.{name}"
    for name in ("cancellation_details", "is_cancelled", "is_worker_shutdown", "raise_complete_async",
                 "wait_for_cancelled", "wait_for_worker_shutdown")
)  # fmt: skip
#: Who asks for it is completed from outside.
_OUTSIDE: Final = ".task_token"
#: Options of clients and workers that see or change what passes through temporalio, with what they do.
_SEEING: Final = {
    "interceptors": "its interceptors see only what passes through temporalio",
    "plugins": "its plugins change only what passes through temporalio",
    "data_converter": "its data converter may encrypt or change what is stored",
}
_MAKERS: Final = frozenset({_CLIENT, f"{_CLIENT}.connect", f"{SDK}worker.Worker"})
#: Converters that store plain JSON, which rewritten code reads by its annotations.
_PLAIN_CONVERTERS: Final = frozenset(
    {
        f"{SDK}contrib.pydantic.pydantic_data_converter",
        f"{SDK}converter.DataConverter.default",
        f"{SDK}converter.default",
    }
)
_TRACING: Final = frozenset({f"{SDK}contrib.opentelemetry.TracingInterceptor"})
_STARTS: Final = frozenset(
    (
        *(f"{_CLIENT}.{verb}_workflow" for verb in ("start", "execute")),
        f"{SDK}client.ScheduleActionStartWorkflow",
        *(f"{SDK}workflow.{verb}_child_workflow" for verb in ("start", "execute")),
    )
)
#: Options of a start that the shim's own workflow driver carries out.
_DRIVEN: Final = frozenset({"cron_schedule", "retry_policy", "start_delay", "start_signal"})
_LISTED: Final = (
    "RM518",
    "children that rewritten workflows start are not among the executions that the shim lists",
    "Ask for them by id, or let the parent tell of them.",
)
#: What a client asks, with what is said of the answer: code, message, what to do.
_SEEN_OTHERWISE: Final = {
    f"{_CLIENT}.count_workflows": _LISTED,
    f"{_CLIENT}.list_workflows": _LISTED,
    f"{SDK}client.WorkflowFailureError": (
        "RM508",
        "the cause of a rewritten workflow's failure is the error itself, without an ActivityError around it",
        "Look at what is asked of the cause.",
    ),
}
_WITH_START: Final = f"{SDK}client.WithStartWorkflowOperation"


def lay_bridges(
    draft: Draft, facts: Facts, reach: Mapping[Workflow, Iterable[Definition]], listed: Iterable[Definition]
) -> None:
    """Turn the links that the shim can stand in for into bridges.

    Args:
        draft: the survey's state, complete.
        facts: workflows and activities.
        reach: functions that are workflow code, by workflow.
        listed: workflow classes that stand in the list of a worker of the project.
    """
    names = _names(draft)
    kinds = _kinds(draft, facts, reach, set(listed), names)
    driven = _driven_pairs(draft, facts)
    links, draft.survey.links = draft.survey.links, []
    for pair in links:
        bridge = _between_tests(*pair)
        if bridge is None and not (driven & {pair, pair[::-1]}):
            bridge = _bridge(draft, pair, kinds)
        if bridge is None:
            draft.survey.links.append(pair)
        else:
            draft.survey.bridges.append(bridge)
    _join_wiring(draft, names)
    _note_serving(names, draft)
    for unit, reason in _obstacles(draft, facts):
        if not unit.module.is_test:
            draft.survey.unbridged.setdefault(unit, reason)
    for workflow in facts.workflows.values():
        if workflow.function_name:
            for reference in draft.project.references(workflow.entry):
                if isinstance(reference.node, ast.Attribute):
                    user = draft.unit(reference.module, reference.node)
                    draft.survey.entries.append((workflow.unit, user, reference.module, reference.node))


@dataclass(frozen=True)
class _Kinds:
    """Units by what they are.

    Attributes:
        inner: take part in workflows or activities, so that they cannot stay while those move.
        steps: hold activities.
        workflows: are workflows.
        code: hold functions that are workflow code.
        hosted: workflows, and code of workflows, that a worker of the project has in its list.
        portable: activities that run as steps with their bodies as they are.
    """

    inner: set[Unit]
    steps: set[Unit]
    workflows: set[Unit]
    code: set[Unit]
    hosted: set[Unit]
    portable: set[Unit]


def _kinds(
    draft: Draft,
    facts: Facts,
    reach: Mapping[Workflow, Iterable[Definition]],
    listed: set[Definition],
    names: dict[Unit, list[tuple[Module, ast.expr, str]]],
) -> _Kinds:
    code: dict[Unit, set[Workflow]] = defaultdict(set)
    for workflow, functions in reach.items():
        for one in (*functions, *workflow.line):
            code[draft.unit(one.module, one.node)].add(workflow)
    foreign = {unit for unit, found in names.items() if not all(_is_wiring(*one) for one in found)}
    return _Kinds(
        inner=foreign | code.keys(),
        steps={activity.unit for activity in facts.activities.values()},
        workflows={workflow.unit for workflow in facts.workflows.values()},
        code=set(code),
        hosted={unit for unit, users in code.items() if all(one.definition in listed for one in users)},
        portable=set(_portable(facts, names)),
    )


def _portable(facts: Facts, names: dict[Unit, list[tuple[Module, ast.expr, str]]]) -> Iterator[Unit]:
    """Yield the units of activities that the shim can run as steps, in an activity context made for them."""
    for activity in facts.activities.values():
        unit = activity.unit
        is_marked = bool(activity.name) and not any(need.code == _MARK and need.tier == "manual" for need in unit.needs)
        used = {name for _, _, name in names.get(unit, ())}
        if is_marked and not any(name.startswith(_NOT_PORTABLE) or name.endswith(_OUTSIDE) for name in used):
            yield unit


def _between_tests(first: Unit, second: Unit) -> Bridge | None:
    if first.module.is_test == second.module.is_test:
        return None
    test, tested = (first, second) if first.module.is_test else (second, first)
    return Bridge(test, tested, is_breakable=False)


def _bridge(draft: Draft, pair: tuple[Unit, Unit], kinds: _Kinds) -> Bridge | None:
    """Return the bridge that a link can be: one side says something about the other, and not the other way round."""
    for user, used in (pair, pair[::-1]):
        if (user, used) not in draft.mentions or (used, user) in draft.mentions:
            continue
        if used in kinds.steps and user not in kinds.steps:
            if user in kinds.code:
                return Bridge(user, used, False, user in kinds.hosted and used in kinds.portable)
            if user not in kinds.inner:
                return Bridge(user, used)
        if used in kinds.workflows and (user in kinds.code or user not in kinds.inner):
            return Bridge(user, used)
    return None


def _note_serving(names: dict[Unit, list[tuple[Module, ast.expr, str]]], draft: Draft) -> None:
    """Say what a client of the shim sees otherwise of rewritten workflows."""
    for unit, found in names.items():
        for module, node, name in found if not unit.module.is_test else ():
            if name in _SEEN_OTHERWISE:
                code, message, action = _SEEN_OTHERWISE[name]
                draft.survey.serving[unit].append(finding_at(module, node, code, "review", message, action))


def _join_wiring(draft: Draft, names: dict[Unit, list[tuple[Module, ast.expr, str]]]) -> None:
    """Link what may hand a client, a handle or a worker to each other: such an object is of one kind in a program.

    Who hands it to whom is often not plain to see (an attribute of an application, an injected argument). So all that
    uses them within one top-level directory is taken for one program, and so is all that uses one workflow.
    """
    first: dict[str | Unit, Unit] = {}
    wiring = {unit for unit, found in names.items() if any(name.startswith(_OBJECTS) for _, _, name in found)}
    pairs: list[tuple[str | Unit, Unit]] = [
        (unit.module.path.rpartition("/")[0].partition("/")[0], unit) for unit in draft.survey.units if unit in wiring
    ]
    pairs += [(bridge.used, bridge.user) for bridge in draft.survey.bridges if bridge.user in wiring]
    for key, unit in pairs:
        if not unit.module.is_test and unit is not first.setdefault(key, unit):
            draft.survey.link(first[key], unit)


def _names(draft: Draft) -> dict[Unit, list[tuple[Module, ast.expr, str]]]:
    """Return the names of the SDK in each unit."""
    found: dict[Unit, list[tuple[Module, ast.expr, str]]] = defaultdict(list)
    for module in draft.project.modules.values():
        for node in mentions(module):
            name = draft.external(module, node)
            unit = draft.known_unit(module, node) if name.startswith(SDK) else None
            if unit is not None:
                found[unit].append((module, node, name))
    return found


def _is_wiring(module: Module, node: ast.expr, name: str) -> bool:
    """Say whether a name may stand where workflows are only wired: errors are caught there, not raised."""
    if name.startswith(_ERRORS) and isinstance(module.parents.get(node), (ast.Call, ast.Raise, ast.ClassDef)):
        called = module.parents[node]
        return isinstance(called, ast.Call) and called.func is not node
    return name.startswith(_WIRING)


def _driven_pairs(draft: Draft, facts: Facts) -> set[tuple[Unit, Unit]]:
    """Return who starts what in a way that the shim's own workflow driver carries out."""
    found = set()
    for module in draft.project.modules.values():
        for node, name in draft.project.calls(module):
            is_driven = name in _STARTS and bool(_driven(draft, module, node))
            workflow = _started(draft, facts, module, node) if is_driven else None
            if workflow is not None:
                found.add((draft.unit(module, node), workflow.unit))
    return found


def _started(draft: Draft, facts: Facts, module: Module, node: ast.Call) -> Workflow | None:
    """Return the workflow that a start names by its class, its run method or its registered name."""
    given = node.args[0] if node.args else None
    found = draft.project.resolve(module, given)
    definition = found.definition if found is not None else None
    if definition is None:
        named = facts.workflow_names.get(draft.project.string(module, given) or "", [])
        return named[0] if len(named) == 1 else None
    entered = facts.entries.get(definition, [])
    return entered[0] if len(entered) == 1 else facts.workflows.get(definition)


def _obstacles(draft: Draft, facts: Facts) -> Iterator[tuple[Unit, str]]:
    """Yield the places where the shim would not treat rewritten code as it treats the old."""
    for module in draft.project.modules.values():
        for node, name in draft.project.calls(module):
            reason = _seen(draft, module, node) if name in _MAKERS else ""
            if name in _STARTS and _started(draft, facts, module, node) is None:
                reason = _driven(draft, module, node)  # whatever starts so has to stay
            if name == _WITH_START:
                reason = "a message that comes with the start needs the shim's own workflow driver"
            if reason:
                yield draft.unit(module, node), reason


def _seen(draft: Draft, module: Module, node: ast.Call) -> str:
    for keyword in node.keywords:
        if keyword.arg is None and not _is_innocent(draft, module, keyword.value, _SEEING):
            return "its options are put together at run time, interceptors and converters may be among them"
        if keyword.arg not in _SEEING:
            continue
        given = keyword.value.elts if isinstance(keyword.value, (ast.List, ast.Tuple)) else [keyword.value]
        harmless = _PLAIN_CONVERTERS if keyword.arg == "data_converter" else _TRACING
        if not all(_origin(draft, module, one) in harmless for one in given):
            return _SEEING[keyword.arg]
    return ""


def _origin(draft: Draft, module: Module, node: ast.expr) -> str:
    """Return the name of what is called, or of the thing itself."""
    return draft.external(module, node.func if isinstance(node, ast.Call) else node)


def _is_innocent(draft: Draft, module: Module, node: ast.expr, refused: Iterable[str]) -> bool:
    """Say whether it is plain to see that unpacked options have none of some names.

    That is settings of Temporal's environment configuration, and a dictionary whose keys are all texts, also where some
    are set later.
    """
    if _origin(draft, module, node).startswith(f"{SDK}envconfig."):
        return True
    if isinstance(node, ast.Dict):
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        return len(keys) == len(node.keys) and not set(keys) & set(refused)
    function = module.function_around(node)
    if not isinstance(node, ast.Name) or function is None:
        return False
    said = [one.value for one in ast.walk(function.node) if isinstance(one, ast.Constant) and one.value in set(refused)]
    given = [
        one.value
        for one in ast.walk(function.node)
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and _targets(one) == [node.id] and one.value is not None
    ]
    return bool(given) and not said and all(_is_innocent(draft, module, one, refused) for one in given)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _driven(draft: Draft, module: Module, node: ast.Call) -> str:
    for keyword in node.keywords:
        if keyword.arg is None and not _is_innocent(draft, module, keyword.value, _DRIVEN):
            return "options of a start are put together at run time"
        if keyword.arg in _DRIVEN and not _is_nothing(keyword):
            return f"{keyword.arg}= of a start needs the shim's own workflow driver"
    return ""


def _is_nothing(keyword: ast.keyword) -> bool:
    """Say whether an option asks for what happens anyway: no value, or a policy of a single attempt."""
    value = keyword.value
    if isinstance(value, ast.Constant):
        return value.value is None or value.value == ""
    if keyword.arg != "retry_policy" or not isinstance(value, ast.Call):
        return False
    policy = read_policy(value)
    return policy is not None and policy.is_single

