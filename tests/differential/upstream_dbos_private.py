"""Private modules of dbos, as far as its tests import them: names that say so as soon as one of them is used."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Private modules whose names are public in the package, or the same things.
SAME: Final = {
    "dbos._error": "dbos.error",
    "dbos._dbos": "dbos",
    "dbos._client": "dbos",
    "dbos._context": "dbos",
    "dbos._queue": "dbos",
    "dbos._debouncer": "dbos",
    "dbos._dbos_config": "dbos",
    "dbos._registrations": "dbos",
    "dbos._sys_db": "dbos",
}


class PrivateNameError(Exception):
    """A test used something private of dbos."""


class _UsingMeta(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise PrivateNameError(f"{cls.__qualname__}.{name}")


def _stand_in(name: str) -> type:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PrivateNameError(name)

    return _UsingMeta(name, (), {"__new__": refuse, "__class_getitem__": classmethod(lambda cls, _: cls)})


class _PrivateModule(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        same = sys.modules.get(SAME.get(self.__name__, ""))
        found = vars(same).get(name) if same is not None else None
        return _stand_in(f"{self.__name__}.{name}") if found is None else found


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        is_private = name.startswith(("dbos._", "dbos.cli"))
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_private else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _PrivateModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> None:
    """Put the shim in dbos's place, and stand-ins in that of its private modules."""
    from compat.dbos.swap import swap

    swap()
    sys.meta_path.insert(0, _Finder())
