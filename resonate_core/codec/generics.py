"""Type variables: what stands for them in the fields of ``Page[Order]``, and of a class that derives from it."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

from resonate_core.codec.annotations import resolved

if TYPE_CHECKING:
    from collections.abc import Mapping


def field_hints(cls: type, arguments: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Return the annotations of a class's fields, type variables replaced by what was given for them.

    Args:
        cls: the class, without arguments.
        arguments: what it was parametrised with, in the order of its type variables.
    """
    bound = _bound(cls, dict(zip(_variables(cls), arguments, strict=False)))
    hints = resolved(cls)
    return {name: _replaced(hint, bound) for name, hint in hints.items()} if bound else hints


def _variables(cls: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(cls, "__parameters__", ())
    return found


def _bound(cls: Any, bound: dict[Any, Any]) -> dict[Any, Any]:
    """Add what the bases say: in ``class Orders(Page[Order])`` the base's variable is ``Order``."""
    for base in vars(cls).get("__orig_bases__", ()):
        origin = typing.get_origin(base)
        if not isinstance(origin, type) or origin in (typing.Generic, typing.Protocol):
            continue
        given = [_replaced(argument, bound) for argument in typing.get_args(base)]
        bound = _bound(origin, dict(zip(_variables(origin), given, strict=False))) | bound
    return bound


def _replaced(hint: Any, bound: Mapping[Any, Any]) -> Any:
    if isinstance(hint, typing.TypeVar):
        return bound.get(hint, hint)
    variables = _variables(hint)
    if not variables or isinstance(hint, type):
        return hint
    if isinstance(hint, types.UnionType):
        return typing.Union[tuple(_replaced(member, bound) for member in hint.__args__)]  # noqa: UP007 - made of values
    try:
        return hint[tuple(bound.get(variable, variable) for variable in variables)]
    except TypeError:  # a kind of annotation that cannot be parametrised again
        return hint
