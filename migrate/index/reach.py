"""Which files matter besides those that name the SDK, found from import lines alone; nothing is parsed.

Upwards: a file that imports a name from a file that matters, also when the name is handed on by others in between.
Downwards: what files that name the SDK import, a few steps deep, because helpers and base classes live there. A helper
that is further away is simply not known, and then a workflow that awaits it stays, with the reason.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.index.names import SOURCE_ROOTS
from migrate.limits import HELPER_HOPS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_IMPORT: Final = re.compile(
    rb"^[ \t\f]*(?:from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^#\r\n(]*))"
    rb"|import[ \t]+([^#\r\n]*))",
    re.MULTILINE,
)
_COMMENT: Final = re.compile(rb"#[^\r\n]*")
#: Every name of a file.
_ALL: Final = "*"


@dataclass(frozen=True)
class _Edge:
    """One file's import of another.

    Attributes:
        importer: file that imports.
        target: file that is imported.
        names: names that are taken from it; ``*`` for the whole module.
        local: names that hold them in the importer.
    """

    importer: Path
    target: Path
    names: frozenset[str]
    local: frozenset[str]


class _Finder:
    """Files by the dotted names that may mean them."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = set(files)
        self._by_suffix: dict[str, list[Path]] = defaultdict(list)
        for file in self.files:
            parts = file.parts[1:-1] if file.name == "__init__.py" else (*file.parts[1:-1], file.stem)
            for start in range(len(parts) - 1, max(len(parts) - 9, -1), -1):
                self._by_suffix[".".join(parts[start:])].append(file)

    def absolute(self, importer: Path, dotted: str) -> list[Path]:
        """Return the files that an absolute name may mean: anywhere if it has several parts, else near the importer."""
        found = self._by_suffix.get(dotted, [])
        if "." in dotted or not found:
            return found
        if dotted in sys.stdlib_module_names:
            return []
        above = set(importer.parents)
        homes = {file: _home(file) for file in found}
        return [
            file
            for file, home in homes.items()
            if home in above or (home.name in SOURCE_ROOTS and home.parent in above)
        ]

    def relative(self, importer: Path, level: int, dotted: str) -> list[Path]:
        """Return the files that a relative name means."""
        directory = importer.parents[level - 1] if level <= len(importer.parents) else importer.parent
        place = directory.joinpath(*dotted.split(".")) if dotted else directory
        candidates = (
            (place / "__init__.py", place.with_name(f"{place.name}.py")) if dotted else (place / "__init__.py",)
        )
        return [file for file in candidates if file in self.files]


def _home(file: Path) -> Path:
    """Return the directory that a one-part name is looked up in to find ``file``."""
    return file.parent.parent if file.name == "__init__.py" else file.parent


def reached(data: Mapping[Path, bytes], hits: set[Path]) -> set[Path]:
    """Return ``hits`` with the files above and below them.

    Args:
        data: bytes of every file of the run.
        hits: files that name the SDK.
    """
    if not hits or len(hits) == len(data):
        return set(hits)
    finder = _Finder(data)
    importers: dict[Path, list[_Edge]] = defaultdict(list)
    imported: dict[Path, set[Path]] = defaultdict(set)
    for file, body in data.items():
        for edge in _edges(finder, file, body):
            importers[edge.target].append(edge)
            imported[file].add(edge.target)
    return hits | _above(importers, hits) | _below(imported, hits)


def _above(importers: Mapping[Path, list[_Edge]], hits: set[Path]) -> set[Path]:
    """Follow names from the hits to everyone they are handed to."""
    carried: dict[Path, set[str]] = {file: {_ALL} for file in hits}
    waiting = list(hits)
    while waiting:
        file = waiting.pop()
        for edge in importers.get(file, ()):
            names = carried[file]
            if _ALL not in names and _ALL not in edge.names and not edge.names & names:
                continue
            known = carried.setdefault(edge.importer, set())
            new = edge.local if _ALL not in edge.local else names
            if not new <= known and _ALL not in known:
                known |= new
                waiting.append(edge.importer)
    return set(carried)


def _below(imported: Mapping[Path, set[Path]], hits: set[Path]) -> set[Path]:
    found, layer = set(hits), set(hits)
    for _ in range(HELPER_HOPS_MAX):
        layer = {other for file in layer for other in imported.get(file, ())} - found
        found |= layer
    return found


def _edges(finder: _Finder, file: Path, body: bytes) -> Iterator[_Edge]:
    for dots, base, block, line, plain in _IMPORT.findall(body):
        if plain:
            yield from _plain(finder, file, plain.decode("utf-8", "replace"))
            continue
        names = _names(_COMMENT.sub(b"", block or line).decode("utf-8", "replace"))
        dotted, level = base.decode("utf-8", "replace"), len(dots)
        for target in finder.relative(file, level, dotted) if level else finder.absolute(file, dotted):
            yield _Edge(file, target, frozenset(names), frozenset(names.values()))
        for name, local in names.items():
            inner = f"{dotted}.{name}" if dotted else name
            for target in finder.relative(file, level, inner) if level else finder.absolute(file, inner):
                yield _Edge(file, target, frozenset({_ALL}), frozenset({local}))


def _plain(finder: _Finder, file: Path, text: str) -> Iterator[_Edge]:
    for name, local in _names(text).items():
        for target in finder.absolute(file, name):
            yield _Edge(file, target, frozenset({_ALL}), frozenset({local.split(".")[0]}))


def _names(text: str) -> dict[str, str]:
    """Return the names of an import with the names that hold them."""
    found = {}
    for part in text.replace("\\", " ").split(","):
        words = part.split()
        if words:
            found[words[0]] = words[2] if len(words) > 2 and words[1] == "as" else words[0]
    return found
