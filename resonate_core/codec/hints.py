"""Reading plain JSON by the annotation of the function that receives it.

Foreign writers (TypeScript, a command line, another SDK) send plain JSON without our type annotations; there the
reader's own annotation says what is meant. Because that class comes from the reader's code and not from the record, its
constructor runs and may check. An annotation that says nothing beyond JSON is not enforced: programs run with wrong
ones, and what was written is never silently changed.
"""

from __future__ import annotations

import collections
import collections.abc as cabc
import dataclasses
import datetime as dt
import enum
import functools
import math
import pathlib
import types
import typing
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from resonate_core.codec.classes import is_pydantic_model, kind_of
from resonate_core.codec.generics import field_hints
from resonate_core.codec.leaves import INFINITY, LEAVES, NEGATIVE_INFINITY, READERS
from resonate_core.codec.restore import Moved
from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

Convert = "Callable[[Any], Any]"


class MisfitError(ValueError):
    """Plain JSON does not fit an annotation; ``path`` grows from the inside out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []


def convert(plain: Any, hint: Any) -> Any:
    """Return the value that an annotation makes of plain JSON.

    Raises:
        DecodeError: the JSON cannot be that type.
    """
    converter = converter_of(hint)
    if converter is None:
        return plain
    try:
        return converter(plain)
    except MisfitError as misfit:
        where = "".join(reversed(misfit.path))
        raise DecodeError(f"value{where}: {misfit.reason}") from misfit
    except RecursionError as error:
        raise DecodeError(f"value is nested too deep for {hint!r}: {_short(plain)}") from error
    except Exception as error:  # whatever code of users is run by making an instance
        raise DecodeError(f"expected {hint!r}, found {_short(plain)} ({type(error).__name__}: {error})") from error


def converter_of(hint: Any) -> Callable[[Any], Any] | None:
    """Return what applies an annotation, or None when JSON already says it."""
    try:
        return _cached(hint)
    except TypeError:  # an annotation that cannot be hashed
        return _build(hint)


_NATIVE: Final = frozenset((Any, object, str, int, bool, None, type(None), list, dict))
_TRANSPARENT: Final = (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)


def _build(hint: Any) -> Callable[[Any], Any] | None:
    if isinstance(hint, str | typing.ForwardRef | typing.ParamSpec):
        return None
    if type(hint).__name__ == "TypeAliasType":  # `type Tree = ...`, Python 3.12; it may name itself
        return lambda plain: _applied(plain, hint.__value__)
    meant = _behind(hint)
    if meant is not hint:
        return converter_of(meant)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(get_args(hint))
    if origin is None or origin is Literal:
        return _class(hint) if isinstance(hint, type) and hint not in _NATIVE else None
    return _generic(origin, get_args(hint), hint)


def _behind(hint: Any) -> Any:
    """Return what a transparent annotation stands for."""
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    if isinstance(hint, typing.TypeVar):
        return Any if hint.__bound__ is None else hint.__bound__
    return get_args(hint)[0] if get_origin(hint) in _TRANSPARENT else hint


_cached = functools.lru_cache(maxsize=4096)(_build)


def _applied(plain: Any, hint: Any) -> Any:
    converter = converter_of(hint)
    return plain if converter is None else converter(plain)


def _class(cls: Any) -> Callable[[Any], Any] | None:
    if cls is float:
        return _to_float
    if cls in _PLAIN_CONTAINERS:
        return _container(_PLAIN_CONTAINERS[cls], None)
    for is_such, build in _CLASS_BUILDERS:
        if is_such(cls):
            return build(cls)
    return None


def _is_leaf(cls: type) -> bool:
    return cls in LEAVES or (
        any(base in LEAVES for base in cls.__mro__[:-1]) and not issubclass(cls, str | int | bytes | enum.Enum)
    )


def _to_float(plain: Any) -> Any:
    if type(plain) is int:
        try:
            value = float(plain)
        except OverflowError:
            return plain
        return value if value == plain else plain  # no digit is lost for an annotation
    return {INFINITY: math.inf, NEGATIVE_INFINITY: -math.inf}.get(plain, plain) if type(plain) is str else plain


def _plain_of(value: Any) -> Any:
    return value.plain if isinstance(value, Moved) else value


def _deep_plain_of(value: Any) -> Any:
    """Return the plain form with all that is in it: other libraries do not know our markers."""
    value = _plain_of(value)
    if type(value) is dict:
        return {key: _deep_plain_of(item) for key, item in value.items()}
    return [_deep_plain_of(item) for item in value] if type(value) is list else value


def _leaf(cls: type) -> Callable[[Any], Any]:
    base = next(base for base in cls.__mro__ if base in LEAVES)
    tag = _LEAF_TAGS[base]
    read = READERS[tag]

    def apply(plain: Any) -> Any:
        if plain is None or isinstance(plain, cls):
            return plain
        try:
            if base is dt.timedelta and isinstance(plain, int | float):
                return dt.timedelta(seconds=plain)
            if tag in _TEXT_FORMS and isinstance(plain, int | float):
                plain = str(plain)
            return read(plain)
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise MisfitError(f"expected {cls.__name__}, found {plain!r} ({error})") from error

    return apply


def _path(cls: Any) -> Callable[[Any], Any]:
    """Read text as a path; the class that is made depends on the system, so it is in no table."""
    return lambda plain: cls(plain) if isinstance(plain, str) else plain


def _enum(cls: type[enum.Enum]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        plain = _plain_of(value)
        if plain is None or isinstance(plain, cls):
            return plain
        try:
            return cls(plain)
        except ValueError:
            if isinstance(plain, str) and plain in cls.__members__:
                return cls[plain]
            known = ", ".join(repr(member.value) for member in cls)
            raise MisfitError(f"expected one of {cls.__name__} ({known}), found {plain!r}") from None

    return apply


def _by_msgspec(hint: Any) -> Callable[[Any], Any]:
    """Read a ``Struct`` or attrs class, which msgspec does best."""
    cls = get_origin(hint) or hint

    def apply(value: Any) -> Any:
        if value is None or isinstance(value, cls):
            return value
        plain = _deep_plain_of(value)
        try:
            return msgspec.convert(plain, hint, dec_hook=_nested)
        except Exception as error:  # a constructor of the user's may raise anything
            raise MisfitError(f"expected {cls.__name__}, found {_short(plain)} ({error})") from error

    return apply


def _nested(cls: Any, plain: Any) -> Any:
    """Read what msgspec does not know inside a ``Struct`` (a pydantic model, for one)."""
    return _applied(plain, cls)


def _pydantic(cls: Any) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if value is None or isinstance(value, cls):
            return value
        plain = _deep_plain_of(value)
        try:
            return cls.model_validate(_by_alias(cls, plain))
        except Exception as error:  # a validator of the user's may raise anything
            raise MisfitError(f"expected {cls.__name__}, found {_short(plain)} ({error})") from error

    return apply


def _by_alias(cls: Any, plain: Any) -> Any:
    """Rename what we wrote ourselves, by field name: a model that expects an alias would drop it without a word."""
    if not isinstance(plain, dict):
        return plain
    renamed = dict(plain)
    for name, info in cls.model_fields.items():
        alias = info.validation_alias
        if name in plain and isinstance(alias, str) and alias not in plain:
            renamed[alias] = renamed.pop(name)
    return renamed


def _dataclass(cls: Any, arguments: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    hints = field_hints(cls, arguments)
    fields = dataclasses.fields(cls)
    known = {field.name for field in fields}

    def apply(value: Any) -> Any:
        plain = _plain_of(value)
        if plain is None or isinstance(plain, cls):
            return plain
        if not isinstance(plain, dict):
            raise MisfitError(f"expected an object for {cls.__name__}, found {_short(plain)}")
        values = {key: _at(f".{key}", item, hints.get(key, Any)) for key, item in plain.items() if key in known}
        missing = [f.name for f in fields if f.init and _is_required(f) and f.name not in values]
        if missing:
            raise MisfitError(f"{cls.__name__} needs {', '.join(missing)}, found only {', '.join(plain) or 'nothing'}")
        later = {f.name: values.pop(f.name) for f in fields if not f.init and f.name in values}
        try:
            instance = cls(**values)
        except Exception as error:  # a constructor of the user's may raise anything
            raise MisfitError(f"{cls.__name__} refused {_short(plain)}: {error}") from error
        for name, item in later.items():
            object.__setattr__(instance, name, item)
        return instance

    return apply


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _named_tuple(cls: Any, arguments: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    hints = field_hints(cls, arguments)
    names = cls._fields

    def apply(value: Any) -> Any:
        plain = _plain_of(value)
        if plain is None or isinstance(plain, cls):
            return plain
        items = [plain.get(name) for name in names] if isinstance(plain, dict) else plain
        if not isinstance(items, list | tuple) or len(items) > len(names):
            raise MisfitError(f"expected {len(names)} members of {cls.__name__}, found {_short(plain)}")
        values = [_at(f".{name}", item, hints.get(name, Any)) for name, item in zip(names, items, strict=False)]
        try:
            return cls(*values)
        except TypeError as error:
            raise MisfitError(f"{cls.__name__} refused {_short(plain)}: {error}") from error

    return apply


def _typed_dict(cls: Any, arguments: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    hints = field_hints(cls, arguments)

    def apply(plain: Any) -> Any:
        if not isinstance(plain, dict):
            return plain
        return {key: _at(f".{key}", item, hints[key]) if key in hints else item for key, item in plain.items()}

    return apply


def _at(step: str, plain: Any, hint: Any) -> Any:
    converter = converter_of(hint)
    if converter is None:
        return plain
    try:
        return converter(plain)
    except MisfitError as misfit:
        misfit.path.append(step)
        raise


def _generic(origin: Any, args: tuple[Any, ...], hint: Any) -> Callable[[Any], Any] | None:
    if origin is tuple:
        return _tuple(args)
    if origin in _PLAIN_CONTAINERS or origin in _ABSTRACT_LISTS:
        return _container(_PLAIN_CONTAINERS.get(origin), args[0] if args else None)
    if origin in _MAPPINGS:
        return _mapping(_MAPPINGS[origin], args)
    if not isinstance(origin, type):
        return None
    if kind_of(origin) in ("struct", "attrs"):
        return _by_msgspec(hint)
    build = next((build for is_such, build in _GENERIC_BUILDERS if is_such(origin)), None)
    return _class(origin) if build is None else build(origin, args)


def _container(factory: Any, item_hint: Any) -> Callable[[Any], Any] | None:
    item = None if item_hint is None else converter_of(item_hint)
    if factory is None and item is None:
        return None

    def apply(plain: Any) -> Any:
        if not isinstance(plain, list) and not (item and isinstance(plain, tuple | set | frozenset)):
            return plain
        values = plain if item is None else [_at(f"[{i}]", each, item_hint) for i, each in enumerate(plain)]
        own = factory or (None if isinstance(plain, list) else type(plain))
        return values if own is None else own(values)

    return apply


def _tuple(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    if not args or args[-1] is ...:
        converter = _container(tuple, args[0] if args else None)
        assert converter is not None
        return converter

    def apply(plain: Any) -> Any:
        if not isinstance(plain, list | tuple):
            return plain
        if len(plain) != len(args):
            raise MisfitError(f"expected {len(args)} members, found {len(plain)}: {_short(plain)}")
        return tuple(_at(f"[{i}]", item, hint) for i, (item, hint) in enumerate(zip(plain, args, strict=True)))

    return apply


def _mapping(factory: Any, args: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    key_hint, item_hint = args if len(args) == 2 else (str, args[0] if args else Any)
    read_key = _int_key if key_hint is int else converter_of(key_hint)
    item = converter_of(item_hint)
    if factory is collections.Counter:
        item = None
    if factory is None and read_key is None and item is None:
        return None

    def apply(plain: Any) -> Any:
        if not isinstance(plain, dict) or isinstance(plain, _SPECIAL_DICTS):
            return plain
        values = {
            (key if read_key is None else read_key(key)): _at(f"[{key!r}]", each, item_hint) if item else each
            for key, each in plain.items()
        }
        return values if factory is None else factory(values)

    return apply


def _int_key(key: Any) -> Any:
    try:
        return int(key) if isinstance(key, str) else key
    except ValueError as error:
        raise MisfitError(f"expected a whole number as key, found {key!r}") from error


def _union(members: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    pairs = [(member, converter_of(member)) for member in members]
    ordered = [(member, converter) for member, converter in pairs if converter is not None]
    if not ordered:
        return None
    has_json_member = any(converter is None and member is not type(None) for member, converter in pairs)

    def apply(plain: Any) -> Any:
        takes_plain = has_json_member
        bare = _plain_of(plain)
        if bare is None or any(isinstance(member, type) and type(bare) is member for member in members):
            return bare if isinstance(plain, Moved) else plain
        reasons = []
        for member, converter in _best_first(ordered, bare):
            try:
                found = converter(plain)
            except MisfitError as misfit:
                reasons.append(f"{getattr(member, '__name__', member)}: {misfit.reason}")
                continue
            if found is not plain:
                return found
            takes_plain = True  # a container that is not meant leaves what it gets: perhaps the next one is
        if takes_plain:
            return bare
        raise MisfitError(f"no member of the union fits {_short(bare)} ({'; '.join(reasons)})")

    return apply


def _best_first(pairs: list[tuple[Any, Any]], plain: Any) -> list[tuple[Any, Any]]:
    """Order data classes by how many of the object's keys they know, so that a subset never wins over the whole."""
    if not isinstance(plain, dict):
        return pairs
    keys = set(plain)

    def unknown(pair: tuple[Any, Any]) -> int:
        names = getattr(pair[0], "__annotations__", None) or {}
        return len(keys - set(_all_annotations(pair[0]))) if names else len(keys)

    return sorted(pairs, key=unknown)


def _all_annotations(cls: Any) -> list[str]:
    return [name for base in getattr(cls, "__mro__", (cls,)) for name in getattr(base, "__annotations__", {})]


def _short(plain: Any) -> str:
    text = repr(plain)
    return text if len(text) <= 120 else text[:117] + "..."


_LEAF_TAGS: Final[dict[type, str]] = {kind: leaf.tag for kind, leaf in LEAVES.items()}
_TEXT_FORMS: Final = frozenset(("decimal", "fraction", "complex"))
_PLAIN_CONTAINERS: Final[dict[Any, Any]] = {
    list: None,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
    cabc.Set: frozenset,
    cabc.MutableSet: set,
}
_ABSTRACT_LISTS: Final = frozenset((cabc.Sequence, cabc.MutableSequence, cabc.Iterable, cabc.Collection, cabc.Iterator))
_MAPPINGS: Final[dict[Any, Any]] = {
    dict: None,
    cabc.Mapping: None,
    cabc.MutableMapping: None,
    collections.OrderedDict: collections.OrderedDict,
    collections.Counter: collections.Counter,
    collections.defaultdict: lambda values: collections.defaultdict(None, values),
}

_SPECIAL_DICTS: Final = (collections.OrderedDict, collections.Counter, collections.defaultdict)

#: Kinds of classes whose fields may name type variables, and what reads them.
_GENERIC_BUILDERS: Final[tuple[tuple[Callable[[Any], bool], Callable[..., Callable[[Any], Any]]], ...]] = (
    (typing.is_typeddict, _typed_dict),
    (lambda cls: issubclass(cls, tuple) and hasattr(cls, "_fields"), _named_tuple),
    (dataclasses.is_dataclass, _dataclass),
)

#: Kinds of classes, in the order in which they are asked for, and what reads them.
_CLASS_BUILDERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], Callable[[Any], Any] | None]], ...]] = (
    (lambda cls: cls in (pathlib.Path, pathlib.PurePath), _path),
    (_is_leaf, _leaf),
    (lambda cls: issubclass(cls, enum.Enum), _enum),
    (lambda cls: kind_of(cls) in ("struct", "attrs"), _by_msgspec),
    (is_pydantic_model, _pydantic),
    *_GENERIC_BUILDERS,
)
