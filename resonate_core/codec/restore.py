"""From plain JSON and its annotation back to the value: the mirror of ``render``.

Only annotated parts are visited. A class that cannot be found leaves a ``Moved`` marker with the plain form; a type
annotation of the reader may still turn that into a value (``hints``), else the reader gets the error that names it.
"""

from __future__ import annotations

import collections
import email.message
import types
from typing import TYPE_CHECKING, Any, Final, NoReturn

from resonate_core.codec.classes import ClassFinder, UnknownClassError, kind_of, name_of, static_base
from resonate_core.codec.leaves import LEAVES, read_leaf
from resonate_core.codec.not_stored import CAUSE, CONTEXT, NotStored
from resonate_core.codec.records import is_record, shape_of
from resonate_core.codec.render import FACTORIES
from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable

    from resonate_core.codec.render import Node


class Moved:
    """The plain form of an instance whose class is not found here.

    It never reaches a program as a value; as a part of an error it says on every use what it is.
    """

    __slots__ = ("error", "plain")

    def __init__(self, plain: Any, error: UnknownClassError) -> None:
        self.plain = plain
        self.error = error

    def __repr__(self) -> str:
        return f"<{self.error.class_name}, which is not found here: {self.plain!r}>"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be read: {self.error}")


class Restorer:
    """Rebuilds values.

    Args:
        finder: where classes come from.
        error_reader: how exceptions that are values are read.
    """

    __slots__ = ("_error_reader", "_finder", "moved")

    def __init__(self, finder: ClassFinder, error_reader: Callable[[Restorer, Any], BaseException]) -> None:
        self._finder = finder
        self._error_reader = error_reader
        self.moved: list[Moved] = []

    def restore(self, plain: Any, node: Node) -> Any:
        """Return the value of a plain form.

        Raises:
            DecodeError: the annotation does not fit the data.
        """
        try:
            return self._restore(plain, node)
        except DecodeError:
            raise
        except Exception as error:  # classes of users run code in __eq__, __hash__, __post_init__ and _missing_
            raise DecodeError(
                f"type annotation does not fit the stored data: {type(error).__name__}: {error}; "
                "the record was damaged, or written by something that does not follow the format",
            ) from error

    def _restore(self, plain: Any, node: Node) -> Any:
        if node is None:
            return plain
        if type(node) is str:
            return self._tagged(plain, node)
        tag, children = node[0], node[1]
        if children is not None:
            self._restore_children(plain, children)
        more = node[2] if len(node) > 2 else None
        if type(more) is str:
            plain = {self._key(more, key): item for key, item in plain.items()}
            more = None
        return plain if tag is None else self._tagged(plain, tag, more)

    def _restore_children(self, plain: Any, children: Any) -> None:
        if type(children) is list:
            same = children[0]
            for key in list(plain) if type(plain) is dict else range(len(plain)):
                plain[key] = self._restore(plain[key], same)
        elif type(plain) is dict:
            for key, node in children.items():
                plain[key] = self._restore(plain[key], node)
        else:
            for key, node in children.items():
                index = int(key)
                plain[index] = self._restore(plain[index], node)

    def _tagged(self, plain: Any, tag: str, about: list[str] | None = None) -> Any:
        container = _CONTAINERS.get(tag)
        if container is not None:
            return container(plain)
        if ":" in tag:
            return self._instance(plain, tag, about)
        if tag == "error":
            return self._error_reader(self, plain)
        if tag.startswith(("deque/", "defaultdict/")):
            return _parametrised(plain, tag)
        return read_leaf(tag, plain)

    def _instance(self, plain: Any, tag: str, about: list[str] | None = None) -> Any:
        name, _, member = tag.partition("#")
        try:
            cls: Any = self._finder.find(name)
        except UnknownClassError as error:
            moved = Moved(plain, error)
            self.moved.append(moved)
            return moved
        if is_record(cls):
            return shape_of(cls).build(plain, about)
        kind = kind_of(cls)
        if kind == "enum":
            return _enum_member(cls, plain, member)
        if kind == "namedtuple":
            return _named_tuple(cls, plain)
        if kind == "scalar":
            return _scalar(cls, plain)
        raise DecodeError(
            f"stored class {name!r} is {cls!r} here, expected a class that declares data (dataclass, attrs, msgspec "
            "Struct, pydantic model, Enum, named tuple); others are never instantiated from stored data",
        )

    def _key(self, tag: str, key: str) -> Any:
        if tag == "intkey":
            return int(key)
        return self._instance(key, tag) if ":" in tag else read_leaf(tag, key)


def _enum_member(cls: Any, plain: Any, name: str) -> enum.Enum:
    """Return the member of a stored name, else of the stored value: either may have changed since, seldom both."""
    if name in cls.__members__:
        found: enum.Enum = cls.__members__[name]
        return found
    try:
        found = cls(plain)
    except ValueError:
        known = ", ".join(cls.__members__)
        raise DecodeError(
            f"stored {name_of(cls)} is {name or plain!r}, the class has only {known}; keep members that were stored",
        ) from None
    return found


def _scalar(cls: Any, plain: Any) -> Any:
    base: Any = static_base(cls)
    if base is str or (base is int and type(plain) is int):
        return base.__new__(cls, plain)
    value = plain if base is float and isinstance(plain, int | float) else LEAVES[base].read(plain)
    return base.__new__(cls, value)


def _items(plain: Any) -> Any:
    """Return what a mapping is made of; keys that are no text were written as pairs."""
    return plain if isinstance(plain, dict) else map(tuple, plain)


def _named_tuple(cls: Any, plain: list[Any]) -> Any:
    """Make a named tuple; fields that the class has gained since take their defaults."""
    missing = cls._fields[len(plain) :]
    if len(plain) > len(cls._fields) or any(name not in cls._field_defaults for name in missing):
        raise DecodeError(f"stored {name_of(cls)} has {len(plain)} members, the class has {', '.join(cls._fields)}")
    return tuple.__new__(cls, [*plain, *(cls._field_defaults[name] for name in missing)])


def _read_headers(plain: Any) -> email.message.Message:
    message = email.message.Message()
    for key, item in plain:
        message[key] = item
    return message


def _parametrised(plain: Any, tag: str) -> Any:
    kind, _, parameter = tag.partition("/")
    if kind == "deque":
        return collections.deque(plain, int(parameter))
    return collections.defaultdict(FACTORIES[parameter], _items(plain))


_CONTAINERS: Final[dict[str, Callable[[Any], Any]]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "pairs": lambda plain: dict(map(tuple, plain)),
    "deque": collections.deque,
    "odict": lambda plain: collections.OrderedDict(_items(plain)),
    "counter": lambda plain: collections.Counter(dict(_items(plain))),
    "defaultdict": lambda plain: collections.defaultdict(None, _items(plain)),
    "namespace": lambda plain: types.SimpleNamespace(**plain),
    "headers": _read_headers,
    "not stored": lambda plain: NotStored(*map(str, plain)),
    "cause": lambda _: CAUSE,
    "context": lambda _: CONTEXT,
}
