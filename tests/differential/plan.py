"""What a differential case claims: the runs of its program, what each prints and which steps run.

A case is a directory ``fixtures/differential/<source>/<name>/`` with ``program.py`` and ``plan.toml`` (or a plan that
says where the program lies and how it is started). The original on the real Temporal server or real DBOS must fulfil
the plan, and so must the migrated program on our runtime: a plan that only one of them fulfils is a bug, and the
failing side says whose.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Source = Literal["temporal", "dbos"]
CASES: Final = ROOT / "fixtures" / "differential"
SUPPORT: Final = CASES / "support"

#: One step as text, or several that may run in any order.
Expected = str | list[str]


@dataclass(frozen=True)
class Wait:
    """Bounds of the time between two lines of the trace, in seconds. Generous above: the machine may be busy."""

    first: int
    second: int
    least: float
    most: float


@dataclass(frozen=True)
class Run:
    """One start of the program.

    Attributes:
        output: the lines it prints.
        steps: the steps that run.
        arguments: what it is started with.
        waits: bounds of the time between steps.
        kill_at: the line of the trace after which the process that runs steps is ended, once.
        told_output: what the migrated program prints instead, where the report tells the difference.
        told_steps: the steps of the migrated program, where the report tells the difference.
    """

    output: list[str]
    steps: list[Expected]
    arguments: list[str] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    kill_at: str | None = None
    told_output: list[str] | None = None
    told_steps: list[Expected] | None = None

    def as_told(self) -> Run:
        """Return what the migrated program does."""
        output = self.output if self.told_output is None else self.told_output
        return replace(self, output=output, steps=self.steps if self.told_steps is None else self.told_steps)


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        path: the folder of the program.
        claim: the property that original and migrated program share.
        tier: the worst tier that a workflow of it gets.
        worker: what starts the process that runs steps; empty if the client runs them itself.
        client: what starts the process that asks for work; the arguments of a run follow it.
        told: codes of findings that the report must have; a difference without one is a bug.
    """

    source: Source
    name: str
    path: Path
    claim: str
    tier: str
    runs: list[Run]
    worker: list[str]
    client: list[str]
    told: list[str] = field(default_factory=list)

    @property
    def as_told(self) -> Case:
        """The case as the migrated program fulfils it."""
        return replace(self, runs=[run.as_told() for run in self.runs])


@dataclass(frozen=True)
class TraceLine:
    """One step that really ran."""

    text: str
    at: float


def load(path: Path) -> Case:
    """Read one case; an unknown key is an error, so that a misspelt expectation is not a silent one."""
    source: Source = "temporal" if path.parent.name == "temporal" else "dbos"
    plan = tomllib.loads((path / "plan.toml").read_text())
    runs = [_run(run) for run in plan.pop("run")]
    program = (path / plan.pop("program", ".")).resolve()
    worker = plan.pop("worker", ["program.py", "work"] if source == "temporal" else [])
    client = plan.pop("client", ["program.py"])
    case = Case(source, path.name, program, runs=runs, worker=worker, client=client, **plan)
    if case.as_told != case and not case.told:
        raise ValueError(f"{path.name}: the migrated program differs and `told` names no finding that says so")
    return case


def _run(data: dict[str, Any]) -> Run:
    waits = [Wait(**wait) for wait in data.pop("waits", [])]
    return Run(waits=waits, **data)


def all_cases(source: Source) -> list[Case]:
    """Read every case of one source, in order of name."""
    return [load(plan.parent) for plan in sorted((CASES / source).glob("*/plan.toml"))]


def read_trace(path: Path) -> list[TraceLine]:
    """Read the trace so far; a line that is still being written does not count."""
    if not path.exists():
        return []
    return [_trace_line(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _trace_line(line: str) -> TraceLine:
    entry = json.loads(line)
    arguments = ", ".join(json.dumps(argument) for argument in entry["args"])
    return TraceLine(f"{entry['step']}({arguments})", entry.get("at", 0.0))


def trace_differences(expected: Sequence[Expected], trace: Sequence[TraceLine]) -> list[str]:
    """Say where a trace leaves the plan; lines of one group are compared as a multiset."""
    position, found = 0, []
    for item in expected:
        group = [item] if isinstance(item, str) else item
        seen = [line.text for line in trace[position : position + len(group)]]
        if sorted(seen) != sorted(group):
            found.append(f"step {position}: expected {' | '.join(group)}, found {' | '.join(seen) or 'nothing'}")
        position += len(group)
    found.extend(f"step {position + index}: unexpected {line.text}" for index, line in enumerate(trace[position:]))
    return found


def wait_differences(waits: Sequence[Wait], trace: Sequence[TraceLine]) -> list[str]:
    """Say which times between steps are out of bounds."""
    found = []
    for wait in waits:
        if max(wait.first, wait.second) >= len(trace):
            found.append(f"no time between steps {wait.first} and {wait.second}: only {len(trace)} ran")
            continue
        seconds = trace[wait.second].at - trace[wait.first].at
        if not wait.least <= seconds <= wait.most:
            between = f"between steps {wait.first} and {wait.second}"
            found.append(f"{between}: expected {wait.least} to {wait.most} s, found {seconds:.2f} s")
    return found
