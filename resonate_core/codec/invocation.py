"""The call that a targeted promise carries: which function, with which arguments."""

from __future__ import annotations

import functools
import inspect
import typing
from typing import TYPE_CHECKING, Any, Final

from resonate_core.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resonate_core.codec.render import Node

KEYS: Final = frozenset(("func", "args", "kwargs", "version"))


class Invocation:
    """One call as read from a promise.

    Attributes:
        func: registered name.
        version: version of that name, 1 if the writer gave none.
        extra: further keys of the writer, such as a retry policy.
    """

    __slots__ = ("_nodes", "_plain_args", "_plain_kwargs", "_read", "extra", "func", "version")

    def __init__(self, plain: dict[str, Any], node: Node, read: Callable[[Any, Node, Any], Any]) -> None:
        self.func: str = plain["func"]
        self.version: int = plain.get("version") or 1
        self.extra: dict[str, Any] = {key: item for key, item in plain.items() if key not in KEYS}
        self._plain_args: list[Any] = plain.get("args") or []
        self._plain_kwargs: dict[str, Any] = plain.get("kwargs") or {}
        self._nodes: Mapping[str, Node] = (node[1] or {}) if node else {}
        self._read = read

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments, read without annotations of a function."""
        return self.decoded({}, None)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """Named arguments, read without annotations of a function."""
        return self.decoded({}, None)[1]

    def decoded(self, hints: Mapping[Any, Any], rest: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments read by annotation.

        Args:
            hints: annotation by position and by name.
            rest: annotation of ``*args`` beyond the named positions.
        """
        in_args, in_kwargs = self._nodes.get("args"), self._nodes.get("kwargs")
        args = tuple(
            self._one(f"argument {index + 1}", item, _child(in_args, str(index)), hints.get(index, rest))
            for index, item in enumerate(self._plain_args)
        )
        kwargs = {
            key: self._one(f"argument {key!r}", item, _child(in_kwargs, key), hints.get(key))
            for key, item in self._plain_kwargs.items()
        }
        return args, kwargs

    def _one(self, what: str, plain: Any, node: Node, hint: Any) -> Any:
        if node is None and hint is None:
            return plain
        try:
            return self._read(plain, node, hint)
        except DecodeError as error:
            raise DecodeError(f"{what} of {self.func!r}: {error}") from error


def _child(node: Node, key: str) -> Node:
    """Return the annotation of one member of an annotated list or object."""
    if node is None:
        return None
    children = node[1]
    return children[0] if isinstance(children, list) else children.get(key)


@functools.lru_cache(maxsize=4096)
def hints_by_position(function: Any, skipped: int) -> tuple[Mapping[Any, Any], Any]:
    """Return a function's annotations by position and by name, and that of its ``*args``.

    Args:
        function: anything callable.
        skipped: leading parameters that are not arguments of the call, such as a context.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())[skipped:]
    except (TypeError, ValueError):  # a builtin that has no signature
        return {}, None
    named = _annotations(function)
    hints: dict[Any, Any] = {}
    rest = None
    keywords = None
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


def return_hint(function: Any) -> Any:
    """Return what a function's annotation says it returns; of a generator, what its ``return`` gives."""
    hint = _annotations(function).get("return", Any)
    origin = typing.get_origin(hint)
    name = getattr(origin, "__name__", "")
    if name == "Generator":
        arguments = typing.get_args(hint)
        return arguments[2] if len(arguments) == 3 else Any
    return typing.get_args(hint)[-1] if name in ("Coroutine", "Awaitable") else hint


def _annotations(function: Any) -> dict[str, Any]:
    bare = function
    while isinstance(bare, functools.partial):
        bare = bare.func
    bare = inspect.unwrap(bare)
    if inspect.isclass(bare):
        bare = bare.__init__
    elif not (inspect.isroutine(bare) or inspect.ismodule(bare)):
        bare = type(bare).__call__
    try:
        return typing.get_type_hints(bare, include_extras=True)
    except Exception:  # noqa: BLE001 - an annotation that cannot be resolved says nothing
        return {}
