"""Move what stays onto the drop-in shim: its imports change, its code does not.

A group that is held back runs on the shim if every import of the SDK in its files is of a module that the shim has.
Groups that share a file move together or not at all. This is the tier ``compat``; ``--max-tier helper`` leaves it out.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from migrate.targets import SHIMS, Shim

if TYPE_CHECKING:
    from migrate.index.model import Import, Module
    from migrate.index.project import Project
    from migrate.plan.groups import Groups
    from migrate.plan.job import Job
    from migrate.plan.survey import Survey, Unit

#: Code of the engine's own edits.
SHIM_CODE = "RM013"


def move_to_shim(job: Job, source: str) -> None:
    """Record the import moves of every held group that can run on the shim of ``source``."""
    shim = SHIMS.get(source)
    if shim is None:
        return
    files = _files_of_held_groups(job.survey, job.groups)
    blocked = _refused_groups(job.project, files, shim)
    job.unshimmed.update(blocked)
    for module, units in files.items():
        for group, unit in units.items():
            if group not in blocked:
                job.shimmed[group] = f"{group} on the shim"
                _move(job, module, unit, shim)
    for user, used in job.groups.carried():
        job.requires[job.groups.name(user)].add(job.shimmed[job.groups.name(used)])
    for user, used in job.groups.bridged():
        if job.groups.name(user) in job.shimmed:  # a test that cannot go there takes nothing along
            job.requires[job.groups.name(used)].add(job.shimmed[job.groups.name(user)])


def refused_units(project: Project, survey: Survey, groups: Groups, source: str) -> dict[Unit, str]:
    """Return the units that stay and that the shim cannot take, each with what it does not have."""
    shim = SHIMS.get(source)
    if shim is None:
        return {}
    blocked = _refused_groups(project, _files_of_held_groups(survey, groups), shim)
    return {unit: blocked[name] for unit in survey.units if (name := groups.name(unit)) in blocked}


def _files_of_held_groups(survey: Survey, groups: Groups) -> dict[Module, dict[str, Unit]]:
    """Return the files in which held groups have units, with one unit of each group."""
    files: dict[Module, dict[str, Unit]] = defaultdict(dict)
    for unit in survey.units:
        if not groups.converts(unit):
            files[unit.module].setdefault(groups.name(unit), unit)
    return files


def _refused_groups(project: Project, files: dict[Module, dict[str, Unit]], shim: Shim) -> dict[str, str]:
    stuck = {module: name for module in files if (name := _obstacle(project, module, shim))}
    blocked = {group: f"{module.path} uses {name}" for module, name in stuck.items() for group in files[module]}
    _spread(blocked, files)
    return blocked


def _spread(blocked: dict[str, str], files: dict[Module, dict[str, Unit]]) -> None:
    """A group that shares a file with a blocked one is blocked as well, and so on, for the same reason."""
    size = -1
    while size != len(blocked):
        size = len(blocked)
        for units in files.values():
            reason = next((blocked[group] for group in units if group in blocked), None)
            if reason is not None:
                blocked.update({group: reason for group in units if group not in blocked})


def _obstacle(project: Project, module: Module, shim: Shim) -> str:
    """Return the first name of the SDK in a file that the shim does not have, or nothing."""
    for entry in _imports(module, shim):
        if not shim.has(_module_of(entry)) or shim.refuses(entry.target):
            return entry.target
    for base in module.stars:
        if base.split(".")[0] == shim.package:
            return f"{base}.*"
    for node in module.sites:
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = project.external(module, node)
            if shim.refuses(name):
                return name
    return ""


def _imports(module: Module, shim: Shim) -> list[Import]:
    return [entry for entry in module.imports if entry.target.split(".")[0] == shim.package]


def _module_of(entry: Import) -> str:
    """Return the SDK's module that an import takes something from."""
    return entry.alias.name if isinstance(entry.statement, ast.Import) else entry.statement.module or ""


def _move(job: Job, module: Module, unit: Unit, shim: Shim) -> None:
    file = job.shim_file(module, unit)
    for entry in _imports(module, shim):
        if isinstance(entry.statement, ast.ImportFrom):
            file.move_import(entry.statement, shim.moved(entry.statement.module or ""), code=SHIM_CODE)
        else:
            file.replace(entry.alias, _alias(entry.alias, shim), code=SHIM_CODE)
    for node in module.sites:
        is_package = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id == shim.package
        if is_package and job.project.external(module, node) == shim.package:
            file.replace(node, shim.target, code=SHIM_CODE)


def _alias(alias: ast.alias, shim: Shim) -> str:
    name = shim.moved(alias.name)
    return f"{name} as {alias.asname}" if alias.asname else name
