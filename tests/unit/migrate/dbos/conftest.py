"""Run the DBOS rules over texts, in memory but for the reading."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from migrate.discover import discover
from migrate.engine import plan
from migrate.index.load import load
from migrate.outcome import settle
from migrate.rules.dbos import SOURCE

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


#: What most snippets begin with: steps, a child, and room for the body of one workflow.
HEAD = """
import asyncio
import random
import time
import uuid
from datetime import datetime, timezone

from dbos import DBOS, Queue, SetWorkflowID, SetWorkflowTimeout

queue = Queue("plain")


@DBOS.step()
def act(value: int = 0, *more: int, by: int = 0) -> int:
    return value


@DBOS.step()
async def act_async(value: int) -> int:
    return value


@DBOS.workflow()
def child(value: int) -> int:
    return value


def helper(value: int) -> int:
    return act(value) + 1


"""


@pytest.fixture
def body(migrate):
    """Migrate the body of one workflow, and return the new body."""

    def run(text: str, *, is_async: bool = False) -> str:
        result = migrate(_program(text, is_async=is_async))
        assert result.tiers["flow"] not in ("held", "manual"), result.reasons
        tail = result.text.split("def flow(")[1].split("\n", 1)[1]
        return textwrap.dedent(tail).rstrip("\n")

    return run


@pytest.fixture
def held(migrate):
    """Migrate a program with this body; it must stay as it is. Return the reasons, one a line."""

    def run(text: str, *, is_async: bool = False) -> str:
        source = _program(text, is_async=is_async)
        result = migrate(source)
        assert result.tiers["flow"] in ("held", "manual"), result.text
        assert "@DBOS.workflow()\n" + source.split("@DBOS.workflow()\n")[-1] in result.text
        return "\n".join(result.reasons)

    return run


@pytest.fixture
def outside(migrate):
    """Migrate a function that starts workflows, and return its new body."""

    def run(text: str, *, is_async: bool = False) -> str:
        tail = "\n\nDBOS(config={'name': 'unit'})\nDBOS.launch()\n"
        result = migrate(_function(text, "", is_async=is_async) + tail)
        assert "held" not in result.tiers.values(), result.reasons
        rest = result.text.split("def flow(")[1].split("\n", 1)[1]
        return textwrap.dedent(rest.split("\n\n")[0]).rstrip("\n")

    return run


def _program(text: str, *, is_async: bool) -> str:
    return _function(text, "@DBOS.workflow()\n", is_async=is_async)


def _function(text: str, decorator: str, *, is_async: bool) -> str:
    word = "async def" if is_async else "def"
    header = f"{word} flow(n: int, items: list[int], key: str) -> int:"
    return f"{HEAD}{decorator}{header}\n{textwrap.indent(text, '    ')}\n"
