"""Copies of what passes between a durable function and a step.

A step and the function that calls it live in one process, but what the step does to its arguments is in no record: on
replay the step does not run, and the function would see another state than it saw the first time. So a step gets
containers and records (dataclasses, msgspec and pydantic objects) of its own, each attempt anew, and the function gets
a result that nobody else holds. This is what a step on another machine would see.

Anything else (clients, connections, open files, objects of other classes) is passed on as it is: it cannot be recorded
anyway, and a copy of it would be worth nothing.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
from typing import Any, Final

import msgspec

_ATOMS: Final = frozenset((type(None), bool, int, float, complex, str, bytes))


def isolated(value: Any) -> Any:
    """Return a value that shares no container or record with the given one; itself where nothing can be shared."""
    return value if type(value) in _ATOMS else _copied(value, {})


def isolated_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Do the same for the arguments of a call; what they share with each other, their copies share."""
    if all(type(one) in _ATOMS for one in args) and all(type(one) in _ATOMS for one in kwargs.values()):
        return args, kwargs
    memo: dict[int, Any] = {}
    return tuple(_copied(one, memo) for one in args), {name: _copied(one, memo) for name, one in kwargs.items()}


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if id(value) in memo:
        return memo[id(value)]
    make = _CONTAINERS.get(kind)
    if make is not None:
        return make(value, memo)
    fields = _fields(value)
    return value if fields is None else _record(value, fields, memo)


def _fields(value: Any) -> list[str] | None:
    """Return the names of the fields of a record, None of anything else."""
    kind = type(value)
    if isinstance(value, msgspec.Struct):
        return list(value.__struct_fields__)
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if hasattr(kind, "model_fields") and hasattr(kind, "model_copy"):
        return list(kind.model_fields)
    return None


def _list(value: list[Any], memo: dict[int, Any]) -> list[Any]:
    made: list[Any] = []
    memo[id(value)] = made
    made.extend([_copied(one, memo) for one in value])
    return made


def _dict(value: dict[Any, Any], memo: dict[int, Any]) -> dict[Any, Any]:
    made = value.copy()
    memo[id(value)] = made
    for key, one in value.items():
        made[key] = _copied(one, memo)
    return made


def _tuple(value: tuple[Any, ...], memo: dict[int, Any]) -> tuple[Any, ...]:
    made = tuple(_copied(one, memo) for one in value)
    if all(old is new for old, new in zip(value, made, strict=True)):
        made = value
    memo[id(value)] = made
    return made


def _flat(value: Any, memo: dict[int, Any]) -> Any:
    """Copy what holds hashable things only, which nobody changes."""
    made = memo[id(value)] = value.copy()
    return made


def _deque(value: collections.deque[Any], memo: dict[int, Any]) -> collections.deque[Any]:
    made: collections.deque[Any] = collections.deque(maxlen=value.maxlen)
    memo[id(value)] = made
    made.extend([_copied(one, memo) for one in value])
    return made


def _record(value: Any, names: list[str], memo: dict[int, Any]) -> Any:
    """Copy an object of named fields; one that cannot be copied is passed on."""
    try:
        made = copy.copy(value)
    except Exception:  # noqa: BLE001 - the class decides what its copying does
        return value
    memo[id(value)] = made
    for name in names:
        old = getattr(value, name, None)
        new = _copied(old, memo)
        if new is not old:
            _set(made, name, new)
    return made


def _set(made: Any, name: str, new: Any) -> None:
    if isinstance(made, msgspec.Struct):
        msgspec.structs.force_setattr(made, name, new)
    elif name in getattr(made, "__dict__", {}):
        made.__dict__[name] = new  # also of a frozen class, and past validation: it is the same value
    else:
        object.__setattr__(made, name, new)


_CONTAINERS: Final[dict[type, Any]] = {
    list: _list,
    dict: _dict,
    collections.OrderedDict: _dict,
    collections.defaultdict: _dict,
    tuple: _tuple,
    set: _flat,
    bytearray: _flat,
    collections.deque: _deque,
}
