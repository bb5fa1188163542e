"""Run dbos's own tests on the shim: ``python tests/differential/upstream_dbos.py CHECKOUT [TEST FILES OR -k ...]``.

The checkout is one of dbos-inc/dbos-transact-py; it is never part of this repository. Its ``conftest.py`` sets up a
database by private modules of dbos; ``upstream_dbos_fixtures`` stands in its place. Prints, per file, how many tests
passed, failed and do not apply, every reason for the last with its count, and every failure.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from upstream_dbos_reasons import reason_of, reason_of_failure
from upstream_run import ROOT, Judge, run_all

DEFAULT: Final = tuple(
    f"tests/test_{name}.py"
    for name in (
        *("dbos", "async", "workflow_management", "async_workflow_management", "workflow_introspection", "queue"),
        *("client", "debouncer", "streaming", "scheduler", "scheduler_decorator", "datasource", "failures"),
        *("concurrency", "concurrency_primitives", "classdecorators", "attributes", "duplication_policy", "auth"),
        *("outcome", "singleexec", "singleexec_async", "singleton", "sqlalchemy", "fastapi", "flask", "patch"),
        *("serialization", "spans", "kafka", "config"),
    )
)


def run_here(chosen: list[str], results: Path) -> None:
    """Run the chosen tests in this process and write what came of them."""
    sys.path[:2] = [str(Path.cwd())]
    sys.path += [str(ROOT), str(Path(__file__).parent)]
    import upstream_dbos_private

    upstream_dbos_private.install()
    judge = Judge(results, reason_of, reason_of_failure)
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "--tb=short", "-o", "asyncio_mode=strict"]
    pytest.main([*options, *chosen], plugins=[judge])
    sys.stdout.flush()
    os._exit(0)


def prepare(checkout: Path, folder: Path) -> None:
    """Make a folder with the checkout's tests, but not its ``conftest.py``."""
    (folder / "tests").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    for path in (checkout.resolve() / "tests").iterdir():
        if path.name != "conftest.py":
            (folder / "tests" / path.name).symlink_to(path)
    (folder / "tests" / "conftest.py").write_text("from upstream_dbos_fixtures import *\n")


def main() -> int:
    """Run the tests and print the counts."""
    if sys.argv[1:2] == ["--here"]:
        run_here(sys.argv[3:], Path(sys.argv[2]))
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    return run_all(__file__, sys.argv[1:], DEFAULT, prepare)


if __name__ == "__main__":
    sys.exit(main())
