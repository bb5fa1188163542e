"""What is to be done to one file, picked from the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from migrate.plan.edits import Edit, FilePlan, ImportRename, Want
    from migrate.plan.job import Job


@dataclass(frozen=True)
class Change:
    """What is to be done to one file.

    Attributes:
        edits: edits, in the order of the rules.
        wants: names to import.
        renames: import entries that import another name.
        moves: import statements that take their names from another module.
        packages: top-level names of the SDK that is left behind.
        first_party: top-level names of the project's own modules.
        freed: names of the old SDK's imports that new code has taken over.
        line_length: configured width, or None to take the file's own.
    """

    edits: list[Edit]
    wants: list[Want]
    renames: list[ImportRename]
    moves: dict[ast.ImportFrom, str] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    first_party: frozenset[str] = frozenset()
    line_length: int | None = None
    freed: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.edits or self.wants or self.renames or self.moves)


def change_of(job: Job, plan: FilePlan, without: frozenset[str], line_length: int | None) -> Change:
    """Return what is to be done to a file, leaving out some groups."""
    return Change(
        [edit for edit in plan.edits if edit.group not in without],
        [want for want in plan.wants if want.group not in without],
        [one for one in plan.renames if one.group not in without],
        {one.statement: one.module for one in plan.moves if one.group not in without},
        packages=job.project.packages,
        first_party=frozenset(name.split(".")[0] for name in job.project.modules),
        line_length=line_length,
        freed=frozenset(plan.freed),
    )
