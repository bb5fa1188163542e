"""Run temporalio's own tests on the shim: ``python tests/differential/upstream.py CHECKOUT [TEST FILES OR -k ...]``.

The checkout is one of temporalio/sdk-python of the installed version; it is never part of this repository. Every test
file runs in a process of its own. Prints, per file, how many tests passed, failed and do not apply, then every reason
for the last with its count, and every failure. ``upstream_reasons`` says what does not apply and why.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from upstream_reasons import reason_of
from upstream_run import ROOT, Judge, run_all

#: Files with tests of worker, client, activities, updates, testing and converters; and where Nexus and the like stand.
DEFAULT: Final = (
    "tests/worker/test_workflow.py",
    "tests/worker/test_activity.py",
    "tests/worker/test_update_with_start.py",
    "tests/worker/test_worker.py",
    "tests/worker/test_interceptor.py",
    "tests/worker/test_replayer.py",
    "tests/worker/test_payload_size_limits.py",
    "tests/worker/test_extstore.py",
    "tests/worker/test_visitor.py",
    "tests/worker/test_command_aware_visitor.py",
    "tests/worker/test_breakpoint_hang.py",
    "tests/worker/workflow_sandbox",
    "tests/test_client.py",
    "tests/test_activity.py",
    "tests/test_workflow.py",
    "tests/test_converter.py",
    "tests/test_serialization_context.py",
    "tests/test_plugins.py",
    "tests/test_common.py",
    "tests/test_envconfig.py",
    "tests/test_extstore.py",
    "tests/test_service.py",
    "tests/test_client_exports.py",
    "tests/test_workflow_exports.py",
    "tests/testing",
    "tests/contrib/pydantic",
    "tests/contrib/opentelemetry",
)


def run_here(chosen: list[str], results: Path) -> None:
    """Run the chosen tests in this process and write what came of them."""
    sys.path[:2] = [str(Path.cwd())]
    sys.path += [str(ROOT), str(Path(__file__).parent)]
    judge = Judge(results, reason_of)
    options = ["-q", "--no-header", "-p", "compat.temporal.pytest_plugin", "-p", "no:cacheprovider", "--tb=short"]
    for scope in ("fixture", "test"):
        options += ["-o", f"asyncio_default_{scope}_loop_scope=session"]
    pytest.main([*options, *chosen], plugins=[judge])
    os._exit(0)


def prepare(checkout: Path, folder: Path) -> None:
    """Make a folder with the checkout's tests and without its sources, which would hide the installed package."""
    for name in ("tests", "pyproject.toml"):
        (folder / name).symlink_to(checkout.resolve() / name)


def main() -> int:
    """Run the tests and print the counts."""
    if sys.argv[1:2] == ["--here"]:
        run_here(sys.argv[3:], Path(sys.argv[2]))
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    return run_all(__file__, sys.argv[1:], DEFAULT, prepare)


if __name__ == "__main__":
    sys.exit(main())
