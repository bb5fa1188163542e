"""Run temporalio's own tests on the shim: ``python tests/differential/upstream.py CHECKOUT [PYTEST ARGUMENTS...]``.

The checkout is one of temporalio/sdk-python of the installed version; it is never part of this repository. Prints how
many tests passed, failed, and do not apply because they ask for something that Resonate refuses by name.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent.parent
LIMIT_S: Final = 15
DEFAULT: Final = ["tests/worker/test_workflow.py", "tests/worker/test_activity.py", "tests/test_client.py"]
#: Words of failures that say that a test is about the server, the core or a feature that is refused.
NOT_APPLICABLE: Final = (
    "UnsupportedFeatureError",
    "is not available on Resonate",
    "Nexus",
    "fetch_history",
    "deployment",
    "Replayer",
    "__temporal_",
    "metric",
)


class Judge:
    """Counts outcomes and ends tests that take too long."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failed: list[str] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        def too_long(*_: Any) -> None:
            raise TimeoutError(f"{item.name} took longer than {LIMIT_S} s")

        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.failed:
            return
        kind = report.outcome
        if report.failed and any(word in report.longreprtext for word in NOT_APPLICABLE):
            kind = "not applicable"
        elif report.failed:
            self.failed.append(report.nodeid)
            print(f"FAILED {report.nodeid}: {report.longreprtext.strip().splitlines()[-1][:200]}", flush=True)
        self.counts[kind] += 1


def main() -> int:
    """Run the tests and print the counts."""
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    os.chdir(sys.argv[1])
    sys.path[0] = str(Path.cwd())
    sys.path.append(str(ROOT))
    judge = Judge()
    chosen = sys.argv[2:] or DEFAULT
    options = ["-q", "--no-header", "-p", "compat.temporal.pytest_plugin", "-p", "no:cacheprovider", "--tb=short"]
    pytest.main([*options, *chosen], plugins=[judge])
    print(", ".join(f"{count} {kind}" for kind, count in sorted(judge.counts.items())))
    return 0 if not judge.failed else 1


if __name__ == "__main__":
    sys.exit(main())
