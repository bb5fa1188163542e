"""The sources by name, and finding out which one a project uses."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Final

from migrate.errors import FileProblem, UsageError
from migrate.source import read_bytes

if TYPE_CHECKING:
    from migrate.discover import Tree
    from migrate.rules.base import Source

#: Import name of each source's SDK; this much must be known before the rules are loaded.
PACKAGES: Final = {"temporal": "temporalio", "dbos": "dbos"}


def load_source(name: str) -> Source:
    """Import the rules of one source.

    Raises:
        UsageError: there is no such source.
    """
    if name not in PACKAGES:
        raise UsageError(f"--from {name!r} is unknown: expected {', '.join(PACKAGES)} or auto")
    source: Source = importlib.import_module(f"migrate.rules.{name}").SOURCE
    return source


def detect(tree: Tree) -> str | None:
    """Return the source whose SDK the project imports, or None if it imports none.

    Raises:
        UsageError: it imports several.
    """
    patterns = {
        name: re.compile(rb"^[ \t]*(?:from|import)[ \t]+" + package.encode() + rb"\b", re.MULTILINE)
        for name, package in PACKAGES.items()
    }
    found: dict[str, str] = {}
    for file in tree.files:
        try:
            data = read_bytes(file, tree.root)
        except FileProblem:
            continue
        for name, pattern in patterns.items():
            if name not in found and PACKAGES[name].encode() in data and pattern.search(data):
                found[name] = tree.name(file)
    if len(found) > 1:
        places = ", ".join(f"{PACKAGES[name]} in {path}" for name, path in found.items())
        raise UsageError(f"the project imports {places}: say --from temporal or --from dbos, one after the other")
    return next(iter(found), None)
