"""Modules of temporalio that need no change: ``compat.temporal.X`` is ``temporalio.X`` itself, whatever X is.

Only what behaves differently on Resonate has a file here. The rest (``api.common.v1``, ``contrib.pydantic``) is
found by this finder, so that ``isinstance`` and protobuf's registry see one class for both names.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

MIRROR: Final = "compat.temporal."
ORIGINAL: Final = "temporalio."
_FOLDER: Final = Path(__file__).parent


class _Alias(Loader):
    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol of loaders
        module = importlib.import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has just put the alias's there


class AliasFinder(MetaPathFinder):
    """Finds modules under the name of the mirror."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol of finders
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the spec of an alias, None for what temporalio does not have."""
        if not fullname.startswith(MIRROR) or _is_ours(fullname.removeprefix(MIRROR)):
            return None
        original = ORIGINAL + fullname.removeprefix(MIRROR)
        try:
            found = importlib.util.find_spec(original)
        except (ImportError, ValueError):
            return None
        if found is None:
            return None
        return ModuleSpec(fullname, _Alias(original), is_package=found.submodule_search_locations is not None)


def _is_ours(name: str) -> bool:
    """Whether a module has a file here."""
    path = _FOLDER.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def install() -> None:
    """Let the import system ask first: an alias's own parts would else be loaded a second time under another name."""
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, AliasFinder())
