"""Local names for imported things: reuse what the file has, else the plain name, else an alias."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate.index.model import Module, Scope
    from migrate.plan.edits import FilePlan
    from migrate.plan.job import Job

#: What an alias starts with when the plain name is taken.
ALIAS_PREFIX: Final = "resonate_"


def choose_local_name(plan: FilePlan, target: str, prefer: str = "") -> tuple[str, bool]:
    """Choose the name that ``target`` has in the file.

    Args:
        plan: the file, with the names wanted so far.
        target: dotted name.
        prefer: local name to prefer instead of the last part.

    Returns:
        The local name, and whether the file (or an earlier wish of the same group) imports it already.
    """
    existing = imported_as(plan.module, target)
    if existing is not None:
        return existing, True
    for want in plan.wants:
        if want.target == target:
            return want.local, False
    plain = prefer or target.rsplit(".", 1)[-1]
    taken = (names_in_use(plan.module) - plan.freed) | {want.local for want in plan.wants}
    if plain not in taken:
        return plain, False
    local = ALIAS_PREFIX + plain
    while local in taken:
        local += "_"
    return local, False


def free_names(job: Job) -> None:
    """Let new code have the names of the SDK's imports, in files that move as a whole or not at all."""
    groups: dict[str, set[str | None]] = defaultdict(set)
    for unit in job.survey.units:
        groups[unit.module.path].add(job.groups.name(unit) if job.converts(unit) else None)
    for unit in job.survey.units:
        module, found = unit.module, groups[unit.module.path]
        if len(found) == 1 and None not in found:
            job.file(module, unit).plan.freed.update(
                entry.local
                for entry in module.imports
                if entry.target.split(".")[0] in job.project.packages
                and entry.scope is module.scope
                and is_only_binding(module.scope, entry.local)
            )


def imported_as(module: Module, target: str) -> str | None:
    """Return how the file's module-level imports spell ``target`` today, or None."""
    for entry in module.imports:
        if entry.target == target and entry.scope.kind == "module" and is_only_binding(module.scope, entry.local):
            return entry.local
    parent, _, last = target.rpartition(".")
    if not parent:
        return None
    for entry in module.imports:
        if entry.target == parent and entry.scope.kind == "module" and is_only_binding(module.scope, entry.local):
            return f"{entry.local}.{last}"
    return None


def is_only_binding(scope: Scope, name: str) -> bool:
    """Tell whether a name means one thing in a scope."""
    return len(scope.bindings.get(name, ())) == 1


def names_in_use(module: Module) -> set[str]:
    """Return every name that is bound or read anywhere in the file."""
    names = set(module.loads)
    for scope in {id(scope): scope for scope in module.scope_of.values()}.values():
        names.update(scope.bindings)
    for definition in module.definitions.values():
        names.update(definition.inner.bindings)
    return names
