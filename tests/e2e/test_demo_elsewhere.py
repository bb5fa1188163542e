"""The demo applications beyond one file: on a server of ours, and the Temporal one as it is, on the shim."""

from __future__ import annotations

import dataclasses
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests import programs
from tests.differential import sides
from tests.differential.originals import free_port
from tests.differential.plan import CASES, Case, load, trace_differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORAL = load(CASES / "temporal" / "demo")
DBOS = load(CASES / "dbos" / "demo")


def check(case: Case, side: sides.Side) -> None:
    for number, run in enumerate(case.runs):
        seen = side.run(run, number)
        assert seen.output == run.output
        assert trace_differences(run.steps, seen.trace) == []


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def server_url(tmp_path: Path) -> Iterator[str]:
    """Serve a file on loopback, as the README says."""
    port = free_port()
    command = [
        "-c",
        "from resonate_core.cli import main; main()",
        "serve",
        "--port",
        str(port),
        "--db",
        str(tmp_path / "served.db"),
    ]
    server = programs.start(command, folder=tmp_path, env={}, name="server", logs=tmp_path)
    url = f"http://127.0.0.1:{port}"
    try:
        programs.wait_for(lambda: answers(url), f"answer of {url}", seconds=30, alive=[server])
        yield url
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("case", [TEMPORAL, DBOS], ids=["temporal", "dbos"])
def test_migrated_demo_on_a_server_fulfils_its_plan(case: Case, tmp_path: Path, server_url: str):
    side, _ = sides.migrated(case, tmp_path)
    check(case, dataclasses.replace(side, env={**side.env, "RESONATE_URL": server_url}))


@pytest.mark.slow
@pytest.mark.original
def test_unchanged_temporal_demo_on_the_shim_fulfils_its_plan(tmp_path: Path):
    on_shim = dataclasses.replace(
        TEMPORAL,
        worker=["-m", "compat.temporal", *TEMPORAL.worker],
        client=["-m", "compat.temporal", *TEMPORAL.client],
    )
    side = sides.original(on_shim, tmp_path, temporal_address=None, sitecustomize=None)
    check(on_shim, dataclasses.replace(side, env={**side.env, "RESONATE_URL": f"sqlite:///{tmp_path / 'shim.db'}"}))
