"""Rename a definition with every mention of it over the project."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from migrate.plan.fragments import code

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.index.references import Reference
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit


def rename_everywhere(job: Job, definition: Definition, name: str, unit: Unit, rule: str) -> None:
    """Record the edits; mentions under an ``as`` name keep that name."""
    node = definition.node
    job.file(definition.module, unit).rename(node, name, code=rule)
    for reference in job.project.references(definition):
        _rename_mention(job, reference, definition.name, name, unit, rule)


def _rename_mention(job: Job, reference: Reference, old: str, new: str, unit: Unit, rule: str) -> None:  # noqa: PLR0917 - a finding has as many parts
    file = job.file(reference.module, unit)
    node = reference.node
    if isinstance(node, ast.alias):
        if node.name.rpartition(".")[2] == old:
            file.rename_import(node, new)
    elif isinstance(node, ast.Name):
        if node.id == old:
            file.replace(node, new, code=rule)
    elif isinstance(node, ast.Attribute):
        if node.attr == old:
            file.replace(node, code("{}." + new, node.value), code=rule)
    elif isinstance(node, ast.Constant):
        text = job.project.source_of(reference.module, node)
        file.replace(node, re.sub(rf"\b{re.escape(old)}\b", new, text), code=rule)
