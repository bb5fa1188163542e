"""Units that mention each other share their fate."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal.draft import SDK
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.rm101_passed_through_imports import NAME as PASSED_THROUGH
from migrate.rules.temporal.spelling import constant_key
from migrate.targets import EXPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Definition, Module
    from migrate.plan.survey import Unit
    from migrate.rules.temporal.draft import Draft


def link_fixtures(draft: Draft) -> None:
    """Link tests with the pytest fixtures that they ask for by the name of a parameter."""
    fixtures: dict[str, list[Definition]] = defaultdict(list)
    for definition in draft.project.definitions():
        if isinstance(definition.node, FUNCTIONS) and draft.project.decorator(definition, *_FIXTURE) is not None:
            fixtures[definition.name].append(definition)
    for definition in draft.project.definitions() if fixtures else ():
        if not isinstance(definition.node, FUNCTIONS) or not definition.module.is_test:
            continue
        for argument in definition.node.args.args:
            for fixture in fixtures.get(argument.arg, ()):
                if _is_visible(fixture, definition) and draft.known_unit(fixture.module, fixture.node) is not None:
                    draft.link(draft.unit(definition.module, definition.node), draft.unit(fixture.module, fixture.node))


def link_shared_names(draft: Draft) -> None:
    """Link the units of a file that moves as a whole.

    That is a file with imports that are passed through the sandbox: they must be passed as long as one workflow of the
    file runs in it; and a file of tests, whose mocks and environments fit each other. Where imports from the SDK have
    names that new code wants, all of a file that moves moves at once.
    """
    passing = {module.path for module, _node in draft.project.calls_of(PASSED_THROUGH)}
    units: dict[str, list[Unit]] = defaultdict(list)
    for unit in draft.survey.units:
        units[unit.module.path].append(unit)
    for path, members in units.items():
        module = draft.project.paths[path]
        wanted = {entry.local for entry in module.imports if entry.target.startswith(SDK)} & EXPORTS.keys()
        if wanted:
            draft.survey.together.append(members)
        for other in members[1:] if path in passing or module.is_test else ():
            draft.link(members[0], other)
            draft.mentions.add((other, members[0]))


_FIXTURE: Final = ("pytest.fixture", "pytest_asyncio.fixture")


def _is_visible(fixture: Definition, user: Definition) -> bool:
    """A fixture is seen in its own file, and from below the directory of its ``conftest.py``."""
    if fixture.module is user.module:
        return fixture is not user
    folder, _, file = fixture.module.path.rpartition("/")
    return file == "conftest.py" and (not folder or user.module.path.startswith(folder + "/"))


def link_mentions(draft: Draft) -> None:
    """Link every unit with the units of what it mentions.

    Code that names nothing of the SDK and yet uses something that changes becomes a unit too: a wrapper that hands a
    client on must not stand between two halves.
    """
    changed = True
    while changed:
        changed = False
        for module in draft.project.modules.values():
            for node in module.references:
                for target in _targets(draft, module, node):
                    before = len(draft.survey.units)
                    draft.link(draft.unit(module, node), target)
                    changed = changed or len(draft.survey.units) != before


def _targets(draft: Draft, module: Module, node: ast.expr) -> Iterator[Unit]:
    """Yield the units of what an expression mentions, link by link of an attribute chain."""
    current: ast.expr = node
    while True:
        found = draft.project.resolve(module, current)
        definition: Definition | None = found.definition if found is not None else None
        if definition is not None:
            unit = draft.known_unit(definition.module, definition.node)
            if unit is not None:
                yield unit
        key = constant_key(draft, module, current)
        if key is not None:
            owner, _, last = key.rpartition(".")
            unit = draft.unit_named(f"{owner}:{last}")
            if unit is not None:
                yield unit
        if not isinstance(current, ast.Attribute):
            return
        current = current.value
