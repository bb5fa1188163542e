"""Data classes as JSON objects: their fields, how to read them off an instance, and how to set them on a bare one.

Instances are rebuilt without their constructor: ``__init__`` and ``__post_init__`` ran when the value was made, and
running them again would change it (a price multiplied twice). A ``Struct`` cannot be made bare, so its constructor
runs and the stored fields are set over what it did.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from resonate_core.codec.classes import kind_of, name_of, slots_of
from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MISSING: Final[Any] = object()


class Shape(NamedTuple):
    """What is known about one data class.

    Attributes:
        name: stored name of the class.
        fields: (attribute, key in the JSON object) of the declared fields.
        extras: gives attributes beyond the declared fields, set after construction.
        about: what else has to be known for an exact copy, None if nothing.
        build: makes an instance of the JSON object, its members already read, and of ``about``.
        refusal: why instances cannot be stored, None if they can.
    """

    name: str
    fields: tuple[tuple[str, str], ...]
    extras: Callable[[Any], Iterable[tuple[str, Any]]]
    about: Callable[[Any], list[str] | None]
    build: Callable[[dict[str, Any], list[str] | None], Any]
    refusal: str | None = None


@functools.lru_cache(maxsize=4096)
def shape_of(cls: type) -> Shape:
    """Return the shape of a dataclass, attrs class, ``Struct`` or pydantic model."""
    return _SHAPERS[kind_of(cls) or ""](cls)


def _nothing(_: Any) -> None:
    return None


def _default_of(cls: type, name: str, default: Any, factory: Any) -> Any:
    if default is not _MISSING:
        return default
    if factory is not None:
        return factory()
    raise DecodeError(
        f"stored {name_of(cls)} has no field {name!r}, and the class gives it no default; add a default so that "
        "values written by older code can be read",
    )


class _Field(NamedTuple):
    """One declared field: how it is filled when the record lacks it. ``may_be_unset`` fields then stay unset."""

    name: str
    default: Any
    factory: Any
    may_be_unset: bool


def _dataclass_shape(cls: Any) -> Shape:
    missing = dataclasses.MISSING
    fields = [
        _Field(
            field.name,
            _MISSING if field.default is missing else field.default,
            None if field.default_factory is missing else field.default_factory,
            not field.init,
        )
        for field in dataclasses.fields(cls)
    ]
    return _bare_shape(cls, fields)


def _attrs_shape(cls: Any) -> Shape:
    attr = sys.modules["attr"]
    fields = []
    for field in cls.__attrs_attrs__:
        is_factory = isinstance(field.default, attr.Factory)
        default = _MISSING if is_factory or field.default is attr.NOTHING else field.default
        factory = field.default.factory if is_factory and not field.default.takes_self else None
        fields.append(_Field(field.name, default, factory, may_be_unset=not field.init))
    return _bare_shape(cls, fields)


def _bare_shape(cls: Any, fields: list[_Field]) -> Shape:
    """Return the shape of a class whose instances are made bare: fields, other slots, and whatever was set on them."""
    names = frozenset(field.name for field in fields)
    slots = [name for name in slots_of(cls) if name not in names]
    plain_names = names if _is_plain_storage(cls, names) else None

    def build(values: dict[str, Any], _: list[str] | None) -> Any:
        instance = object.__new__(cls)
        if values.keys() == plain_names:
            object.__setattr__(instance, "__dict__", values)
            return instance
        for field in fields:
            if field.name in values:
                object.__setattr__(instance, field.name, values.pop(field.name))
            elif not field.may_be_unset or field.default is not _MISSING or field.factory is not None:
                object.__setattr__(instance, field.name, _default_of(cls, field.name, field.default, field.factory))
        _put_extras(instance, slots, values)
        return instance

    own = tuple((field.name, field.name) for field in fields)
    return Shape(name_of(cls), own, _extras_reader(cls, names, slots), _nothing, build)


def _extras_reader(cls: type, names: frozenset[str], slots: list[str]) -> Callable[[Any], Iterable[tuple[str, Any]]]:
    cached = {key for base in cls.__mro__ for key, item in vars(base).items() if _is_cached_property(item)}
    skipped = names | cached | NOT_STATE

    def extras(instance: Any) -> Iterable[tuple[str, Any]]:
        state = getattr(instance, "__dict__", None) or {}
        if not slots and state.keys() <= skipped:
            return ()
        found = {name: object.__getattribute__(instance, name) for name in slots if hasattr(instance, name)}
        found |= {key: item for key, item in state.items() if key not in skipped}
        if ATTRS_HASH in found:  # another process hashes text otherwise
            found[ATTRS_HASH] = None
        return found.items()

    return extras


def _put_extras(instance: Any, slots: list[str], values: dict[str, Any]) -> None:
    for name in slots:
        if name in values:
            object.__setattr__(instance, name, values.pop(name))
    if values and hasattr(instance, "__dict__"):
        instance.__dict__.update(values)


#: Attributes that ``typing`` leaves on instances.
NOT_STATE: Final = frozenset(("__orig_class__",))

#: Where attrs keeps a hash that was asked for once; None when it was not.
ATTRS_HASH: Final = "_attrs_cached_hash"


def _is_cached_property(item: Any) -> bool:
    return isinstance(item, functools.cached_property)


def _is_plain_storage(cls: type, names: Iterable[str]) -> bool:
    """Say whether all fields live in ``__dict__``: no slot, property or other descriptor stands in their way."""
    return cls.__dictoffset__ != 0 and not any(hasattr(getattr(cls, name, None), "__set__") for name in names)


def _struct_shape(cls: Any) -> Shape:
    fields = tuple(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    keys = frozenset(key for _, key in fields)
    put = msgspec.structs.force_setattr
    config = cls.__struct_config__
    tag = () if config.tag is None else ((config.tag_field, config.tag),)

    def extras(instance: Any) -> Iterable[tuple[str, Any]]:
        state = getattr(instance, "__dict__", None)
        return (*tag, *state.items()) if state else tag

    def build(values: dict[str, Any], _: list[str] | None) -> Any:
        own = {attribute: values[key] for attribute, key in fields if key in values}
        try:
            instance = cls(**own)
        except Exception as error:
            raise DecodeError(f"stored {name_of(cls)} does not fit the class any more: {error}") from error
        if hasattr(cls, "__post_init__"):
            for attribute, item in own.items():
                put(instance, attribute, item)
        if hasattr(instance, "__dict__"):
            more = {key: item for key, item in values.items() if key not in keys and (key, item) not in tag}
            instance.__dict__.update(more)
        return instance

    return Shape(name_of(cls), fields, extras, _nothing, build)


#: Key of a pydantic model's private attributes. A space cannot stand in a field's name.
PRIVATE_KEY: Final = "private attributes"


def _pydantic_shape(cls: Any) -> Shape:
    names = tuple(name for name, info in cls.model_fields.items() if not info.exclude)
    excluded = cls.model_fields.keys() - names
    lost = next((name for name, info in cls.model_fields.items() if info.exclude and info.is_required()), None)
    refusal = lost and (
        f"field {lost!r} of {cls.__qualname__} is excluded and required, so it could not be read back; give it a "
        "default, or do not exclude it"
    )

    def extras(instance: Any) -> Iterable[tuple[str, Any]]:
        yield from (instance.__pydantic_extra__ or {}).items()
        private = instance.__pydantic_private__
        if private:
            yield PRIVATE_KEY, dict(private)

    def about(instance: Any) -> list[str] | None:
        fields_set = instance.model_fields_set
        return None if len(fields_set) == len(cls.model_fields) else sorted(fields_set)

    def build(values: dict[str, Any], fields_set: list[str] | None) -> Any:
        private = values.pop(PRIVATE_KEY, None)
        known = {name: values.pop(name) for name in cls.model_fields if name in values}
        own_set = {*known, *excluded} if fields_set is None else set(fields_set)
        for name, info in cls.model_fields.items():
            if name not in known:
                known[name] = _pydantic_default(cls, name, info)
        return _bare_model(cls, known, values, private, own_set)

    return Shape(name_of(cls), tuple((name, name) for name in names), extras, about, build, refusal)


def _pydantic_default(cls: Any, name: str, info: Any) -> Any:
    if info.is_required():
        _default_of(cls, name, _MISSING, None)
    return info.get_default(call_default_factory=True, validated_data={})


def _bare_model(cls: Any, known: dict[str, Any], extra: dict[str, Any], private: Any, own_set: set[str]) -> Any:
    instance = object.__new__(cls)
    keeps_extra = cls.model_config.get("extra") == "allow"
    put = object.__setattr__
    put(instance, "__dict__", known)
    put(instance, "__pydantic_fields_set__", own_set)
    put(instance, "__pydantic_extra__", extra if keeps_extra else None)
    put(instance, "__pydantic_private__", _private_of(cls, private))
    return instance


def _private_of(cls: Any, stored: Any) -> Any:
    if not cls.__private_attributes__:
        return None
    values = {
        name: item.get_default()
        for name, item in cls.__private_attributes__.items()
        if item.default is not _undefined() or item.default_factory is not None
    }
    return values | (stored or {})


def _undefined() -> Any:
    from pydantic_core import PydanticUndefined  # noqa: PLC0415 - only where pydantic is in use

    return PydanticUndefined


_SHAPERS: Final[dict[str, Callable[[Any], Shape]]] = {
    "attrs": _attrs_shape,
    "dataclass": _dataclass_shape,
    "struct": _struct_shape,
    "pydantic": _pydantic_shape,
}


def is_record(cls: type) -> bool:
    """Say whether instances are written as JSON objects of their fields."""
    return kind_of(cls) in _SHAPERS
