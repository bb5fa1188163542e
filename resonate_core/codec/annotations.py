"""What functions and classes say about their types, as far as it can be resolved.

Annotations are often text (``from __future__ import annotations``) and name things that are imported for the type
checker alone. One that cannot be resolved says nothing; the others of the same function or class still count.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
import typing
from typing import TYPE_CHECKING, Any

from resonate_core.marks import handlers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def resolved(thing: Any) -> dict[str, Any]:
    """Return the annotations of a function or class by name, ``return`` among them; bases of a class included."""
    found = _resolved(thing)
    if found is None:
        found = {}
        for owner in reversed(thing.__mro__) if isinstance(thing, type) else (thing,):
            found |= _resolved_one_by_one(owner)
    return found


def _resolved(thing: Any, space: Any = None, local: Any = None) -> dict[str, Any] | None:
    try:
        return typing.get_type_hints(thing, space, local, include_extras=True)
    except Exception:  # noqa: BLE001 - resolving runs code of users
        return None


def _resolved_one_by_one(owner: Any) -> dict[str, Any]:
    space = getattr(owner, "__globals__", None) or vars(sys.modules.get(owner.__module__, typing))
    local = dict(vars(owner)) if isinstance(owner, type) else {}
    found: dict[str, Any] = {}
    for name, annotation in _unresolved(owner).items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        found |= _resolved(holder, space, local) or {}
    return found


def _unresolved(owner: Any) -> Mapping[str, Any]:
    """Return the annotations as written; from Python 3.14 on even reading them may fail for a name that is missing."""
    library: Any = inspect if sys.version_info < (3, 14) else importlib.import_module("annotationlib")
    options = {} if library is inspect else {"format": library.Format.FORWARDREF}
    try:
        found: Mapping[str, Any] = library.get_annotations(owner, **options)
    except Exception:  # noqa: BLE001 - see above
        return {}
    return found


def annotations_of(function: Any) -> dict[str, Any]:
    """Return the annotations of anything callable: function, method, partial, class (its constructor), object."""
    bare = function
    while isinstance(bare, functools.partial):
        bare = bare.func
    bare = inspect.unwrap(bare)
    if inspect.isclass(bare):
        bare = bare.__init__
    elif not inspect.isroutine(bare):
        bare = type(bare).__call__
    return resolved(getattr(bare, "__func__", bare))


def return_hint(thing: Any) -> Any:
    """Return the annotated result of a function, of a durable class that of its entry, or ``Any``.

    Of a generator or coroutine it is what comes out at its end.
    """
    if inspect.isclass(thing):
        entries = [attribute for (kind, _), (attribute, _) in handlers_of(thing).items() if kind == "entry"]
        return return_hint(getattr(thing, entries[0])) if entries else Any
    bare = getattr(thing, "__func__", thing)
    try:
        return _return_hint(bare)
    except TypeError:  # a callable that cannot be hashed
        return _return_hint.__wrapped__(bare)


@functools.lru_cache(maxsize=4096)
def _return_hint(function: Any) -> Any:
    hint = annotations_of(function).get("return", Any)
    name = getattr(typing.get_origin(hint), "__name__", "")
    arguments = typing.get_args(hint)
    if name == "Generator":
        return arguments[2] if len(arguments) == 3 else Any
    return arguments[-1] if name in ("Coroutine", "Awaitable") and arguments else hint


def hints_by_position(function: Any, skipped: int) -> tuple[Mapping[Any, Any], Any]:
    """Return a function's annotations by position and by name, and that of its ``*args``.

    Args:
        function: anything callable.
        skipped: leading parameters that are not arguments of the call, such as a context.
    """
    if inspect.ismethod(function):  # by its function, so that the cache does not keep the instance alive
        function, skipped = function.__func__, skipped + 1
    try:
        return _hints_by_position(function, skipped)
    except TypeError:  # a callable that cannot be hashed
        return _hints_by_position.__wrapped__(function, skipped)


@functools.lru_cache(maxsize=4096)
def _hints_by_position(function: Callable[..., Any], skipped: int) -> tuple[Mapping[Any, Any], Any]:
    try:
        parameters = list(inspect.signature(function).parameters.values())[skipped:]
    except (TypeError, ValueError):  # a builtin that has no signature
        return {}, None
    named = annotations_of(function)
    hints: dict[Any, Any] = {}
    rest = keywords = None
    for index, parameter in enumerate(parameters):
        hint = named.get(parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = hint
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords = hint
        elif hint is not None:
            hints[parameter.name] = hint
            if parameter.kind is not parameter.KEYWORD_ONLY:
                hints[index] = hint
    return (_Defaulting(hints, keywords) if keywords is not None else hints), rest


class _Defaulting(dict[Any, Any]):
    """Annotations by name where ``**kwargs`` says what all other names are."""

    def __init__(self, hints: dict[Any, Any], keywords: Any) -> None:
        super().__init__(hints)
        self._keywords = keywords

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key, self._keywords if isinstance(key, str) else default)
