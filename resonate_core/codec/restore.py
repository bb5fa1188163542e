"""From plain JSON and its annotation back to the value: the mirror of ``render``.

Only annotated parts are visited. A class that cannot be found leaves a ``Moved`` marker with the plain form; a type
annotation of the reader may still turn that into a value (``hints``), else the reader gets the error that names it.
"""

from __future__ import annotations

import collections
import email.message
import enum
import types
from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.classes import ClassFinder, UnknownClassError, kind_of, name_of
from resonate_core.codec.leaves import read_leaf
from resonate_core.codec.not_stored import CAUSE, NotStored
from resonate_core.codec.records import is_record, shape_of
from resonate_core.codec.render import FACTORIES
from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.codec.render import Node


class Moved:
    """The plain form of an instance whose class is not found here."""

    __slots__ = ("error", "plain")

    def __init__(self, plain: Any, error: UnknownClassError) -> None:
        self.plain = plain
        self.error = error


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
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
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
        name, _, how = tag.partition("#")
        try:
            cls: Any = self._finder.find(name)
        except UnknownClassError as error:
            moved = Moved(plain, error)
            self.moved.append(moved)
            return moved
        if issubclass(cls, enum.Enum):
            return cls[plain] if how else cls(plain)
        if is_record(cls):
            return shape_of(cls).build(dict(plain), about)
        if kind_of(cls) == "namedtuple":
            return _named_tuple(cls, plain)
        raise DecodeError(
            f"stored class {name!r} is not a dataclass, msgspec Struct, pydantic model, Enum or named tuple here; "
            "other classes are never instantiated from stored data",
        )

    def _key(self, tag: str, key: str) -> Any:
        if tag == "intkey":
            return int(key)
        return self._instance(key, tag) if ":" in tag else read_leaf(tag, key)


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
    return collections.defaultdict(FACTORIES[parameter], plain[0])


_CONTAINERS: Final[dict[str, Callable[[Any], Any]]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "pairs": lambda plain: dict(map(tuple, plain)),
    "deque": collections.deque,
    "odict": lambda plain: collections.OrderedDict(plain[0]),
    "counter": lambda plain: collections.Counter(plain[0]),
    "defaultdict": lambda plain: collections.defaultdict(None, plain[0]),
    "namespace": lambda plain: types.SimpleNamespace(**plain),
    "headers": _read_headers,
    "not stored": lambda plain: NotStored(*plain),
    "cause": lambda _: CAUSE,
}
