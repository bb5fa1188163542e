"""One run without the file system at its ends: index in, new texts and findings out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import FileProblem
from migrate.plan.colouring import colour_project
from migrate.plan.groups import Groups
from migrate.plan.job import Job
from migrate.plan.signatures import edit_coloured
from migrate.rewrite.rewriter import Change, rewrite

if TYPE_CHECKING:
    from migrate.findings import Tier
    from migrate.index.project import Project
    from migrate.plan.edits import FilePlan
    from migrate.rules.base import Source


@dataclass
class Draft:
    """Planned and rendered, not yet verified.

    Attributes:
        job: the plan.
        texts: new text of each changed file.
        problems: files whose edits cannot be made.
    """

    job: Job
    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, FileProblem] = field(default_factory=dict)


def plan(project: Project, source: Source, *, max_tier: Tier = "helper") -> Job:
    """Survey, colour, group, and record the edits."""
    survey = source.survey(project)
    colouring = colour_project(project, survey)
    job = Job(project, survey, colouring, Groups(survey, colouring, max_tier))
    edit_coloured(job)
    source.edit(job)
    return job


def change_of(job: Job, plan: FilePlan, without: frozenset[str] = frozenset()) -> Change:
    """Return what is to be done to a file, leaving out some groups."""
    return Change(
        [edit for edit in plan.edits if edit.group not in without],
        [want for want in plan.wants if want.group not in without],
        [one for one in plan.renames if one.group not in without],
        packages=job.project.packages,
        first_party=frozenset(name.split(".")[0] for name in job.project.modules),
    )


def draft(job: Job) -> Draft:
    """Render every planned file."""
    result = Draft(job)
    for path, planned in job.plans.items():
        try:
            text = rewrite(planned.module, change_of(job, planned))
        except FileProblem as problem:
            result.problems[path] = problem
            continue
        if text != planned.module.source.text:
            result.texts[path] = text
    return result
