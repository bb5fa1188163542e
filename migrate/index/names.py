"""Module names from paths, and the module that a dotted name means from where it is imported."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from migrate.index.model import Module

#: Directories that hold packages and are no package themselves.
SOURCE_ROOTS: Final = frozenset({"src", "lib", "python"})


def module_name(file: Path, root: Path) -> tuple[str, bool]:
    """Name a file as an import would.

    Inside regular packages the name starts at the topmost one, even above ``root``. Outside of packages it is the path
    below the root, without a leading ``src``.

    Returns:
        The dotted name, and whether the file is a package's ``__init__.py``.
    """
    is_package = file.name == "__init__.py"
    parts = [] if is_package else [file.stem]
    directory = file.parent
    if (directory / "__init__.py").exists():
        while (directory / "__init__.py").exists() and directory != directory.parent:
            parts.insert(0, directory.name)
            directory = directory.parent
    if directory.is_relative_to(root):
        above = list(directory.relative_to(root).parts)
        while above and above[0] in SOURCE_ROOTS:
            above.pop(0)
        parts = above + parts
    return ".".join(parts) or file.parent.name, is_package


class ModuleFinder:
    """Finds the project's module for an imported name.

    A name is looked up as the interpreter would with the directories from the importing file up to the root on its
    path: scripts that import their neighbours, ``src`` layouts and namespace packages all resolve. The nearest wins.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self._by_suffix: dict[str, list[Module]] = defaultdict(list)
        self._cache: dict[tuple[str, str], Module | None] = {}
        for module in modules:
            parts = module.name.split(".")
            for start in range(len(parts)):
                self._by_suffix[".".join(parts[start:])].append(module)

    def find(self, importer: Module, dotted: str) -> Module | None:
        """Return the module that ``dotted`` means in ``importer``, or None if it is none of the project's."""
        key = (importer.path, dotted)
        if key not in self._cache:
            self._cache[key] = self._find(importer, dotted)
        return self._cache[key]

    def _find(self, importer: Module, dotted: str) -> Module | None:
        candidates = [
            module for module in self._by_suffix.get(dotted, ()) if self._is_visible(importer, module, dotted)
        ]
        if not candidates:
            return None
        return max(candidates, key=lambda module: (module.name == dotted, _shared(importer.path, module.path)))

    @staticmethod
    def _is_visible(importer: Module, module: Module, dotted: str) -> bool:
        if module.name == dotted:
            return True
        if dotted.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
            return False
        base = module.name[: -len(dotted) - 1]
        around = importer.name.rpartition(".")[0]
        inside = around == base or around.startswith(base + ".")
        return inside or "." in dotted


def _shared(first: str, second: str) -> int:
    count = 0
    for left, right in zip(first.split("/"), second.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
