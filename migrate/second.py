"""Would a second run change anything? The result is planned again, from the texts in memory."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.errors import FileProblem
from migrate.index.build import build_module
from migrate.index.names import module_name
from migrate.index.project import Project
from migrate.outcome import settle
from migrate.source import decode, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrate.index.model import Module
    from migrate.outcome import Outcome
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.base import Source


def would_change(
    job: Job, source: Source, outcome: Outcome, root: Path, replan: Callable[[Project], Job]
) -> tuple[str, FileProblem] | None:
    """Return the first file that a second run would change, with the problem to report, or None.

    Args:
        job: the first run's plan.
        source: rules of one SDK.
        outcome: the first run's texts; what it backed out is not tried again.
        root: directory of the run.
        replan: plans a project exactly as the first run did.
    """
    if not outcome.texts or not _imports_sdk(job, outcome):
        return None
    modules = [_after(module, outcome) for module in job.project.modules.values()]
    modules += [_made(path, root, text) for path, text in outcome.texts.items() if path not in job.project.paths]
    second = replan(Project(modules, packages=source.packages, types=source.types))
    left = {_key(unit) for unit in job.survey.units if job.groups.name(unit) in outcome.backed_out}
    without = frozenset(second.groups.name(unit) for unit in second.survey.units if _key(unit) in left)
    for path in sorted(settle(second, without=without).texts):
        return path, FileProblem("RM003", "a second run would change it again")
    return None


def _imports_sdk(job: Job, outcome: Outcome) -> bool:
    packages = job.project.packages
    names = "|".join(re.escape(name) for name in sorted(packages))
    pattern = re.compile(rf"^[ \t]*(?:from|import)[ \t]+(?:{names})\b", re.MULTILINE)
    texts = (outcome.texts.get(path, module.source.text) for path, module in job.project.paths.items())
    return any(pattern.search(text) for text in texts)


def _after(module: Module, outcome: Outcome) -> Module:
    text = outcome.texts.get(module.path)
    if text is None:
        return module
    source = replace(module.source, text=text)
    return build_module(source, parse(source), module.name, is_package=module.is_package)


def _made(path: str, root: Path, text: str) -> Module:
    source = decode(path, root / path, text.encode())
    name, is_package = module_name(root / path, root)
    return build_module(source, parse(source), name, is_package=is_package)


def _key(unit: Unit) -> tuple[str, str, str]:
    return unit.kind, unit.name, unit.module.path
