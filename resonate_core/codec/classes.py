"""Which classes may stand in a stored value, how they are named, and how a name becomes a class again.

Whoever can write promises chooses these names, so a name must never run code. Three rules hold that:

* A module is imported only when its package is already in use in this process, and never a ``__main__`` or a module of
  the standard library outside a short list of those that only define errors.
* A name leads to a class through plain dictionaries; no property, no module-level ``__getattr__`` is asked.
* Only classes that declare data (dataclass, msgspec ``Struct``, pydantic model, ``Enum``, named tuple) and exceptions
  are rebuilt, and their fields are set from the record: the constructor is not called.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

Kind = Literal["dataclass", "struct", "pydantic", "enum", "namedtuple", "error"]

#: Modules of the standard library that define errors or data and do nothing else on import.
HARMLESS_STDLIB: Final = frozenset(
    {
        "asyncio.exceptions",
        "concurrent.futures._base",
        "configparser",
        "csv",
        "decimal",
        "email.errors",
        "getopt",
        "http.client",
        "json.decoder",
        "queue",
        "shutil",
        "smtplib",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tarfile",
        "urllib.error",
        "uuid",
        "zipfile",
        "zlib",
    },
)

_HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: defined by a class statement


class UnknownClassError(DecodeError):
    """A stored class cannot be found in this process.

    Attributes:
        class_name: ``module:qualname`` as stored.
    """

    def __init__(self, message: str, *, class_name: str = "") -> None:
        super().__init__(message)
        self.class_name = class_name


def name_of(cls: type) -> str:
    """Return the stored name of a class, ``module:qualname``."""
    module = cls.__module__
    if module == "__main__":
        # `python -m app.worker`: other processes know the module by its real name.
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)
        if spec is not None and not spec.name.endswith("__main__"):
            module = spec.name
    return f"{module}:{cls.__qualname__}"


def is_local(cls: type) -> bool:
    """Say whether a class is defined inside a function, where no other process can find it."""
    return "<locals>" in cls.__qualname__


def is_defined_in_python(cls: type) -> bool:
    """Say whether a class comes from a class statement rather than from C."""
    return bool(cls.__flags__ & _HEAP_TYPE)


def kind_of(cls: type) -> Kind | None:
    """Say which kind of data class this is, or None when its instances cannot be stored."""
    if issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, BaseException):
        return "error"
    if issubclass(cls, tuple):
        return "namedtuple" if hasattr(cls, "_fields") and hasattr(cls, "_make") else None
    return _record_kind(cls)


def _record_kind(cls: type) -> Kind | None:
    if issubclass(cls, msgspec.Struct):
        return "struct"
    if is_pydantic_model(cls):
        return "pydantic"
    # An instance of a C type underneath (a dataclass that is a dict) cannot be made bare.
    return "dataclass" if dataclasses.is_dataclass(cls) and static_base(cls) is object else None


def is_pydantic_model(cls: type) -> bool:
    """Say whether a class is a pydantic v2 model, without importing pydantic."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(cls, pydantic.BaseModel)


class ClassFinder:
    """Turns stored names into classes.

    Args:
        aliases: stored name to the class that has taken its place.
        trusted: further packages that may be imported although nothing here has imported them yet.
    """

    def __init__(self, *, aliases: Mapping[str, type] | None = None, trusted: Iterable[str] = ()) -> None:
        self._found: dict[str, type] = dict(aliases or {})
        self._trusted = frozenset(trusted)

    def find(self, name: str) -> type:
        """Return the class of a stored name.

        Raises:
            UnknownClassError: there is no such class here, or it may not be looked for.
        """
        found = self._found.get(name)
        if found is None:
            found = self._look_up(name)
            self._found[name] = found
        return found

    def _look_up(self, name: str) -> type:
        module_name, _, qualname = name.partition(":")
        module = self._module(module_name)
        if module is None:
            raise _unknown(name, f"module {module_name!r} is not loaded in this process")
        space: Any = module
        for part in qualname.split("."):
            space = vars(space).get(part) if isinstance(space, type) or space is module else None
        if not isinstance(space, type):
            raise _unknown(name, f"module {module_name!r} has no class {qualname!r}")
        return space

    def _module(self, name: str) -> ModuleType | None:
        main = sys.modules.get("__main__")
        spec = getattr(main, "__spec__", None)
        if spec is not None and spec.name == name:
            return main
        loaded = sys.modules.get(name)
        if loaded is not None or not self._may_import(name):
            return loaded
        try:
            return importlib.import_module(name)
        except Exception:  # noqa: BLE001 - a module that fails to import is a module that is not there
            return None

    def _may_import(self, name: str) -> bool:
        if name in HARMLESS_STDLIB:
            return True
        parts = name.split(".")
        if parts[0] in sys.stdlib_module_names or parts[-1] == "__main__":
            return False
        return parts[0] in sys.modules or parts[0] in self._trusted


def _unknown(name: str, reason: str) -> UnknownClassError:
    return UnknownClassError(
        f"stored class {name!r} cannot be found: {reason}. If it moved, name the new class in Codec(aliases=...) or "
        "annotate the function that reads it; otherwise import its module before reading",
        class_name=name,
    )


def static_base(cls: type) -> type:
    """Return the nearest base that is implemented in C: its ``__new__`` and ``__init__`` run no code of users."""
    base: Any = cls
    while is_defined_in_python(base):
        base = base.__base__
    found: type = base
    return found


def instance_setter(cls: type) -> Callable[[Any, str, Any], None]:
    """Return what sets a field past ``frozen`` and past any ``__setattr__`` of the class."""
    return msgspec.structs.force_setattr if issubclass(cls, msgspec.Struct) else object.__setattr__
