"""The DBOS source: 2.x and 3.x programs to Resonate generator code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.naming import free_names
from migrate.rules.dbos import rm260_wiring, vocabulary
from migrate.rules.dbos.facts import DbosSurvey
from migrate.rules.dbos.survey import survey as survey_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.index.project import Project
    from migrate.plan.job import Job
    from migrate.plan.survey import Survey


class DbosSource:
    """Everything about DBOS."""

    name: Final = "dbos"
    packages: Final = (vocabulary.PACKAGE,)
    types: Final[Mapping[str, str]] = vocabulary.TYPES

    def survey(self, project: Project) -> Survey:
        """Find workflows, steps, helpers, clients and wiring."""
        return survey_project(project).survey

    def edit(self, job: Job) -> None:
        """Record the edits for the units that convert."""
        assert isinstance(job.survey, DbosSurvey)
        facts = job.survey.facts
        assert facts is not None
        free_names(job)
        for unit, edit in facts.planned:
            if job.converts(unit):
                edit(job)
        rm260_wiring.edit(job, facts)


SOURCE: Final = DbosSource()
