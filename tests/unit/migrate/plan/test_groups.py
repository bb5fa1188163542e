"""What moves together, what stays, and where a shim stands between the two."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest

from migrate.plan.colouring import Colouring
from migrate.plan.groups import Groups
from migrate.plan.survey import Bridge, Survey


class Made(Survey):
    """A survey of units by name; names that begin with ``test`` stand in test modules."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        for name in names:
            kind = "workflow" if name.isupper() else "step" if name == "step" else "other"
            module = SimpleNamespace(path=f"{name}.py", is_test=name.startswith("test"))
            self.unit(kind, name, module, ast.Pass(lineno=1))  # type: ignore[arg-type]

    def of(self, name: str):
        return next(unit for unit in self.units if unit.name == name)

    def keep(self, name: str) -> Made:
        unit = self.of(name)
        unit.need("manual", "RM199", unit.node, f"{name} says so")
        return self

    def bridge(self, user: str, used: str, *, is_breakable: bool = True) -> Made:
        self.bridges.append(Bridge(self.of(user), self.of(used), is_breakable))
        return self

    def moving(self, max_tier="compat", **options) -> list[str]:
        groups = Groups(self, Colouring(), max_tier, **options)
        return [unit.name for unit in self.units if groups.converts(unit)]


def worker_of_two() -> Made:
    return Made("A", "B", "worker").bridge("worker", "A").bridge("worker", "B")


def test_workflow_that_stays_keeps_its_worker_and_not_the_other_workflow():
    assert worker_of_two().keep("B").moving() == ["A"]


def test_worker_that_stays_keeps_no_workflow():
    assert worker_of_two().keep("worker").moving() == ["A", "B"]


@pytest.mark.parametrize("max_tier", ["idiomatic", "helper"])
def test_without_a_shim_a_worker_that_stays_keeps_its_workflows(max_tier):
    assert worker_of_two().keep("worker").moving(max_tier) == []


def test_unbridged_worker_keeps_its_workflows():
    survey = worker_of_two().keep("worker")
    survey.unbridged[survey.of("worker")] = "its interceptors"
    assert survey.moving() == []


def test_worker_that_the_shim_cannot_take_keeps_its_workflows():
    survey = worker_of_two().keep("worker")
    assert survey.moving(unshimmed={survey.of("worker"): "Nexus"}) == []


@pytest.mark.parametrize("max_tier", ["helper", "compat"])
def test_test_that_stays_keeps_nothing(max_tier):
    survey = Made("A", "test_a").keep("test_a").bridge("test_a", "A", is_breakable=False)
    assert survey.moving(max_tier) == ["A"]


def test_test_of_a_workflow_that_stays_stays():
    survey = Made("A", "B", "test_a").keep("A").bridge("test_a", "A", is_breakable=False)
    assert survey.moving() == ["B"]


def test_step_that_only_staying_workflows_call_stays():
    survey = Made("A", "B", "step").keep("B").bridge("B", "step", is_breakable=False)
    assert survey.moving() == ["A"]
    assert survey.bridge("A", "step", is_breakable=False).moving() == ["A", "step"]


def test_step_that_stays_keeps_the_workflows_that_call_it():
    survey = Made("A", "B", "step").keep("step").bridge("A", "step").bridge("B", "step")
    assert survey.moving() == []


def test_where_no_workflow_moves_nothing_moves():
    survey = Made("A", "worker", "lone").keep("A")
    assert survey.moving() == []


def test_bridge_between_two_that_move_makes_one_group():
    survey = worker_of_two()
    groups = Groups(survey, Colouring(), "compat")
    assert len({groups.name(unit) for unit in survey.units}) == 1
    assert groups.bridged() == []


def test_bridge_between_two_of_which_one_moves_is_told():
    survey = worker_of_two().keep("B")
    groups = Groups(survey, Colouring(), "compat")
    assert groups.bridged() == [(survey.of("worker"), survey.of("A"))]
    assert groups.name(survey.of("A")) != groups.name(survey.of("worker"))
    assert groups.hold(survey.of("worker")).message == "B says so"
