"""Who may import whom. Imports inside functions and for type checkers count as well."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

import pytest

from tests.tidy.tree import Import, imports_of, name_of, python_files

#: Brought by the base install; may be imported at the top of a module.
BASE: Final = {
    "resonate_core": {"msgspec", "aiohttp", "croniter"},
    "migrate": {"libcst", "click", "jinja2", "rich", "pathspec"},
    "compat": {"temporalio", "google", "croniter"},
}
#: Brought by an extra or by the user's project; imported where they are needed, never at the top of a module.
LAZY: Final = {
    "resonate_core": {
        *("cryptography", "opentelemetry", "pydantic", "pydantic_core", "resonate_nats", "resonate_pg", "sqlalchemy")
    },
    "migrate": set(),
    "compat": {"opentelemetry", "sqlalchemy", "starlette"},
}


@dataclass(frozen=True)
class Area:
    """What the files below some folders may import of ours, and what they must not import at all."""

    folder: str
    ours: tuple[str, ...]
    never: tuple[str, ...] = ()


#: What the two shims have in common: the error for what cannot be honoured.
SHARED: Final = ("compat.program", "compat.unsupported")

AREAS: Final = [
    Area("resonate_core", ours=("resonate_core",), never=("temporalio", "dbos", "libcst")),
    Area("compat/temporal", ours=("resonate_core", "compat.temporal", *SHARED)),
    Area("compat/dbos", ours=("resonate_core", "compat.dbos", *SHARED), never=("dbos", "temporalio")),
    Area("migrate", ours=("migrate",), never=("temporalio", "dbos")),
]
OURS: Final = ("resonate_core", "compat", "migrate")
#: Standard library of a newer Python than the one that runs the tests.
NEWER: Final = {"annotationlib"}


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def forbidden(area: Area, item: Import) -> str | None:
    """Say why an import is not allowed in an area; None if it is."""
    if is_in(item.module, area.never):
        return f"{area.folder} must not import {item.module}"
    full = item.module if item.name is None else f"{item.module}.{item.name}"
    if is_in(item.module, OURS) and not is_in(full, area.ours):
        return f"{area.folder} may import {', '.join(area.ours)} of ours, not {full}"
    if area.folder.startswith("compat") and item.module.startswith("resonate_core."):
        return f"compat uses the public names of resonate_core, not {item.module}"
    return None


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.folder)
def test_imports_of_ours_follow_the_table(area: Area):
    files = [path for path in python_files(area.folder.split("/")[0]) if name_of(path).startswith(f"{area.folder}/")]
    wrong = [
        f"{name_of(path)}:{item.line}: {reason}"
        for path in files
        for item in imports_of(path)
        if (reason := forbidden(area, item)) is not None
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ["resonate_core", "migrate", "compat"])
def test_third_party_imports_are_dependencies_and_extras_are_lazy(package: str):
    wrong = []
    for path in python_files(package):
        for item in imports_of(path):
            top = item.module.partition(".")[0]
            if top == "click" and name_of(path).startswith("resonate_core/cli/"):
                continue  # the command line alone; the runtime never imports it
            if top in sys.stdlib_module_names | NEWER or top in OURS or top in BASE[package]:
                continue
            if top not in LAZY[package] or not item.is_lazy:
                wrong.append(f"{name_of(path)}:{item.line}: {item.module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("folder", "item"),
    [
        ("resonate_core", Import("migrate.findings", "Tier", 1, is_lazy=True)),
        ("resonate_core", Import("temporalio", None, 1, is_lazy=True)),
        ("migrate", Import("resonate_core", "Resonate", 1, is_lazy=False)),
        ("migrate", Import("compat", None, 1, is_lazy=False)),
        ("compat/temporal", Import("compat", "dbos", 1, is_lazy=False)),
        ("compat/dbos", Import("dbos", "DBOS", 1, is_lazy=True)),
        ("compat/dbos", Import("resonate_core.client.engine", "Engine", 1, is_lazy=False)),
    ],
)
def test_import_off_the_table_is_told(folder: str, item: Import):
    area = next(area for area in AREAS if area.folder == folder)
    assert forbidden(area, item)
