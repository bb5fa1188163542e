"""Run the Temporal rules over texts, in memory but for the reading."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from migrate.discover import discover
from migrate.engine import plan
from migrate.index.load import load
from migrate.outcome import settle
from migrate.rules.temporal import SOURCE

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Migrated:
    """What came out: texts by path, tiers by workflow, codes of findings, reasons why units stay."""

    before: dict[str, str]
    texts: dict[str, str]
    tiers: dict[str, str]
    codes: list[str]
    reasons: list[str]

    @property
    def text(self) -> str:
        """The only file, changed or not."""
        (path,) = self.before
        return self.texts.get(path, self.before[path])


@pytest.fixture
def migrate(tmp_path: Path):
    """Migrate one text, or files by path."""

    def run(source: str | dict[str, str]) -> Migrated:
        files = source if isinstance(source, dict) else {"flow.py": source}
        before = {name: textwrap.dedent(text).lstrip("\n") for name, text in files.items()}
        for name, text in before.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        project = load(discover([tmp_path]), packages=SOURCE.packages, types=SOURCE.types).project
        job = plan(project, SOURCE)
        outcome = settle(job)
        assert not outcome.problems, {path: problem.reason for path, problem in outcome.problems.items()}
        units = [unit for unit in job.survey.units if unit.kind == "workflow"]
        tiers = {unit.name: job.tier(unit) if job.converts(unit) else "held" for unit in units}
        needs = [need.message for unit in job.survey.units for need in unit.needs if need.message]
        blockers = [blocker.message for blocker in job.colouring.blockers]
        codes = [finding.code for finding in sorted([*job.survey.findings, *job.findings])]
        return Migrated(before, outcome.texts, tiers, codes, needs + blockers)

    return run


#: What most snippets begin with: a step, and room for the body of one workflow.
HEAD = """
import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

LIMIT = timedelta(seconds=10)


@activity.defn
async def act(n: int) -> int:
    return n


"""


@pytest.fixture
def workflow(migrate):
    """Migrate the body of one ``run(self, n: int)``; returns the new body without the signature, and the rest."""

    def run(body: str, *, more: str = "") -> Migrated:
        text = textwrap.indent(textwrap.dedent(body).strip("\n"), "        ")
        source = (
            f"{HEAD}@workflow.defn\nclass Flow:\n    @workflow.run\n    async def run(self, n: int) -> int:\n{text}\n"
        )
        rest = textwrap.dedent(more).strip("\n")
        return migrate(source + ("\n\n" + rest + "\n" if rest else ""))

    return run


def body_of(text: str, name: str = "flow") -> str:
    """Return the body of a function, dedented."""
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith(f"def {name}("))
    while not lines[start].rstrip().endswith(":"):
        start += 1
    indent = len(lines[start]) - len(lines[start].lstrip())
    body = []
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        body.append(line)
    return textwrap.dedent("\n".join(body)).strip("\n")


@pytest.fixture
def body(workflow):
    """Migrate the body of one run method; returns the new body."""

    def run(source: str) -> str:
        done = workflow(source)
        assert done.tiers["Flow"] != "held", done.reasons
        return body_of(done.text)

    return run


@pytest.fixture
def held(workflow):
    """Check that a body keeps its program as it is; returns the reasons."""

    def run(source: str, *, more: str = "") -> str:
        done = workflow(source, more=more)
        assert done.tiers["Flow"] == "held"
        assert more or not done.texts  # what else is in the file may move
        return "\n".join(done.reasons)

    return run
