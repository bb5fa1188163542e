"""Data classes as JSON objects: their fields, how to read them off an instance, and how to set them on a bare one.

Instances are rebuilt without their constructor: ``__init__`` and ``__post_init__`` ran when the value was made, and
running them again would change it (a price multiplied twice). A ``Struct`` cannot be made bare, so its constructor
runs and the stored fields are set over what it did.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from resonate_core.codec.classes import instance_setter, kind_of, name_of
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
    """

    name: str
    fields: tuple[tuple[str, str], ...]
    extras: Callable[[Any], Iterable[tuple[str, Any]]]
    about: Callable[[Any], list[str] | None]
    build: Callable[[dict[str, Any], list[str] | None], Any]


@functools.lru_cache(maxsize=4096)
def shape_of(cls: type) -> Shape:
    """Return the shape of a dataclass, ``Struct`` or pydantic model."""
    return _SHAPERS[kind_of(cls) or ""](cls)


def _nothing(_: Any) -> None:
    return None


def _default_of(cls: type, name: str, default: Any, factory: Any, nothing: Any) -> Any:
    if default is not nothing:
        return default
    if factory is not nothing and factory is not None:
        return factory()
    raise DecodeError(
        f"stored {name_of(cls)} has no field {name!r}, and the class gives it no default; add a default so that "
        "values written by older code can be read",
    )


def _dataclass_shape(cls: Any) -> Shape:
    declared = dataclasses.fields(cls)
    names = tuple(field.name for field in declared)
    cached = {key for base in cls.__mro__ for key, item in vars(base).items() if _is_cached_property(item)}
    skipped = frozenset(names) | cached

    def extras(instance: Any) -> Iterable[tuple[str, Any]]:
        state = getattr(instance, "__dict__", None)
        if not state or len(state) <= len(names):
            return ()
        return [(key, item) for key, item in state.items() if key not in skipped]

    def build(values: dict[str, Any], _: list[str] | None) -> Any:
        instance = object.__new__(cls)
        put = object.__setattr__
        for field in declared:
            name = field.name
            if name in values:
                put(instance, name, values.pop(name))
            else:
                put(instance, name, _default_of(cls, name, field.default, field.default_factory, dataclasses.MISSING))
        if values and hasattr(instance, "__dict__"):
            instance.__dict__.update(values)
        return instance

    return Shape(name_of(cls), tuple((name, name) for name in names), extras, _nothing, build)


def _is_cached_property(item: Any) -> bool:
    return isinstance(item, functools.cached_property)


def _struct_shape(cls: Any) -> Shape:
    fields = tuple(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    put = instance_setter(cls)
    config = cls.__struct_config__
    tag = () if config.tag is None else ((config.tag_field, config.tag),)

    def build(values: dict[str, Any], _: list[str] | None) -> Any:
        own = {attribute: values[key] for attribute, key in fields if key in values}
        try:
            instance = cls(**own)
        except (TypeError, ValueError) as error:
            raise DecodeError(f"stored {name_of(cls)} does not fit the class any more: {error}") from error
        if hasattr(cls, "__post_init__"):
            for attribute, item in own.items():
                put(instance, attribute, item)
        return instance

    return Shape(name_of(cls), fields, lambda _: tag, _nothing, build)


#: Key of a pydantic model's private attributes. A space cannot stand in a field's name.
PRIVATE_KEY: Final = "private attributes"


def _pydantic_shape(cls: Any) -> Shape:
    names = tuple(name for name, info in cls.model_fields.items() if not info.exclude)

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
        for name, info in cls.model_fields.items():
            if name not in known:
                known[name] = _pydantic_default(cls, name, info)
        return _bare_model(cls, known, values, private, fields_set)

    return Shape(name_of(cls), tuple((name, name) for name in names), extras, about, build)


def _pydantic_default(cls: Any, name: str, info: Any) -> Any:
    if info.is_required():
        _default_of(cls, name, _MISSING, None, _MISSING)
    return info.get_default(call_default_factory=True, validated_data={})


def _bare_model(cls: Any, known: dict[str, Any], extra: dict[str, Any], private: Any, fields_set: Any) -> Any:
    instance = object.__new__(cls)
    keeps_extra = cls.model_config.get("extra") == "allow"
    put = object.__setattr__
    put(instance, "__dict__", known)
    put(instance, "__pydantic_fields_set__", set(cls.model_fields) if fields_set is None else set(fields_set))
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
    "dataclass": _dataclass_shape,
    "struct": _struct_shape,
    "pydantic": _pydantic_shape,
}


def is_record(cls: type) -> bool:
    """Say whether instances are written as JSON objects of their fields."""
    return kind_of(cls) in _SHAPERS
