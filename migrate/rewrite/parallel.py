"""Render many files, in several processes where that pays.

Processes are forked: they inherit the plan, and only texts travel back. Where there is no fork, and for small runs,
files are rendered one after the other.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from migrate.limits import PARALLEL_LINES_MIN

if TYPE_CHECKING:
    from migrate.errors import FileProblem
    from migrate.plan.job import Job

#: What a forked process works on; set just before the fork.
_work: tuple[Job, frozenset[str], int | None] | None = None


def render_all(
    job: Job, paths: list[str], left_out: frozenset[str], *, line_length: int | None, jobs: int
) -> dict[str, str | FileProblem]:
    """Return each file's new text, or why there is none."""
    global _work  # noqa: PLW0603 - a fork inherits globals, nothing else
    sizes = {path: len(job.plans[path].module.source.lines) for path in paths}
    _work = (job, left_out, line_length)
    try:
        if jobs > 1 and len(paths) > 1 and sum(sizes.values()) >= PARALLEL_LINES_MIN and _can_fork():
            largest_first = sorted(paths, key=lambda path: -sizes[path])
            with multiprocessing.get_context("fork").Pool(min(jobs, len(paths))) as pool:
                return dict(pool.imap_unordered(_render, largest_first, chunksize=_chunk(len(paths), jobs)))
        return dict(map(_render, paths))
    finally:
        _work = None


def _can_fork() -> bool:
    return "fork" in multiprocessing.get_all_start_methods()


def _chunk(count: int, jobs: int) -> int:
    return max(1, min(16, count // (jobs * 4)))


def _render(path: str) -> tuple[str, str | FileProblem]:
    from migrate.outcome import render_one  # noqa: PLC0415 - it imports this module

    assert _work is not None
    job, left_out, line_length = _work
    return path, render_one(job, path, left_out, line_length)
