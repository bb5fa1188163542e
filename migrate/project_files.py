"""Files around the code: dependency manifests, container files, packages of the project that are named like ours."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from migrate.findings import Finding

if TYPE_CHECKING:
    from migrate.discover import Tree
    from migrate.outcome import Outcome
    from migrate.plan.job import Job

_MANIFESTS: Final = (
    "pyproject.toml", "requirements*.txt", "requirements/*.txt", "setup.py", "setup.cfg", "Pipfile", "environment.y*ml",
)  # fmt: skip
_CONTAINERS: Final = ("Dockerfile*", "*compose*.y*ml", "Procfile")
#: What a container file says for each SDK.
_SERVERS: Final = {"temporalio": rb"temporal", "dbos": rb"dbos"}


def project_findings(tree: Tree, job: Job, outcome: Outcome) -> list[Finding]:
    """Return what is to be said about files that are not code."""
    found = own_packages(tree)
    if outcome.texts:
        for directory in dict.fromkeys((tree.root, *_above(tree.root))):
            found += _mentions(tree, directory, job.project.packages)
    return found


def own_packages(tree: Tree) -> list[Finding]:
    """Say so if the project has a top-level package or module with one of our import names."""
    found = []
    for file in tree.files:
        parts = file.relative_to(tree.root).parts
        parts = parts[1:] if parts[0] in ("src", "lib") else parts
        name = parts[0].removesuffix(".py")
        is_top = len(parts) == 1 or (len(parts) == 2 and parts[1] == "__init__.py")
        if is_top and name in ("compat", "migrate"):
            message = f"the project has a top-level {name!r} of its own, and resonate-migrate installs one too"
            action = f"Rename it, or keep it first on sys.path: code on the shims would import the wrong {name!r}."
            found.append(Finding(tree.name(file), 1, 1, "RM009", "review", message, action))
    return found


def _above(directory: Path) -> list[Path]:
    """Return the directory of the repository, if the run looks at a part of it."""
    for parent in directory.parents:
        if (parent / ".git").exists():
            return [parent]
        if (parent / "pyproject.toml").is_file():
            return [parent]
    return []


def _mentions(tree: Tree, directory: Path, packages: frozenset[str]) -> list[Finding]:
    found: list[Finding] = []
    for code, patterns in (("RM301", _MANIFESTS), ("RM302", _CONTAINERS)):
        for file in sorted({one for pattern in patterns for one in directory.glob(pattern) if one.is_file()}):
            for package in sorted(packages):
                line = _line_of(file, package, code)
                if line:
                    found.append(_finding(tree, file, line, code, package))
    return found


def _line_of(file: Path, package: str, code: str) -> int:
    word = re.escape(package.encode()) if code == "RM301" else _SERVERS.get(package, package.encode())
    try:
        data = file.read_bytes()
    except OSError:
        return 0
    match = re.search(rb"(?i)\b" + word, data)
    return data.count(b"\n", 0, match.start()) + 1 if match is not None else 0


def _finding(tree: Tree, file: Path, line: int, code: str, package: str) -> Finding:
    path = Path(os.path.relpath(file, tree.root)).as_posix()
    if code == "RM301":
        message, action = (
            f"names {package} as a dependency",
            f"Add resonate-migrate; drop {package} when nothing imports it.",
        )
    else:
        message, action = (
            f"starts a server or worker of {package}",
            "Start the worker with RESONATE_URL, without that server.",
        )
    return Finding(path, line, 1, code, "review", message, action)
