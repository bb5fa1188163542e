"""Which classes may stand in a stored value, how they are named, and how a name becomes a class again.

Whoever can write promises chooses these names, so a name must do as little as can be. Four rules hold that:

* A class is looked for in loaded modules. A module that is not loaded is imported only if its package is in use in
  this process (or trusted) and its source defines a class of that name; never a ``__main__``, and nothing of the
  standard library outside a short list. That import is the only code that a name can start; ``import_classes=False``
  forbids it.
* A name leads to a class through plain dictionaries; no property, no module-level ``__getattr__`` is asked.
* Only classes that declare data (dataclass, attrs, msgspec ``Struct``, pydantic model, ``Enum``, named tuple, subclass
  of a scalar) and exceptions are rebuilt.
* Their fields are set from the record and no constructor is called; a ``Struct`` alone cannot be made without it.
"""

from __future__ import annotations

import copyreg
import dataclasses
import decimal
import enum
import functools
import importlib.machinery
import importlib.util
import pathlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

Kind = Literal["attrs", "dataclass", "struct", "pydantic", "enum", "namedtuple", "error", "scalar"]

#: Types whose subclasses come back as themselves; their values are immutable and made by ``__new__`` alone.
SCALARS: Final = frozenset((str, int, float, bytes, decimal.Decimal))

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

#: Names of the module that was started: as such, and in a process that ``multiprocessing`` spawned.
_MAIN_NAMES: Final = frozenset(("__main__", "__mp_main__"))

#: Py_TPFLAGS_HEAPTYPE is set for a class statement and for some C types, which are Py_TPFLAGS_IMMUTABLETYPE as well.
_HEAP_TYPE: Final = 1 << 9
_IMMUTABLE_TYPE: Final = 1 << 8


class UnknownClassError(DecodeError):
    """A stored class cannot be found in this process.

    Attributes:
        class_name: ``module:qualname`` as stored.
    """

    def __init__(self, message: str, *, class_name: str = "") -> None:
        super().__init__(message)
        self.class_name = class_name


@functools.cache
def main_name() -> str:
    """Return the name by which other processes know the module that this one runs as ``__main__``.

    ``python -m app.worker`` is ``app.worker``, ``python worker.py`` is ``worker``; a prompt or notebook has no other.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = pathlib.PurePath(getattr(main, "__file__", None) or "")
    return file.stem if file.suffix == ".py" and file.stem.isidentifier() else "__main__"


def _name_of(cls: type) -> str:
    """Return the stored name of a class, ``module:qualname``."""
    cls = _generic_origin(cls)
    module = main_name() if cls.__module__ in _MAIN_NAMES else cls.__module__
    return f"{module}:{cls.__qualname__}"


#: ``_name_of``, which asks each class once.
name_of: Final[Callable[[type], str]] = functools.lru_cache(maxsize=4096)(_name_of)


def _generic_origin(cls: type) -> type:
    """Return the model that a parametrised pydantic model was made of: ``Page[Order]`` stands in no module."""
    metadata = vars(cls).get("__pydantic_generic_metadata__")
    origin = metadata.get("origin") if isinstance(metadata, dict) else None
    return origin if isinstance(origin, type) else cls


def is_local(cls: type) -> bool:
    """Say whether a class is defined inside a function, where no other process can find it."""
    return "<locals>" in cls.__qualname__


def is_defined_in_python(cls: type) -> bool:
    """Say whether a class comes from a class statement rather than from C."""
    return cls.__flags__ & (_HEAP_TYPE | _IMMUTABLE_TYPE) == _HEAP_TYPE


def _kind_of(cls: type) -> Kind | None:
    """Say which kind of data class this is, or None when its instances cannot be stored."""
    if issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, BaseException):
        return "error"
    if issubclass(cls, tuple):
        return "namedtuple" if hasattr(cls, "_fields") and hasattr(cls, "_make") else None
    base = static_base(cls)
    if base in SCALARS:
        return None if cls is base else "scalar"
    return _record_kind(cls, base)


#: ``_kind_of``, which asks each class once.
kind_of: Final[Callable[[type], Kind | None]] = functools.lru_cache(maxsize=4096)(_kind_of)


def _record_kind(cls: type, base: type) -> Kind | None:
    if issubclass(cls, msgspec.Struct):
        return None if cls is msgspec.Struct else "struct"
    if is_pydantic_model(cls):
        return "pydantic"
    if base is not object:  # an instance of a C type underneath (a dataclass that is a dict) cannot be made bare
        return None
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    return "attrs" if isinstance(getattr(cls, "__attrs_attrs__", None), tuple) else None


def is_pydantic_model(cls: type) -> bool:
    """Say whether a class is a pydantic v2 model, without importing pydantic."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(cls, pydantic.BaseModel) and cls is not pydantic.BaseModel


class ClassFinder:
    """Turns stored names into classes.

    Args:
        aliases: stored name to the class that has taken its place.
        trusted: further packages that may be imported although nothing here has imported them yet.
        import_classes: whether modules may be imported at all.
    """

    def __init__(
        self,
        *,
        aliases: Mapping[str, type] | None = None,
        trusted: Iterable[str] = (),
        import_classes: bool = True,
    ) -> None:
        self._aliases: dict[str, type] = dict(aliases or {})
        self._trusted = frozenset(trusted)
        self._import_classes = import_classes

    def find(self, name: str) -> type:
        """Return the class of a stored name.

        Raises:
            UnknownClassError: there is no such class here, or it may not be looked for.
        """
        found = self._aliases.get(name) or loaded_class(name)
        if found is not None:
            return found
        module_name, path = _split(name)
        module = sys.modules.get(module_name) or self._imported(module_name, path[0])
        if module is None:
            raise _unknown(name, f"module {module_name!r} is not loaded in this process")
        found = _class_in(module, path)
        if found is None:
            raise _unknown(name, f"module {module_name!r} has no class {'.'.join(path)!r}")
        return found

    def _imported(self, name: str, top_class: str) -> ModuleType | None:
        if name not in HARMLESS_STDLIB and not (self._may_import(name) and _defines(name, top_class)):
            return None
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit):  # noqa: BLE001 - a module that fails to import is a module that is not there
            return None

    def _may_import(self, name: str) -> bool:
        parts = name.split(".")
        if not self._import_classes or parts[0] in sys.stdlib_module_names or parts[-1] == "__main__":
            return False
        return parts[0] in sys.modules or parts[0] in self._trusted


@functools.lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, tuple[str, ...]]:
    module, _, qualname = name.partition(":")
    return module, tuple(qualname.split("."))


def loaded_class(name: str) -> type | None:
    """Return the class of a stored name if its module is loaded here."""
    module_name, path = _split(name)
    if module_name == main_name():
        found = _class_in(sys.modules["__main__"], path)
        if found is not None:
            return found
    module = sys.modules.get(module_name)
    return None if module is None else _class_in(module, path)


def _class_in(module: ModuleType, path: tuple[str, ...]) -> type | None:
    space: Any = module
    for part in path:
        space = getattr(space, "__dict__", {}).get(part) if space is module or isinstance(space, type) else None
    return space if isinstance(space, type) else None


def _defines(module_name: str, top_class: str) -> bool:
    """Say whether the source of a module, read and not run, defines a name that can be a class."""
    spec = _spec_of(module_name.split("."))
    get_source = getattr(getattr(spec, "loader", None), "get_source", None)
    try:
        source = get_source(module_name) if get_source is not None else None
    except (ImportError, OSError):
        return False
    name = re.escape(top_class)
    return source is not None and re.search(rf"^(class\s+{name}\b|{name}\s*[:=])", source, re.MULTILINE) is not None


def _spec_of(parts: list[str]) -> importlib.machinery.ModuleSpec | None:
    """Find a module without importing the packages around it."""
    package = sys.modules.get(parts[0])
    if package is None:
        spec = importlib.util.find_spec(parts[0])
        path = None if spec is None else spec.submodule_search_locations
    else:
        spec, path = getattr(package, "__spec__", None), getattr(package, "__path__", None)
    for count in range(2, len(parts) + 1):
        if path is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:count]), path)
        path = None if spec is None else spec.submodule_search_locations
    return spec


#: Classes that were seen to come back by their name.
_findable: Final[set[type]] = set()


def is_findable(cls: type) -> bool:
    """Say whether the stored name of a class leads to it again, or to its redefinition in a notebook or reload."""
    if cls in _findable:
        return True
    origin = _generic_origin(cls)
    found = loaded_class(name_of(cls))
    if found is None or found.__qualname__ != origin.__qualname__ or kind_of(found) != kind_of(origin):
        return False
    _findable.add(cls)
    return True


def _unknown(name: str, reason: str) -> UnknownClassError:
    return UnknownClassError(
        f"stored class {name!r} cannot be found: {reason}. If it moved, name the new class in Codec(aliases=...) or "
        "annotate the function that reads it; otherwise import its module before reading, or name its package in "
        "Codec(trusted=...)",
        class_name=name,
    )


def static_base(cls: type) -> type:
    """Return the nearest base that is implemented in C: its ``__new__`` and ``__init__`` run no code of users."""
    base: Any = cls
    while is_defined_in_python(base):
        base = base.__base__
    found: type = base
    return found


def slots_of(cls: type) -> list[str]:
    """Return the names of all slots of a class and its bases."""
    found: list[str] = copyreg._slotnames(cls)  # type: ignore[attr-defined]  # noqa: SLF001 - what copy and pickle use
    return found
