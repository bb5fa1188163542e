"""Read the files of a run and index those that matter.

A file matters if its bytes name the SDK, or if import lines tie it to one that does (see ``reach``). All others cost a
byte search and a search for their import lines.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import FileProblem
from migrate.index.build import build_module
from migrate.index.names import module_name
from migrate.index.project import Project
from migrate.index.reach import reached
from migrate.limits import RECURSION_LIMIT
from migrate.source import SourceFile, decode, parse, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from migrate.discover import Tree
    from migrate.index.model import Module


@dataclass
class Loaded:
    """What a run works on.

    Attributes:
        project: the index.
        sources: indexed files by path.
        problems: files that cannot be handled, with the reason.
        skipped: paths of files that do not matter.
    """

    project: Project
    sources: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, FileProblem] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def load(tree: Tree, *, packages: Iterable[str], types: Mapping[str, str]) -> Loaded:
    """Read, filter, parse and index."""
    needles = [name.encode() for name in packages]
    data: dict[Path, bytes] = {}
    problems: dict[str, FileProblem] = {}
    known = set(tree.files)
    for file in tree.files:
        if file.is_symlink() and _target(file) in known:
            continue  # the file itself is handled
        try:
            data[file] = read_bytes(file, tree.root)
        except FileProblem as problem:
            problems[tree.name(file)] = problem
    wanted = reached(data, {file for file, body in data.items() if any(needle in body for needle in needles)})
    sources: dict[str, SourceFile] = {}
    modules: list[Module] = []
    for file in sorted(wanted):
        path = tree.name(file)
        try:
            sources[path] = decode(path, file, data[file])
            modules.append(_index(sources[path], file, tree.root))
        except FileProblem as problem:
            problems[path] = problem
            sources.pop(path, None)
    project = Project(modules, packages=packages, types=types)
    skipped = [name for file in tree.files if (name := tree.name(file)) not in sources and name not in problems]
    return Loaded(project, sources, problems, skipped)


def _target(file: Path) -> Path | None:
    try:
        return file.resolve(strict=True)
    except (OSError, RuntimeError):
        return None


def _index(source: SourceFile, file: Path, root: Path) -> Module:
    tree = parse(source)
    name, is_package = module_name(file, root)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        return build_module(source, tree, name, is_package=is_package)
    except RecursionError:
        raise FileProblem("RM004", "nested too deeply to be analysed") from None
    finally:
        sys.setrecursionlimit(limit)
