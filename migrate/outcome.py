"""Render the planned files, verify them, and back out what fails, group by group, until the rest is sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import FileProblem
from migrate.rewrite.change import change_of
from migrate.rewrite.parallel import render_all
from migrate.verify import check_text

if TYPE_CHECKING:
    from migrate.plan.job import Job


@dataclass
class Outcome:
    """Verified texts.

    Attributes:
        texts: new text by path; new files included.
        problems: files whose edits were backed out, with the first reason.
        backed_out: groups that were left out, with path and reason.
    """

    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, FileProblem] = field(default_factory=dict)
    backed_out: dict[str, tuple[str, FileProblem]] = field(default_factory=dict)


def settle(
    job: Job, *, without: frozenset[str] = frozenset(), line_length: int | None = None, jobs: int = 1
) -> Outcome:
    """Render every planned file without the groups in ``without``; leave out whatever does not pass.

    Each round backs out at least one group, so this ends.
    """
    outcome = Outcome()
    outcome.backed_out.update(job.left_out)
    for group in _with_dependants(job, list(job.left_out)):
        outcome.backed_out.setdefault(group, next(iter(job.left_out.values())))
    without |= job.groups.held()
    paths = set(job.plans)
    while True:
        left_out = without | outcome.backed_out.keys()
        tried = render_all(job, sorted(paths), left_out, line_length=line_length, jobs=jobs)
        failed = {path: text for path, text in tried.items() if isinstance(text, FileProblem)}
        outcome.texts.update({path: text for path, text in tried.items() if isinstance(text, str)})
        if not failed:
            break
        again: set[str] = set()
        for path, problem in failed.items():
            outcome.texts.pop(path, None)
            outcome.problems.setdefault(path, problem)
            for group in _with_dependants(job, _guilty(job, path, left_out, line_length)):
                outcome.backed_out[group] = (path, problem)
                again |= {other for other, plan in job.plans.items() if group in plan.groups()}
        paths = again
    left_out = without | outcome.backed_out.keys()
    outcome.texts = {path: text for path, text in outcome.texts.items() if text != job.plans[path].module.source.text}
    for new in job.new_files.values():
        if new.groups - left_out:
            outcome.texts[new.path] = new.text
    return outcome


def _with_dependants(job: Job, groups: list[str]) -> list[str]:
    """Return groups with those that move only if these go to the shim."""
    return [*groups, *(group for group, needed in job.requires.items() if needed & set(groups))]


def _guilty(job: Job, path: str, left_out: frozenset[str], line_length: int | None) -> list[str]:
    """Return the groups without which a file passes: one if one is enough, else all of the file."""
    groups = sorted(job.plans[path].groups() - left_out)
    if len(groups) > 1:
        for group in groups:
            if isinstance(render_one(job, path, left_out | {group}, line_length), str):
                return [group]
    return groups


def render_one(job: Job, path: str, left_out: frozenset[str], line_length: int | None) -> str | FileProblem:
    """Render and check one file."""
    from migrate.rewrite.rewriter import rewrite  # noqa: PLC0415 - libcst is loaded only when something changes

    plan = job.plans[path]
    source = plan.module.source
    change = change_of(job, plan, left_out, line_length)
    if change.is_empty:
        return source.text
    try:
        text = rewrite(plan.module, change)
        if text != source.text:
            check_text(path, source.text, text)
            source.encode(text)
    except FileProblem as problem:
        return problem
    except AssertionError as error:  # a rule asked for what no file can hold: this file's fault is not the others'
        what = str(error) or "it names a place that does not exist"
        return FileProblem("RM003", f"an edit cannot be made: {what}")
    except UnicodeEncodeError as error:
        return FileProblem("RM005", f"the result does not fit the file's encoding: {error}")
    except RecursionError:
        return FileProblem("RM004", "nested too deeply to be rewritten")
    return text
