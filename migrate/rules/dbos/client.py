"""Where the client object of a migrated program lives, and how each file names it.

A program of one file keeps it in that file, where ``DBOS(...)`` stood if every use can see it there, else at the top.
A program of several files gets one generated module, ``resonate_app.py`` next to the entry point, and imports it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from migrate.plan.naming import names_in_use
from migrate.rules.dbos.nodes import statement_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts, WiringSite

APP_MODULE: Final = "resonate_app"
NAME: Final = "resonate"
CODE: Final = "RM260"
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Home:
    """Where the client object is made.

    Attributes:
        kind: "here" in the place of ``DBOS(...)``, "top" below the imports of the only file, "app" in its own module.
        module: file that makes it; for "app" the entry point that the generated module stands next to.
        name: variable.
    """

    kind: Literal["here", "top", "app"]
    module: Module
    name: str


def find_home(facts: Facts, job: Job) -> Home | None:
    """Decide where the client object lives; None if nothing that converts needs one."""
    sites = [site for site in facts.client_sites if job.converts(site.unit)]
    places: list[At | WiringSite] = [*sites, *facts.wiring]
    modules = sorted({site.module for site in places}, key=lambda one: one.path)
    constructs = [site for site in facts.wiring if site.kind == "construct"]
    if not places:
        return None
    own = [site.module for site in constructs if not site.module.is_test] or [site.module for site in constructs]
    entry = own[0] if own else modules[0]
    if len(modules) > 1:
        return Home("app", entry, NAME)
    name = _free_name(entry)
    if len(constructs) == 1 and all(_is_seen(entry, constructs[0].node, site.node) for site in places):
        return Home("here", entry, name)
    return Home("top", entry, name)


def _free_name(module: Module) -> str:

    return NAME if NAME not in names_in_use(module) else f"{NAME}_client"


def _is_seen(module: Module, construct: ast.AST, site: ast.AST) -> bool:
    """Tell whether a variable assigned where ``construct`` stands is seen at ``site``."""
    if construct is site:
        return True
    function = module.function_around(construct)
    if function is not None:
        return function.node in module.ancestors(site)
    top_level = module.parents.get(statement_of(module, construct)) is module.tree
    return top_level or module.function_around(site) is None


def client_name(facts: Facts, job: Job, at: At) -> str:
    """Return how a file names the client object, importing it if it is made elsewhere."""
    home = facts.home(job)
    assert home is not None, "a place that needs the client was not noted as one"
    if home.kind != "app":
        return home.name
    return at.file(job).name(f"{spelled(facts, at.module, home.module)}.{NAME}")


def app_path(home: Home) -> str:
    """Return the path of the generated module."""
    return "/".join([*home.module.path.split("/")[:-1], f"{APP_MODULE}.py"])


def spelled(facts: Facts, importer: Module, entry: Module) -> str:
    """Return the dotted name by which ``importer`` can import the generated module.

    A script that imports its neighbours without their package goes on doing so: the way the file (else the entry point)
    names other files of the project is followed.
    """
    parent = entry.name if entry.is_package else entry.name.rpartition(".")[0]
    full = f"{parent}.{APP_MODULE}" if parent else APP_MODULE
    for module in (importer, entry):
        cut = _cut(facts, module)
        if cut is not None:
            return full.removeprefix(cut)
    return full


def _cut(facts: Facts, module: Module) -> str | None:
    """Return what a file's absolute imports leave out of the names of the project's modules, or None if it has none."""
    for entry in module.imports:
        if isinstance(entry.statement, ast.ImportFrom) and entry.statement.level:
            continue
        text = entry.statement.module or "" if isinstance(entry.statement, ast.ImportFrom) else entry.alias.name
        found = facts.project.finder.find(module, text) if text else None
        if found is not None and found.name.endswith(text):
            return found.name[: -len(text)]
    return None
