"""From a Python value to plain JSON and, where JSON cannot say the type, a type annotation beside it.

An annotation is a node of a tree that has the shape of the JSON::

    node     = null                        the JSON says it all
             | "tag"                       a scalar, tuple or set of plain members, or a data class of plain fields
             | [tag | null, children]      children of an object, list or data class that need annotations
             | [tag | null, children, "tag"]   the same for an object whose keys are scalars of that tag
             | [tag, children, ["name", ...]]  the same for a model of which only these fields were set
    children = {"key": node, ...} | [node] | null      by key or index; [node] is the same node for every child

Tags of classes contain a colon (``module:qualname``), no other tag does; that of a member of an ``Enum`` may name it
(``module:qualname#MEMBER``), because the numbers that ``auto()`` gives move when members are added. One uniform list of
a thousand data classes costs one node. The annotation travels in a header, never in the data, so no value can be
mistaken for it.
"""

from __future__ import annotations

import collections
import email.message
import enum
import http.client
import types
from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.classes import is_findable, is_local, kind_of, name_of, slots_of, static_base
from resonate_core.codec.leaves import BARE, LEAVES
from resonate_core.codec.not_stored import Linked, NotStored
from resonate_core.codec.plain import DEPTH_MAX
from resonate_core.codec.records import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from resonate_core.codec.error_write import ErrorWriter
    from resonate_core.codec.leaves import Leaf

Node = Any
Rendered = tuple[Any, Node]

_ATOMS: Final = frozenset((str, bool, type(None)))

_STEPS_SHOWN_MAX: Final = 12

#: Default factories that a stored ``defaultdict`` may name.
FACTORIES: Final[dict[str, Any]] = {
    "list": list, "dict": dict, "set": set, "int": int, "float": float, "str": str, "bool": bool, "tuple": tuple,
}  # fmt: skip

#: Scalar types whose text can be the key of a JSON object, by tag; all other keys are written as pairs.
_KEY_TAGS: Final = frozenset(("uuid", "date", "datetime", "decimal", "path", "ip"))


class RefusedError(Exception):
    """A part has no stored form; ``path`` grows from the inside out while it unwinds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []

    def text(self, what: str) -> str:
        """Return the sentence for the user: which part of what, and why."""
        steps = self.path[::-1]
        if len(steps) > _STEPS_SHOWN_MAX:
            steps = [*steps[: _STEPS_SHOWN_MAX // 2], "...", *steps[-_STEPS_SHOWN_MAX // 2 :]]
        return f"{what}{''.join(steps)} cannot be stored: {self.reason}"


class Renderer:
    """Renders one value.

    Args:
        make_error_writer: gives what writes exceptions that are values.
        allow_local: accept data classes defined inside functions; the reader has an annotation that finds them.
    """

    __slots__ = ("_allow_local", "_error_writer", "_make_error_writer")

    def __init__(self, make_error_writer: Callable[[], ErrorWriter], *, allow_local: bool) -> None:
        self._make_error_writer = make_error_writer
        self._error_writer: ErrorWriter | None = None
        self._allow_local = allow_local

    def render(self, value: Any, depth: int = DEPTH_MAX) -> Rendered:
        """Return plain JSON and its annotation.

        Raises:
            RefusedError: some part has no stored form.
        """
        cls = type(value)
        if cls in _ATOMS:
            return value, None
        if depth == 0:
            raise RefusedError(f"nested deeper than {DEPTH_MAX} levels, or it contains itself; store a flat form")
        writer = _WRITERS.get(cls)
        if writer is not None:
            return writer(self, value, depth)
        leaf = LEAVES.get(cls)
        if leaf is not None:
            return leaf.write(value)
        return self._render_class(value, cls, depth)

    def _render_class(self, value: Any, cls: type, depth: int) -> Rendered:
        kind = kind_of(cls)
        if kind == "error":
            self._error_writer = self._error_writer or self._make_error_writer()
            return self._error_writer.write(self, value, depth)
        if kind is None:
            return self._render_subclass(value, cls, depth)
        if kind == "scalar":
            return self._render_scalar(value, cls, depth)
        if not (self._allow_local and is_local(cls)) and not is_findable(cls):
            raise RefusedError(_not_findable(cls))
        if kind == "enum":
            return _render_enum(value, cls)
        if kind == "namedtuple":
            plain, node = self._members(value, depth)
            return plain, _with_tag(name_of(cls), node)
        return self._render_record(value, cls, depth)

    def _render_record(self, value: Any, cls: type, depth: int) -> Rendered:
        shape = shape_of(cls)
        if shape.refusal is not None:
            raise RefusedError(shape.refusal)
        plain: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        for attribute, key in shape.fields:
            try:
                item, node = self.render(getattr(value, attribute), depth - 1)
            except AttributeError:
                continue  # a field that was never set stays so
            except RefusedError as refused:
                refused.path.append(f".{attribute}")
                raise
            plain[key] = item
            if node is not None:
                nodes[key] = node
        for key, extra in shape.extras(value):
            try:
                plain[key], node = self.render(extra, depth - 1)
            except RefusedError as refused:
                refused.path.append(f".{key}")
                raise
            if node is not None:
                nodes[key] = node
        about = shape.about(value)
        if about is not None:
            return plain, [shape.name, nodes or None, about]
        return plain, [shape.name, nodes] if nodes else shape.name

    def _render_scalar(self, value: Any, cls: type, depth: int) -> Rendered:
        """Write a subclass of text or a number by its class; one with attributes, or local, as what it equals."""
        if is_local(cls) or not is_findable(cls) or getattr(value, "__dict__", None) or slots_of(cls):
            return self._render_subclass(value, cls, depth)
        base = static_base(cls)
        plain, _ = LEAVES[base].write(BARE[base](value)) if base is not str else (BARE[str](value), None)
        return plain, name_of(cls)

    def _render_subclass(self, value: Any, cls: type, depth: int) -> Rendered:
        """Write a subclass of a scalar type as that type if it equals it; refuse everything else."""
        base = next((base for base in cls.__mro__[1:-1] if base in BARE), None)
        if base is None:
            raise RefusedError(_refusal(value))
        try:
            own = BARE[base](value)
        except (TypeError, ValueError) as error:
            raise RefusedError(f"a {cls.__qualname__} that is no {base.__name__} ({error})") from None
        if not (own == value or own != own):  # noqa: PLR0124 - NaN is unequal to itself
            raise RefusedError(f"a {cls.__qualname__} holds more than the {base.__name__} {own!r}; convert it yourself")
        return self.render(own, depth)

    def _members(self, values: Iterable[Any], depth: int) -> Rendered:
        plain: list[Any] = []
        nodes: dict[str, Node] = {}
        for index, value in enumerate(values):
            try:
                item, node = self.render(value, depth - 1)
            except RefusedError as refused:
                refused.path.append(f"[{index}]")
                raise
            plain.append(item)
            if node is not None:
                nodes[str(index)] = node
        return plain, _folded(nodes, len(plain))

    def _mapping(self, value: dict[Any, Any], depth: int) -> Rendered:
        keys, key_tag = _plain_keys(value)
        if keys is None:
            pairs, node = self._members([list(pair) for pair in value.items()], depth)
            return pairs, _with_tag("pairs", node)
        plain: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        for key, own_key in zip(keys, value, strict=True):
            try:
                plain[key], node = self.render(value[own_key], depth - 1)
            except RefusedError as refused:
                refused.path.append(f"[{own_key!r}]")
                raise
            if node is not None:
                nodes[key] = node
        node = _folded(nodes, len(plain))
        if key_tag is None:
            return plain, node
        return plain, [None, node[1] if node else None, key_tag]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Rendered:
        plain, node = self._members(value, depth)
        return plain, _with_tag("tuple", node)

    def _list(self, value: list[Any], depth: int) -> Rendered:
        return self._members(value, depth)

    def _set(self, value: set[Any] | frozenset[Any], depth: int) -> Rendered:
        try:
            members: Iterable[Any] = sorted(value)  # the same set gives the same text in every process
        except TypeError:
            members = value
        plain, node = self._members(members, depth)
        return plain, _with_tag("set" if type(value) is set else "frozenset", node)

    def _deque(self, value: collections.deque[Any], depth: int) -> Rendered:
        plain, node = self._members(value, depth)
        return plain, _with_tag("deque" if value.maxlen is None else f"deque/{value.maxlen}", node)

    def _special_dict(self, value: Any, depth: int) -> Rendered:
        plain, node = self._mapping(value, depth)
        if node == "pairs":
            return plain, _dict_tag(value)
        return plain, _with_tag(_dict_tag(value), node)

    def _namespace(self, value: types.SimpleNamespace, depth: int) -> Rendered:
        plain, node = self._mapping(vars(value), depth)
        return plain, _with_tag("namespace", node)

    def _headers(self, value: email.message.Message, depth: int) -> Rendered:
        plain, _ = self._members([[key, str(item)] for key, item in value.items()], depth)
        return plain, "headers"


_WRITERS: Final[dict[type, Callable[[Renderer, Any, int], Rendered]]] = {
    dict: Renderer._mapping,  # noqa: SLF001 - the table belongs to the class
    list: Renderer._list,  # noqa: SLF001
    tuple: Renderer._tuple,  # noqa: SLF001
    set: Renderer._set,  # noqa: SLF001
    frozenset: Renderer._set,  # noqa: SLF001
    collections.deque: Renderer._deque,  # noqa: SLF001
    collections.OrderedDict: Renderer._special_dict,  # noqa: SLF001
    collections.Counter: Renderer._special_dict,  # noqa: SLF001
    collections.defaultdict: Renderer._special_dict,  # noqa: SLF001
    types.SimpleNamespace: Renderer._namespace,  # noqa: SLF001
    email.message.Message: Renderer._headers,  # noqa: SLF001
    http.client.HTTPMessage: Renderer._headers,  # noqa: SLF001
    NotStored: lambda _, value, __: (value.parts(), "not stored"),
    Linked: lambda _, value, __: (None, value.name),
}


def _folded(nodes: dict[str, Node], count: int) -> Node:
    """Return the annotation of an untagged container; one node stands for all if all are equal."""
    if not nodes:
        return None
    if len(nodes) == count > 1:
        first = next(iter(nodes.values()))
        if all(node == first for node in nodes.values()):
            return [None, [first]]
    return [None, nodes]


def _with_tag(tag: str, node: Node) -> Node:
    return tag if node is None else [tag, *node[1:]]


def _plain_keys(value: dict[Any, Any]) -> tuple[list[str] | None, str | None]:
    """Return the keys as text and their tag, or None when they have to be written as pairs."""
    kinds = set(map(type, value))
    if not kinds or kinds == {str}:
        return list(value), None
    kind = kinds.pop()
    if kinds:
        return None, None
    if kind is int:
        return _int_keys(value)
    if issubclass(kind, enum.Enum):
        return _enum_keys(value, kind)
    leaf = LEAVES.get(kind)
    return (None, None) if leaf is None else _leaf_keys(value, leaf)


def _int_keys(value: dict[Any, Any]) -> tuple[list[str] | None, str | None]:
    try:
        return [str(key) for key in value], "intkey"
    except ValueError:  # a number of thousands of digits
        return None, None


def _enum_keys(value: dict[Any, Any], kind: type[enum.Enum]) -> tuple[list[str] | None, str | None]:
    names = [key.value for key in value if type(key.value) is str]
    return (names, name_of(kind)) if len(names) == len(value) and is_findable(kind) else (None, None)


def _leaf_keys(value: dict[Any, Any], leaf: Leaf) -> tuple[list[str] | None, str | None]:
    written = [leaf.write(key) for key in value]
    tags = {tag for _, tag in written}
    keys = [key for key, _ in written]
    tag = tags.pop()
    if tags or tag not in _KEY_TAGS or len(set(keys)) != len(keys):
        return None, None
    return keys, tag


def _dict_tag(value: Any) -> str:
    if not isinstance(value, collections.defaultdict):
        return "odict" if isinstance(value, collections.OrderedDict) else "counter"
    factory = value.default_factory
    if factory is None:
        return "defaultdict"
    name = next((name for name, known in FACTORIES.items() if known is factory), None)
    if name is None:
        raise RefusedError(
            f"a defaultdict whose factory is {factory!r} has no stored form; expected one of {', '.join(FACTORIES)}; "
            "convert it with dict(...)",
        )
    return f"defaultdict/{name}"


def _render_enum(value: enum.Enum, cls: type[enum.Enum]) -> Rendered:
    """Write the value where it is text or a number, as other SDKs do, else the member's name."""
    raw, tag = value.value, name_of(cls)
    if type(raw) is str or (type(raw) is int and issubclass(cls, enum.Flag)):
        return raw, tag
    return (raw if type(raw) is int else value.name), f"{tag}#{value.name}"


def _not_findable(cls: type) -> str:
    if is_local(cls):
        return (
            f"class {cls.__qualname__!r} is defined inside a function, so no other process can find it; move it "
            "to module level, or annotate the function that returns it"
        )
    return (
        f"class {cls.__qualname__!r} is not found under its name in module {cls.__module__!r}, so no process could "
        "read it back; give it a name at module level that is its own"
    )


_ADVICE: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("coroutine",), "await it inside the step"),
    (("generator", "async_generator", "map", "filter", "zip"), "return list(...) of it"),
    (("function", "method", "builtin_function_or_method", "type"), "pass its name or the data it needs"),
    (("lock", "RLock", "Lock"), "create it where it is used"),
    (("TextIOWrapper", "BufferedReader", "BufferedWriter", "BytesIO", "StringIO"), "pass its path or its content"),
    (("ndarray", "DataFrame", "Series", "int64", "int32"), "convert it with .tolist(), .to_dict() or .item()"),
    (("SecretStr", "SecretBytes"), "it would be stored readable; fetch the secret inside the step"),
)


_BASE_ADVICE: Final[tuple[tuple[type, str], ...]] = (
    (dict, "convert it with dict(...)"),
    (list, "convert it with list(...)"),
    (tuple, "convert it with tuple(...)"),
    (set, "convert it with set(...)"),
    (memoryview, "convert it with bytes(...)"),
)


def _refusal(value: Any) -> str:
    cls = type(value)
    advice = next((text for names, text in _ADVICE if cls.__name__ in names), None)
    if advice is None:
        advice = next((text for base, text in _BASE_ADVICE if isinstance(value, base)), None)
    if advice is None:
        advice = "return a dataclass, msgspec Struct, pydantic model or plain JSON instead"
    what = getattr(value, "__qualname__", None)
    name = f"{cls.__module__}.{cls.__qualname__}" + (f" {what!r}" if isinstance(what, str) else "")
    return f"an instance of {name} has no stored form; {advice}"
