"""The call that a targeted promise carries: which function, with which arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.plain import parse
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

    Raises:
        DecodeError: the payload is not a call.
    """

    __slots__ = ("_body", "_nodes", "_plain", "_read", "extra", "func", "version")

    def __init__(self, body: bytes, node: Node, read: Callable[[Any, Node, Any], Any]) -> None:
        plain = _checked(parse(body))
        self.func: str = plain["func"]
        self.version: int = 1 if plain.get("version") is None else plain["version"]
        self.extra: dict[str, Any] = {key: item for key, item in plain.items() if key not in KEYS}
        self._body = body
        self._plain: dict[str, Any] | None = plain
        self._nodes: Mapping[str, Node] = _children(node)
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
        plain, self._plain = self._plain or parse(self._body), None  # each reader gets objects of its own
        in_args, in_kwargs = self._nodes.get("args"), self._nodes.get("kwargs")
        args = tuple(
            self._one(f"argument {index + 1}", item, _child(in_args, str(index)), hints.get(index, rest))
            for index, item in enumerate(plain.get("args") or ())
        )
        kwargs = {
            key: self._one(f"argument {key!r}", item, _child(in_kwargs, key), hints.get(key))
            for key, item in (plain.get("kwargs") or {}).items()
        }
        return args, kwargs

    def _one(self, what: str, plain: Any, node: Node, hint: Any) -> Any:
        if node is None and hint is None:
            return plain
        try:
            return self._read(plain, node, hint)
        except DecodeError as error:
            raise DecodeError(f"{what} of {self.func!r}: {error}") from error


def _checked(plain: Any) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise DecodeError(f"expected a call (an object with func and args), found {str(plain)[:120]}")
    for key, kind, is_needed in (("func", str, True), ("args", list, False), ("kwargs", dict, False)):
        part = plain.get(key)
        if not (isinstance(part, kind) or (part is None and not is_needed)):
            raise DecodeError(f"expected a call with {key} of type {kind.__name__}, found {str(plain)[:120]}")
    version = plain.get("version")
    if isinstance(version, bool) or not isinstance(version, int | None):
        raise DecodeError(f"expected a call whose version is a whole number, found {version!r}")
    return plain


def _children(node: Node) -> Mapping[str, Node]:
    """Return the annotations of the parts of a call."""
    if node is None:
        return {}
    children = node[1] if isinstance(node, list) and len(node) > 1 else None
    if not isinstance(children, dict) or not all(_is_container(part) for part in children.values()):
        raise DecodeError(f"type annotation of a call does not fit it: found {str(node)[:120]}")
    return children


def _is_container(node: Node) -> bool:
    return isinstance(node, list) and len(node) > 1 and isinstance(node[1], list | dict) and bool(node[1])


def _child(node: Node, key: str) -> Node:
    """Return the annotation of one member of an annotated list or object."""
    if node is None:
        return None
    children = node[1]
    return children[0] if isinstance(children, list) else children.get(key)
