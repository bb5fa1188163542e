"""Cases of one test function run side by side: most of their time they wait for servers and for programs to start."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from tests.differential.plan import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

#: Programs at once. More of them only make each other slow on a small machine.
AT_ONCE: Final = 6
#: Programs at once whose waits are measured: they are idle for most of their time.
QUIET_AT_ONCE: Final = 3


class Ahead:
    """Begins all selected cases of a test function when the first of them is asked for."""

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._quiet_pool = ThreadPoolExecutor(QUIET_AT_ONCE)
        self._begun: dict[str, Future[None]] = {}

    def run(self, node: pytest.Item, job: Callable[[Case, Path], None]) -> None:
        """Return when the case of this test is done; raise what it raised.

        Args:
            node: the test that asks.
            job: carries out one case in a folder of its own.
        """
        if node.nodeid not in self._begun:
            self._begin_all(node, job)
        self._begun[node.nodeid].result()

    def _begin_all(self, node: pytest.Item, job: Callable[[Case, Path], None]) -> None:
        loud: list[Future[None]] = []
        quiet: list[tuple[str, Case]] = []
        for other in node.session.items:
            case = _case_of(other)
            if case is None or _function(other) is not _function(node):
                continue
            if _wants_quiet(case):
                quiet.append((other.nodeid, case))
                continue
            self._begun[other.nodeid] = self._pool.submit(job, case, self._new_folder(case.name))
            loud.append(self._begun[other.nodeid])

        def when_quiet(case: Case, folder: Path) -> None:
            wait(loud)
            job(case, folder)

        for nodeid, case in quiet:
            self._begun[nodeid] = self._quiet_pool.submit(when_quiet, case, self._new_folder(case.name))

    def close(self) -> None:
        """Begin nothing more, and wait for what runs."""
        self._pool.shutdown(cancel_futures=True)
        self._quiet_pool.shutdown(cancel_futures=True)


def quiet_last(items: list[pytest.Item]) -> list[pytest.Item]:
    """Order tests so that, of each test function, those come last that must have the machine to themselves."""
    found: list[pytest.Item] = []
    for _, group in groupby(items, key=_function):
        found += sorted(group, key=lambda node: (case := _case_of(node)) is not None and _wants_quiet(case))
    return found


def _case_of(node: pytest.Item) -> Case | None:
    parameters: dict[str, Any] = getattr(getattr(node, "callspec", None), "params", {})
    case = parameters.get("case")
    return case if isinstance(case, Case) else None


def _function(node: pytest.Item) -> object:
    return getattr(node, "function", None)


def _wants_quiet(case: Case) -> bool:
    """Whether a case measures time: others would disturb it. A kill waits for its moment by the trace."""
    return any(run.waits for run in case.runs)
