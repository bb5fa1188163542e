"""Every code, found by the names of the rule modules: ``rm120_execute_activity.py`` holds ``RM120``."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, Final

import migrate.rules
from migrate.errors import UsageError

if TYPE_CHECKING:
    from migrate.rules.base import Rule

_NAME: Final = re.compile(r"rm(\d{3})_\w+")


def rule_modules() -> dict[str, str]:
    """Return the module of every code, sorted by code; nothing is imported."""
    found: dict[str, str] = {}
    for family in pkgutil.iter_modules(migrate.rules.__path__):
        if not family.ispkg:
            continue
        paths = [f"{path}/{family.name}" for path in migrate.rules.__path__]
        for entry in pkgutil.iter_modules(paths):
            match = _NAME.fullmatch(entry.name)
            if match is not None:
                found[f"RM{match[1]}"] = f"migrate.rules.{family.name}.{entry.name}"
    return dict(sorted(found.items()))


def rule(code: str) -> Rule:
    """Return the rule of a code.

    Raises:
        UsageError: there is no such code.
    """
    modules = rule_modules()
    name = modules.get(code.upper())
    if name is None:
        from difflib import get_close_matches  # noqa: PLC0415 - only for the hint

        near = get_close_matches(code.upper(), modules, 1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no rule {code!r}{hint} (resonate-migrate rules lists them)")
    return load(name)


def rules() -> list[Rule]:
    """Return every rule, by code."""
    return [load(name) for name in rule_modules().values()]


def load(name: str) -> Rule:
    """Import a rule module and return its ``RULE``."""
    found: Rule = importlib.import_module(name).RULE
    return found
