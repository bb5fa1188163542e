"""The plan of a run: index in, decisions and edits out. Nothing is rendered here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.findings import TIERS
from migrate.plan.colouring import colour_project
from migrate.plan.groups import Groups
from migrate.plan.job import Job
from migrate.plan.shims import move_to_shim, refused_units
from migrate.plan.signatures import edit_coloured

if TYPE_CHECKING:
    from migrate.findings import Tier
    from migrate.index.project import Project
    from migrate.plan.colouring import Colouring
    from migrate.plan.survey import Survey, Unit
    from migrate.rules.base import Source


def plan(project: Project, source: Source, *, max_tier: Tier = "helper", survey: Survey | None = None) -> Job:
    """Survey, colour, group, and record the edits of what converts.

    Args:
        project: the index.
        source: rules of one SDK.
        max_tier: units of a worse tier stay.
        survey: what the source found, if it was asked already.
    """
    if survey is None:
        survey = source.survey(project)
    colouring = colour_project(project, survey)
    job = Job(project, survey, colouring, _groups(project, source, survey, colouring, max_tier), source=source.name)
    edit_coloured(job)
    source.edit(job)
    if TIERS.index(max_tier) >= TIERS.index("compat"):
        move_to_shim(job, source.name)
    return job


def _groups(project: Project, source: Source, survey: Survey, colouring: Colouring, max_tier: Tier) -> Groups:
    """Group until it is clear what stays and cannot go to the shim: there, no shim stands between old and new."""
    refused: dict[Unit, str] = {}
    while True:
        groups = Groups(survey, colouring, max_tier, unshimmed=refused)
        more = refused_units(project, survey, groups, source.name)
        if not (groups.bridged() or groups.carried()) or more.keys() <= refused.keys():
            return groups
        refused |= more
