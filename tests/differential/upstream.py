"""Run temporalio's own tests on the shim: ``python tests/differential/upstream.py CHECKOUT [TEST FILES OR -k ...]``.

The checkout is one of temporalio/sdk-python of the installed version; it is never part of this repository. Every test
file runs in a process of its own. Prints, per file, how many tests passed, failed and do not apply, then every reason
for the last with its count, and every failure. ``upstream_reasons`` says what does not apply and why.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent.parent
#: Seconds that one test may take, and one file.
LIMIT_S: Final = int(os.environ.get("UPSTREAM_LIMIT_S", "30"))
FILE_LIMIT_S: Final = 3600
OUTCOMES: Final = ("passed", "failed", "not applicable", "skipped")
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


class Judge:
    """Notes the outcome of every test and ends those that take too long."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.outcomes: dict[str, tuple[str, str]] = {}

    def pytest_sessionfinish(self) -> None:
        """Write the outcomes down: temporalio's own plugin ends the process where all tests passed."""
        self.results.write_text(json.dumps(self.outcomes))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what does not apply."""
        from upstream_reasons import reason_of

        kept = []
        for item in items:
            reason = reason_of(item.nodeid)
            if reason is None:
                kept.append(item)
            else:
                self.outcomes[item.nodeid] = ("not applicable", reason)
        items[:] = kept

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Give every test its time."""

        def too_long(*_: Any) -> None:
            raise TimeoutError(f"{item.name} took longer than {LIMIT_S} s")

        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how it went; a test that fails to set up or to tear down has failed."""
        if report.when != "call" and report.outcome == "passed":
            return
        text = report.longreprtext.strip().splitlines()[-1:] if report.failed else []
        if self.outcomes.get(report.nodeid, ("",))[0] != "failed":
            self.outcomes[report.nodeid] = (report.outcome, "".join(text)[:300])
            if report.failed:
                print(f"FAILED {report.nodeid}: {''.join(text)[:300]}", flush=True)


def run_here(chosen: list[str], results: Path) -> None:
    """Run the chosen tests in this process and write what came of them."""
    sys.path[0] = str(Path.cwd())
    sys.path += [str(ROOT), str(Path(__file__).parent)]
    judge = Judge(results)
    options = ["-q", "--no-header", "-p", "compat.temporal.pytest_plugin", "-p", "no:cacheprovider", "--tb=short"]
    for scope in ("fixture", "test"):
        options += ["-o", f"asyncio_default_{scope}_loop_scope=session"]
    pytest.main([*options, *chosen], plugins=[judge])
    os._exit(0)


def run_file(file: str, options: list[str]) -> dict[str, list[str]]:
    """Run one file in a process of its own and return the outcome of each of its tests."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        command = [sys.executable, __file__, "--here", str(results), file, *options]
        try:
            subprocess.run(command, check=False, timeout=FILE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return {file: ["failed", f"took longer than {FILE_LIMIT_S} s"]}
        if not results.exists():
            return {file: ["failed", "the process ended early"]}
        found: dict[str, list[str]] = json.loads(results.read_text())
        return found


def prepare(checkout: Path, folder: Path) -> None:
    """Make a folder with the checkout's tests and without its sources, which would hide the installed package."""
    for name in ("tests", "pyproject.toml"):
        (folder / name).symlink_to(checkout.resolve() / name)


def summarize(outcomes: dict[str, list[str]]) -> None:
    """Print the counts per file, the reasons and the failures."""
    files: dict[str, Counter[str]] = {}
    for test, (outcome, _) in outcomes.items():
        files.setdefault(test.partition("::")[0], Counter())[outcome] += 1
    print(f"\n{'file':60}" + "".join(f"{name:>16}" for name in OUTCOMES))
    for file, counts in sorted(files.items()):
        print(f"{file:60}" + "".join(f"{counts[name]:>16}" for name in OUTCOMES))
    total = sum(files.values(), Counter[str]())
    print(f"{'all':60}" + "".join(f"{total[name]:>16}" for name in OUTCOMES))
    reasons = Counter(text for outcome, text in outcomes.values() if outcome == "not applicable")
    print("\nnot applicable:")
    for reason, count in reasons.most_common():
        print(f"{count:6}  {reason}")
    print("\nfailed:")
    for test, (outcome, text) in sorted(outcomes.items()):
        if outcome == "failed":
            print(f"  {test}: {text}")


def main() -> int:
    """Run the tests and print the counts."""
    if sys.argv[1:2] == ["--here"]:
        run_here(sys.argv[3:], Path(sys.argv[2]))
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    checkout = Path(sys.argv[1])
    files = [word for word in sys.argv[2:] if word.startswith("tests/")] or list(DEFAULT)
    options = [word for word in sys.argv[2:] if not word.startswith("tests/")]
    outcomes: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(checkout, Path(folder))
        os.chdir(folder)
        for file in files:
            if Path(file.partition("::")[0]).exists():
                outcomes |= run_file(file, options)
        os.chdir(ROOT)
    summarize(outcomes)
    return 1 if any(outcome == "failed" for outcome, _ in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
