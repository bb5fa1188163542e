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
from typing import TYPE_CHECKING, Final

from migrate.plan.survey import Bridge
from migrate.rules.temporal.backoff import read_policy
from migrate.rules.temporal.draft import SDK, mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Definition, Module
    from migrate.plan.survey import Unit
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.facts import Facts

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
_WITH_START: Final = f"{SDK}client.WithStartWorkflowOperation"


def lay_bridges(draft: Draft, facts: Facts, code: set[Definition]) -> None:
    """Turn the links that the shim can stand in for into bridges.

    Args:
        draft: the survey's state, complete.
        facts: workflows and activities.
        code: functions that are workflow code.
    """
    lines = {owner for workflow in facts.workflows.values() for owner in workflow.line}
    inner = {draft.unit(one.module, one.node) for one in (*code, *lines)}
    names = _names(draft)
    inner |= {unit for unit, found in names.items() if not all(_is_wiring(*one) for one in found)}
    steps = {activity.unit for activity in facts.activities.values()}
    workflows = {workflow.unit for workflow in facts.workflows.values()}
    links, draft.survey.links = draft.survey.links, []
    for pair in links:
        bridge = _between_tests(*pair) or _bridge(draft, pair, inner, steps, workflows)
        if bridge is None:
            draft.survey.links.append(pair)
        else:
            draft.survey.bridges.append(bridge)
    _join_wiring(draft, names)
    for unit, reason in _obstacles(draft):
        if not unit.module.is_test:
            draft.survey.unbridged.setdefault(unit, reason)
    for workflow in facts.workflows.values():
        if workflow.function_name:
            for reference in draft.project.references(workflow.entry):
                if isinstance(reference.node, ast.Attribute):
                    user = draft.unit(reference.module, reference.node)
                    draft.survey.entries.append((workflow.unit, user, reference.module, reference.node))


def _between_tests(first: Unit, second: Unit) -> Bridge | None:
    if first.module.is_test == second.module.is_test:
        return None
    test, tested = (first, second) if first.module.is_test else (second, first)
    return Bridge(test, tested, is_breakable=False)


def _bridge(
    draft: Draft, pair: tuple[Unit, Unit], inner: set[Unit], steps: set[Unit], workflows: set[Unit]
) -> Bridge | None:
    """Return the bridge that a link can be: one side says something about the other, and not the other way round."""
    for user, used in (pair, pair[::-1]):
        if (user, used) not in draft.mentions or (used, user) in draft.mentions:
            continue
        if used in steps and (user in workflows or (user not in inner and user not in steps)):
            return Bridge(user, used, is_breakable=user not in workflows)
        if used in workflows and (user in workflows or user not in inner):
            return Bridge(user, used)
    return None


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


def _obstacles(draft: Draft) -> Iterator[tuple[Unit, str]]:
    """Yield the places where the shim would not treat rewritten code as it treats the old."""
    for module in draft.project.modules.values():
        for node, name in draft.project.calls(module):
            reason = _seen(draft, module, node) if name in _MAKERS else _driven(node) if name in _STARTS else ""
            if name == _WITH_START:
                reason = "a message that comes with the start needs the shim's own workflow driver"
            if reason:
                yield draft.unit(module, node), reason


def _seen(draft: Draft, module: Module, node: ast.Call) -> str:
    for keyword in node.keywords:
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


def _driven(node: ast.Call) -> str:
    for keyword in node.keywords:
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

