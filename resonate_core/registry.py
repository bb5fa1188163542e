"""What a worker can run: durable functions, durable classes and steps, by name and version."""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from resonate_core.codec.annotations import return_hint
from resonate_core.errors import AlreadyRegisteredError, NotRegisteredError, UsageError
from resonate_core.marks import (
    DRIVER_ATTRIBUTE,
    DurableMark,
    HandlerKind,
    HandlerMark,
    checked_version,
    durable_mark,
    handlers_of,
    step_mark,
)
from resonate_core.options import CallOptions

__all__ = [
    "CONTEXT_NAMES",
    "Kind",
    "Registered",
    "Registry",
    "describe",
    "is_generator_function",
    "name_of",
    "return_hint",
    "takes_context",
]

Kind = Literal["generator", "class", "leaf"]
CONTEXT_NAMES = frozenset({"ctx", "context", "_ctx", "_context", "c", "_"})


@dataclass(frozen=True)
class Registered:
    """One registered thing: how it is named and how it is run."""

    name: str
    version: int
    thing: Any
    kind: Kind
    options: dict[str, Any] = field(default_factory=dict)
    entry: str | None = None
    handlers: dict[tuple[HandlerKind, str], tuple[str, HandlerMark]] = field(default_factory=dict)

    @property
    def is_driver(self) -> bool:
        """Whether it takes all its messages itself."""
        return getattr(self.thing, DRIVER_ATTRIBUTE, False) is True

    @property
    def has_handlers(self) -> bool:
        """Whether messages change what it does."""
        return self.is_driver or any(kind in ("signal", "update") for kind, _ in self.handlers)

    @property
    def lead(self) -> int:
        """How many parameters of ``callable`` come before the arguments of a call."""
        if self.kind == "class":
            return 2
        if self.kind == "generator":
            return 1
        return 1 if leads_with_context(self.thing) else 0

    @property
    def callable(self) -> Any:
        """The function whose parameters the arguments belong to."""
        return getattr(self.thing, self.entry) if self.entry else self.thing


def is_generator_function(function: Any) -> bool:
    """Whether calling it makes a generator, also through partials, bound methods and decorators with ``wraps``."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isgeneratorfunction(function):
        return True
    plain = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    return inspect.isgeneratorfunction(plain)


#: What the annotation of a context reads like, and the ones that say nothing about it.
_CONTEXT: Final = re.compile(r"\bContext\b")
_SILENT: Final = frozenset(("", "Any", "typing.Any", "object"))

#: Names that mean a context in a marked step too, which keeps the signature it had (``def render(context)``).
_SURE_NAMES: Final = frozenset({"ctx", "_ctx"})


def _annotation_of(parameter: inspect.Parameter) -> str:
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return ""
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


@functools.lru_cache(maxsize=4096)
def _takes_context(function: Any) -> bool | None:
    """Say whether the first parameter is a context by its annotation, else by its name; None if neither says."""
    signature = signature_of(function)
    first = next(iter(signature.parameters.values()), None) if signature is not None else None
    if first is None or first.kind in (first.KEYWORD_ONLY, first.VAR_KEYWORD, first.VAR_POSITIONAL):
        return False
    annotation = _annotation_of(first)
    if _CONTEXT.search(annotation) is not None:
        return True
    sure = _SURE_NAMES if step_mark(function) is not None else CONTEXT_NAMES
    return True if annotation in _SILENT and first.name in sure else None


def _may_be_context(function: Any) -> bool:
    """Say whether the first parameter has a name that contexts have, where that alone decides nothing."""
    signature = signature_of(function)
    return signature is not None and next(iter(signature.parameters), "") in CONTEXT_NAMES


def signature_of(function: Any) -> inspect.Signature | None:
    """Return the signature of a function, or None for a builtin that has none. Remembered: asking costs 20 us."""
    try:
        return _signature_of(function)
    except TypeError:  # unhashable callable object
        return _signature_of.__wrapped__(function)


@functools.lru_cache(maxsize=4096)
def _signature_of(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def leads_with_context(function: Any) -> bool:
    """Whether a leaf function says by name or annotation that it takes the context first."""
    try:
        return bool(_takes_context(function))
    except TypeError:  # unhashable callable object
        return bool(_takes_context.__wrapped__(function))


def takes_context(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a leaf function wants the context as its first argument.

    It does when its first parameter is annotated ``Context``, or has the name of one and no annotation that says
    otherwise. Where that leaves it open (``context: dict`` may be the user's own) it does, as in the generator SDK,
    when it fits the call only with one argument more; a marked step must have the name for that.
    """
    try:
        known = _takes_context(function)
    except TypeError:  # unhashable callable object
        known = _takes_context.__wrapped__(function)
    if known is not None or (step_mark(function) is not None and not _may_be_context(function)):
        return bool(known)
    return not _fits(function, args, kwargs) and _fits(function, (None, *args), kwargs)


def _fits(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    signature = signature_of(function)
    if signature is None:
        return True
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def name_of(thing: Any) -> str:
    """Return the name under which a function, class or bound method is known by default."""
    mark = durable_mark(thing) or step_mark(thing)
    if mark is not None:
        return mark.name
    while isinstance(thing, functools.partial):
        thing = thing.func
    return str(getattr(thing, "__name__", type(thing).__name__))


def describe(thing: Any, *, name: str | None = None, version: int | None = None) -> Registered:
    """Say what a thing is when it is registered.

    Raises:
        UsageError: not callable, a lambda without a name, a class without an entry point, a bad version.
    """
    mark = durable_mark(thing)
    own_version = checked_version(version if version is not None else (mark.version if mark else 1))
    own_name = name or name_of(thing)
    if inspect.isclass(thing):
        return _describe_class(thing, own_name, own_version, mark)
    if not callable(thing):
        raise UsageError(f"only functions, methods, classes and modules are registered, got {thing!r}")
    if own_name == "<lambda>":
        raise UsageError("a lambda has no name of its own; write register(..., name=...)")
    kind: Kind = "generator" if is_generator_function(thing) else "leaf"
    return Registered(own_name, own_version, thing, kind, _options_of(mark))


def _options_of(mark: DurableMark | None) -> dict[str, Any]:
    """Return the options of a mark, checked: one that nobody reads would be dropped without a word."""
    if mark is None:
        return {}
    try:
        CallOptions().merged(mark.options)
    except UsageError as error:
        raise UsageError(f"@durable of {mark.name!r}: {error}") from error
    return dict(mark.options)


def _describe_class(cls: type, name: str, version: int, mark: DurableMark | None) -> Registered:
    handlers = handlers_of(cls)
    entries = [attribute for (kind, _), (attribute, _) in handlers.items() if kind == "entry"]
    if len(entries) != 1:
        raise UsageError(
            f"class {cls.__qualname__} has {len(entries)} methods marked @entry, expected exactly one; "
            "mark the method at which an execution begins"
        )
    method = getattr(cls, entries[0])
    if not _takes_two(method):
        raise UsageError(f"@entry {method.__qualname__} must take ctx after self, before the arguments of the call")
    return Registered(name, version, cls, "class", _options_of(mark), entries[0], handlers)


def _takes_two(method: Any) -> bool:
    signature = signature_of(method)
    kinds = [p.kind for p in signature.parameters.values()] if signature is not None else []
    positional = [k for k in kinds if k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    return len(positional) >= 2 or inspect.Parameter.VAR_POSITIONAL in kinds


class Registry:
    """Functions by name and version. The newest version answers where none is asked for."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[int, Registered]] = {}
        self._by_thing: dict[Any, Registered] = {}
        self.fallback: Registered | None = None

    def add(self, item: Registered) -> None:
        """Register; the same thing under the same name again changes nothing.

        Raises:
            AlreadyRegisteredError: another thing has this name and version.
        """
        versions = self._by_name.setdefault(item.name, {})
        present = versions.get(item.version)
        if present is not None and present.thing != item.thing:
            raise AlreadyRegisteredError(
                f"{item.name!r} version {item.version} is registered as {present.thing!r}, refused for {item.thing!r}; "
                "give one of them another name or version"
            )
        versions[item.version] = item
        try:
            self._by_thing.setdefault(item.thing, item)
        except TypeError:
            return  # an unhashable callable is found by its name only

    def find(self, name: str, version: int = 0) -> Registered | None:
        """Return the function of a name at a version (0: the newest), or None."""
        versions = self._by_name.get(name)
        if not versions:
            return None
        return versions[max(versions)] if version == 0 else versions.get(version)

    def find_thing(self, thing: Any) -> Registered | None:
        """Return how a thing is registered, or None."""
        try:
            return self._by_thing.get(thing)
        except TypeError:
            return self.find(name_of(thing))

    def get(self, name: str, version: int = 0) -> Registered:
        """Return the function of a name at a version.

        Raises:
            NotRegisteredError: with the names that are there.
        """
        found = self.find(name, version)
        if found is None and self.fallback is not None:
            return replace(self.fallback, name=name, version=version or 1)
        if found is None:
            known = ", ".join(sorted(self._by_name)) or "nothing"
            wanted = name if version == 0 else f"{name} version {version}"
            raise NotRegisteredError(f"{wanted} is not registered here; registered are: {known}. Call register(...)")
        return found

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._by_name)
