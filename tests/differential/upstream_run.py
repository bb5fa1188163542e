"""Running an SDK's own tests on a shim: every file in a process of its own, an outcome for each test, the counts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).resolve().parent.parent.parent
#: Seconds that one test may take, and one file.
LIMIT_S: Final = int(os.environ.get("UPSTREAM_LIMIT_S", "30"))
FILE_LIMIT_S: Final = 3600
OUTCOMES: Final = ("passed", "failed", "not applicable", "skipped")


class Judge:
    """Notes the outcome of every test and ends those that take too long.

    Args:
        results: file that the outcomes are written to.
        reason_of: says why a test, by its id, does not apply; None if it does.
        reason_of_failure: says of the last line of a failure why the test does not apply.
    """

    def __init__(
        self,
        results: Path,
        reason_of: Callable[[str], str | None],
        reason_of_failure: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.results = results
        self.reason_of = reason_of
        self.reason_of_failure = reason_of_failure
        self.outcomes: dict[str, tuple[str, str]] = {}

    def pytest_sessionfinish(self) -> None:
        """Write the outcomes down: a plugin of the SDK may end the process where all tests passed."""
        self.results.write_text(json.dumps(self.outcomes))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be read."""
        if report.failed:
            self._note_failure(report.nodeid, report.longreprtext)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what does not apply."""
        kept = []
        for item in items:
            reason = self.reason_of(item.nodeid)
            if reason is None:
                kept.append(item)
            else:
                self.outcomes[item.nodeid] = ("not applicable", reason)
        items[:] = kept

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Give every test its time."""
        with _limited(item.name):
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Any:
        """Give what comes after it as much."""
        with _limited(item.name):
            yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how it went; a test that fails to set up or to tear down has failed."""
        if report.when != "call" and report.outcome == "passed":
            return
        if self.outcomes.get(report.nodeid, ("",))[0] in ("failed", "not applicable"):
            return
        if report.failed:
            self._note_failure(report.nodeid, report.longreprtext)
        else:
            self.outcomes[report.nodeid] = (report.outcome, "")

    def _note_failure(self, test: str, longrepr: str) -> None:
        errors = [line for line in longrepr.splitlines() if line.startswith("E ")] or longrepr.splitlines()[-1:]
        text = "".join(errors[:1]).removeprefix("E").strip()[:300]
        reason = next((found for line in errors if (found := self.reason_of_failure(line)) is not None), None)
        self.outcomes[test] = ("failed", text) if reason is None else ("not applicable", reason)
        if reason is None:
            print(f"FAILED {test}: {text}", flush=True)


@contextlib.contextmanager
def _limited(name: str) -> Iterator[None]:
    def too_long(*_: Any) -> None:
        raise TimeoutError(f"{name} took longer than {LIMIT_S} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def run_file(script: str, file: str, options: list[str]) -> dict[str, list[str]]:
    """Run one file in a process of its own, ``SCRIPT --here RESULTS FILE ...``; return the outcome of each test."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        command = [sys.executable, script, "--here", str(results), file, *options]
        try:
            subprocess.run(command, check=False, timeout=FILE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return {file: ["failed", f"took longer than {FILE_LIMIT_S} s"]}
        if not results.exists():
            return {file: ["failed", "the process ended early"]}
        found: dict[str, list[str]] = json.loads(results.read_text())
        return found


def run_all(
    script: str, arguments: list[str], default: tuple[str, ...], prepare: Callable[[Path, Path], None]
) -> int:
    """Run the chosen files, or all, in a folder that ``prepare`` fills from the checkout; print the counts."""
    files = [word for word in arguments[1:] if word.startswith("tests/")] or list(default)
    options = [word for word in arguments[1:] if not word.startswith("tests/")]
    outcomes: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(arguments[0]), Path(folder))
        os.chdir(folder)
        for file in files:
            if Path(file.partition("::")[0]).exists():
                outcomes |= run_file(script, file, options)
        os.chdir(ROOT)
    summarize(outcomes)
    return 1 if any(outcome == "failed" for outcome, _ in outcomes.values()) else 0


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
    applicable = total["passed"] + total["failed"]
    if applicable:
        print(f"passed of what applies: {total['passed'] / applicable:.1%}")
    reasons = Counter(text for outcome, text in outcomes.values() if outcome == "not applicable")
    print("\nnot applicable:")
    for reason, count in reasons.most_common():
        print(f"{count:6}  {reason}")
    print("\nfailed:")
    for test, (outcome, text) in sorted(outcomes.items()):
        if outcome == "failed":
            print(f"  {test}: {text}")
