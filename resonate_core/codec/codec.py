"""The codec: user values, errors and calls to the payload of a promise, and back.

``Value.data`` is base64 of plain JSON that official SDKs read. What JSON cannot say (types of Python) travels beside
it in one header; a value that is plain JSON has no header and costs next to nothing. What a record can make its reader
do is written down in ``classes``: no constructor, no pickle, at most the import of a module of a package in use.
"""

from __future__ import annotations

import collections
import functools
import types
from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.annotations import hints_by_position
from resonate_core.codec.classes import ClassFinder, kind_of, slots_of
from resonate_core.codec.error_read import ErrorReader
from resonate_core.codec.error_write import TEXT_MAX, ErrorWriter, public_name, text_of
from resonate_core.codec.hints import convert, converter_of
from resonate_core.codec.invocation import Invocation
from resonate_core.codec.plain import dump, from_wire, is_plain, parse, to_wire
from resonate_core.codec.render import RefusedError, Renderer
from resonate_core.codec.restore import Moved, Restorer
from resonate_core.errors import DecodeError, EncodeError
from resonate_core.protocol.records import EMPTY, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from resonate_core.codec.encryption import Encryptor
    from resonate_core.codec.render import Node

#: Header that says which Python types the plain JSON stands for.
TYPES_HEADER: Final = "resonate:types"

#: Immutable types that are stored exactly; an annotation may still make something else of them.
_EXACT: Final = frozenset((str, int, float, bool, type(None)))


class Codec:
    """Encodes and decodes payloads. One instance serves all threads.

    Args:
        encryptor: applied to data and headers alike.
        aliases: stored class name (``module:qualname``) to the class that took its place.
        trusted: packages whose classes may be imported although nothing here has imported them yet.
        max_bytes: largest encoded payload that the store takes, None for no limit.
        allow_unencrypted: with an encryptor, also read records that are not encrypted (while switching over).
        import_classes: whether the module of a stored class may be imported when its package is in use here; without it
            only loaded modules are looked at.
        unpickle_errors: load the pickled errors of the Python SDK 0.8. Whoever can write promises can then run code.
    """

    def __init__(
        self,
        *,
        encryptor: Encryptor | None = None,
        aliases: Mapping[str, type] | None = None,
        trusted: Iterable[str] = (),
        max_bytes: int | None = None,
        allow_unencrypted: bool = False,
        import_classes: bool = True,
        unpickle_errors: bool = False,
    ) -> None:
        self._encryptor = encryptor
        self._finder = ClassFinder(aliases=aliases, trusted=trusted, import_classes=import_classes)
        self._errors = ErrorReader(self._finder, unpickle=unpickle_errors)
        self._unpickle = unpickle_errors
        self._max_bytes = max_bytes
        self._allow_unencrypted = allow_unencrypted

    def encode_value(self, value: Any, *, type_hint: Any = None) -> Value:
        """Encode a result, an argument or a message.

        Args:
            value: what to store.
            type_hint: annotation that the reader will have; it lets classes defined inside functions pass.

        Raises:
            EncodeError: some part has no stored form; the text names it.
        """
        if value is None:
            return EMPTY
        try:
            if is_plain(value):
                return self._sealed(dump(value), None)
        except (ValueError, RecursionError, RuntimeError):
            pass  # the careful way says which part is wrong
        plain, node = _rendered(value, type_hint)
        return self._sealed(_dumped(plain), node)

    def decode_value(self, value: Value, type_hint: Any = Any) -> Any:
        """Decode a payload.

        Args:
            value: as stored.
            type_hint: the reader's annotation; it decides what plain JSON of foreign writers becomes.

        Raises:
            DecodeError: the payload is not what it should be; the text says what was found.
        """
        body, node = self._opened(value)
        return self._read(parse(body), node, type_hint)

    def reads_same(self, value: Any, type_hint: Any) -> bool:
        """Say whether a value reads back as exactly itself, so that there is no need to read it."""
        return type(value) in _EXACT and (type_hint is Any or type_hint is None or converter_of(type_hint) is None)

    def encode_error(self, error: BaseException) -> Value:
        """Encode how something failed. Every exception has a stored form; at the least its name and text."""
        writer = ErrorWriter()
        renderer = Renderer(lambda: writer, allow_local=True)
        try:
            plain, node = writer.write(renderer, error, 100)
            return self._sealed(_dumped(plain), [None, node[1]] if type(node) is list else None)
        except (EncodeError, RecursionError):
            short = {"__type": "error", "message": text_of(error)[:TEXT_MAX], "name": public_name(error)[:200]}
            return self._sealed(dump(short), None)

    def decode_error(self, value: Value, *, known: Iterable[type[BaseException]] = ()) -> Exception:
        """Decode how something failed, whoever wrote it.

        Args:
            value: as stored.
            known: classes to use for their names, such as ones that are defined inside functions.

        Raises:
            DecodeError: the payload is not JSON at all.
        """
        body, node = self._opened(value)
        plain = parse(body)
        known = tuple(known)
        reader = ErrorReader(self._finder, known=known, unpickle=self._unpickle) if known else self._errors
        try:
            if node is not None:
                plain = Restorer(self._finder, reader.read).restore(plain, node)
            return reader.read(None, plain)
        except RecursionError as error:
            raise DecodeError("stored error has a chain of causes that is too long to be read") from error

    def encode_invocation(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], version: int, extra: Mapping[str, Any]
    ) -> Value:
        """Encode a call.

        Raises:
            EncodeError: an argument has no stored form.
        """
        call = {**extra, "func": name, "args": list(args), "kwargs": dict(kwargs), "version": version}
        try:
            if is_plain(call):
                return self._sealed(dump(call), None)
        except (ValueError, RecursionError, RuntimeError):
            pass  # the careful way says which part is wrong
        plain, node = _rendered_call(call)
        return self._sealed(_dumped(plain), node)

    def decode_invocation(self, value: Value) -> Invocation:
        """Decode a call; its arguments are read when they are asked for.

        Raises:
            DecodeError: the payload is not a call.
        """
        body, node = self._opened(value)
        return Invocation(body, node, self._read)

    def decode_arguments(
        self, invocation: Invocation, function: Any, *, skip: int = 0
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Read a call's arguments by the annotations of the function that receives them.

        Args:
            invocation: the call.
            function: what will be called.
            skip: leading parameters that are not part of the call (``ctx``, ``self``).

        Raises:
            DecodeError: an argument is not what the annotation says; the text names it.
        """
        return invocation.decoded(*hints_by_position(function, skip))

    def read_by_annotation(self, args: tuple[Any, ...], function: Any, *, skip: int = 0) -> tuple[Any, ...]:
        """Return plain JSON arguments as what a function's annotations say.

        Raises:
            DecodeError: an argument is not what the annotation says; the text names it.
        """
        hints, rest = hints_by_position(function, skip)
        return tuple(self._read(item, None, hints.get(index, rest)) for index, item in enumerate(args))

    @staticmethod
    def has_types(value: Value) -> bool:
        """Say whether the writer of a payload left types beside the JSON."""
        return bool(value.headers and TYPES_HEADER in value.headers)

    def _read(self, plain: Any, node: Node, hint: Any) -> Any:
        if node is None:
            return plain if hint is None or hint is Any or plain is None else convert(plain, hint)
        restorer = Restorer(self._finder, self._errors.read)
        found = restorer.restore(plain, node)
        if not restorer.moved:
            return found
        if hint is not None and hint is not Any:
            found = convert(found, hint)
        _refuse_moved(found)
        return found

    def _sealed(self, body: bytes, node: Node) -> Value:
        headers = None if node is None else {TYPES_HEADER: _header(node) if type(node) is str else _text(node)}
        if self._encryptor is not None:
            body = self._encryptor.encrypt(body)
            if headers is not None:
                headers = {key: to_wire(self._encryptor.encrypt(text.encode())) for key, text in headers.items()}
        data = to_wire(body)
        if self._max_bytes is not None:
            size = len(data) + sum(map(len, (headers or {}).values()))
            if size > self._max_bytes:
                raise EncodeError(
                    f"encoded payload has {size} bytes, the store takes at most {self._max_bytes}; "
                    "store the content elsewhere and pass a reference to it",
                )
        return Value(headers, data)

    def _opened(self, value: Value) -> tuple[bytes, Node]:
        if not value.data:
            return b"null", None
        body: bytes = from_wire(value.data)
        header = value.headers.get(TYPES_HEADER) if value.headers else None
        if self._encryptor is not None:
            body, header = self._decrypted(self._encryptor, body, header)
        return body, None if header is None else _node(header)

    def _decrypted(self, encryptor: Encryptor, body: bytes, header: str | None) -> tuple[bytes, str | None]:
        try:
            opened = encryptor.decrypt(body)
            return opened, None if header is None else encryptor.decrypt(from_wire(header)).decode("utf-8")
        except DecodeError:
            if not self._allow_unencrypted:
                raise
            try:
                parse(body)
            except DecodeError:
                pass
            else:
                return body, header
            raise


def _text(node: Node) -> str:
    return dump(node).decode("utf-8")


#: ``_text`` of one tag: most values that need any annotation need one.
_header: Final = functools.lru_cache(maxsize=4096)(_text)


def _rendered(value: Any, hint: Any, what: str = "value") -> tuple[Any, Node]:
    renderer = Renderer(ErrorWriter, allow_local=hint is not None and hint is not Any)
    try:
        return renderer.render(value)
    except RefusedError as refused:
        raise EncodeError(refused.text(what)) from None
    except RecursionError:
        raise EncodeError(f"{what} cannot be stored: it is nested too deep or contains itself") from None
    except Exception as error:  # a property of a user's class, or a dict that another thread changes
        raise EncodeError(f"{what} cannot be stored: reading it failed with {type(error).__name__}: {error}") from error


def _rendered_call(call: dict[str, Any]) -> tuple[Any, Node]:
    """Render a call part by part, so that an error names the argument."""
    name = call["func"]
    plain = dict(call, args=[], kwargs={})
    nodes: dict[str, dict[str, Node]] = {"args": {}, "kwargs": {}}
    for index, value in enumerate(call["args"]):
        item, node = _rendered(value, None, f"argument {index + 1} of {name!r}")
        plain["args"].append(item)
        if node is not None:
            nodes["args"][str(index)] = node
    for key, value in call["kwargs"].items():
        plain["kwargs"][key], node = _rendered(value, None, f"argument {key!r} of {name!r}")
        if node is not None:
            nodes["kwargs"][key] = node
    annotated = {key: [None, found] for key, found in nodes.items() if found}
    return plain, [None, annotated] if annotated else None


def _dumped(plain: Any) -> bytes:
    try:
        return dump(plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(f"value cannot be stored: {error}") from error


def _node(header: str) -> Node:
    node = parse(header)
    if not isinstance(node, str | list):
        raise DecodeError(f"header {TYPES_HEADER!r} is damaged: expected a type annotation, found {header[:80]!r}")
    return node


def _refuse_moved(value: Any) -> None:
    """Raise for a marker that no annotation has turned into a value."""
    if isinstance(value, Moved):
        raise value.error
    if isinstance(value, BaseException):
        return  # a part of an error that cannot be had explains itself
    for item in _parts_of(value):
        _refuse_moved(item)


def _parts_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | collections.deque):
        yield from value
    elif isinstance(value, types.SimpleNamespace) or kind_of(type(value)) is not None:
        yield from getattr(value, "__dict__", {}).values()
        names = getattr(value, "__struct_fields__", None) or slots_of(type(value))
        yield from (getattr(value, name, None) for name in names)
