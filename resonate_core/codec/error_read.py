"""From the JSON object of an error to an exception that can be caught by its own class.

No constructor of a user's class runs: the nearest base implemented in C makes the bare exception of its arguments, and
the attributes are set from the record. If that cannot be done, or the class is not here, the reader gets a
``RemoteError`` that says what it was. Which of the two comes out depends on the record and the class alone, not on how
the error prints: a set in its text prints differently in every process, and replay must take the same ``except``.
Control signals (``SystemExit``, cancellation) never come out of a record.
"""

from __future__ import annotations

import binascii
import pickletools
import re
import types
from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.classes import UnknownClassError, is_defined_in_python, name_of, slots_of, static_base
from resonate_core.codec.error_write import ERROR_TYPE, TEXT_MAX, TYPE_KEY, text_of
from resonate_core.codec.not_stored import CAUSE, CONTEXT, Linked
from resonate_core.codec.plain import dump
from resonate_core.codec.validation import rebuild
from resonate_core.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resonate_core.codec.classes import ClassFinder
    from resonate_core.codec.restore import Restorer

AGGREGATE_TYPE: Final = "aggregate_error"
_POINTER_BYTES: Final = 8

#: What ``str`` adds to the message of a group.
_GROUP_COUNT: Final = re.compile(r" \(\d+ sub-exceptions?\)$")


class ErrorReader:
    """Reads errors.

    Args:
        finder: where classes come from.
        known: classes to use for their names before any others.
        unpickle: load the pickles of the Python SDK 0.8; whoever can write promises can then run code here.
    """

    __slots__ = ("_finder", "_known", "_unpickle")

    def __init__(
        self, finder: ClassFinder, *, known: Iterable[type[BaseException]] = (), unpickle: bool = False
    ) -> None:
        self._finder = finder
        self._known: Mapping[str, type] = {name_of(cls): cls for cls in known}
        self._unpickle = unpickle

    def read(self, _: Restorer | None, plain: Any) -> Exception:
        """Return the exception of a rejected value, whoever wrote it."""
        if not isinstance(plain, dict):
            return _of_other(plain)
        if plain.get(TYPE_KEY) == AGGREGATE_TYPE:
            return self._aggregate(plain)
        if plain.get(TYPE_KEY) != ERROR_TYPE or not isinstance(plain.get("message"), str):
            return _of_other(plain)
        cause, context = self._member(plain.get("cause")), self._member(plain.get("context"))
        error = self._rebuilt(plain, {CAUSE: cause, CONTEXT: context}) if "class" in plain else self._foreign(plain)
        for note in _part(plain, "notes", list):
            _add_note(error, str(note))
        _put(error, "__context__", cause if context is None else context)
        if cause is not None:
            _put(error, "__cause__", cause)
            _put(error, "__suppress_context__", context is None)
        elif plain.get("suppress"):
            _put(error, "__suppress_context__", True)
        return error

    def _member(self, plain: Any) -> Exception | None:
        """Return a nested error, which the annotation may have rebuilt already."""
        if plain is None or isinstance(plain, Exception):
            return plain
        return self.read(None, plain)

    def _members(self, plain: dict[str, Any]) -> list[Exception]:
        found = map(self._member, _part(plain, "errors", list))
        return [error for error in found if error is not None]

    def _rebuilt(self, plain: dict[str, Any], links: Mapping[Linked, Any]) -> Exception:
        try:
            error = self._bare(plain, links)
            if text_of(error)[:TEXT_MAX] == plain["message"]:
                return error
            str(error)  # one that cannot print itself lacks something
        except UnknownClassError as problem:
            return self._remote(plain, str(problem))
        except Exception as problem:  # noqa: BLE001 - a class may refuse in any way, the record still is an error
            return self._remote(plain, f"it could not be rebuilt: {type(problem).__name__}: {problem}")
        _add_note(error, f"its text was {plain['message']!r}")
        return error

    def _bare(self, plain: dict[str, Any], links: Mapping[Linked, Any]) -> Exception:
        if "validation" in plain:
            made = rebuild(plain["validation"])
            assert isinstance(made, Exception)
            return made
        name = plain["class"]
        cls = self._known.get(name) or self._finder.find(name)
        if not issubclass(cls, Exception):
            raise TypeError(f"{name} is not an ordinary exception")
        base: Any = static_base(cls)
        _check_layout(cls, base)
        args = [_linked(part, links) for part in _part(plain, "args", list)]
        if issubclass(cls, BaseExceptionGroup):
            args = [*args, self._members(plain)]
        error: Exception = base.__new__(cls, *args)
        initialise: Any = base.__init__
        initialise(error, *args)
        state = {key: _linked(part, links) for key, part in _part(plain, "state", dict).items()}
        _set_state(error, state, _part(plain, "members", dict))
        return error

    def _remote(self, plain: dict[str, Any], reason: str) -> Exception:
        message, name = plain["message"], plain.get("name")
        error: Exception
        members = self._members(plain)
        if members:
            error = ExceptionGroup(_GROUP_COUNT.sub("", message), members)
        else:
            error = RemoteError(message, type=_text(name))
        _add_note(error, f"was {plain.get('class') or name}: {reason}")
        return error

    def _foreign(self, plain: dict[str, Any]) -> Exception:
        pickled = plain.get("__py_pickle")
        if self._unpickle and isinstance(pickled, str):
            found = _unpickled(pickled)
            if found is not None:
                return found
        name = _text(plain.get("name")) or (_pickled_name(pickled) if isinstance(pickled, str) else None)
        error = RemoteError(plain["message"], type=name)
        if isinstance(plain.get("stack"), str):
            _add_note(error, plain["stack"])
        return error

    def _aggregate(self, plain: dict[str, Any]) -> Exception:
        members = self._members(plain)
        message = str(plain.get("message") or "")
        if not members:
            return RemoteError(message, type=_text(plain.get("name")))
        return ExceptionGroup(message, members)


#: Sets an attribute of an exception whose class forbids that (a frozen dataclass).
_put: Final = object.__setattr__


def _add_note(error: Exception, note: str) -> None:
    vars(error).setdefault("__notes__", []).append(note)


def _part(plain: dict[str, Any], key: str, kind: type[list[Any] | dict[str, Any]]) -> Any:
    """Return a part of an error object, an empty one if a damaged or foreign record has something else there."""
    found = plain.get(key)
    return found if type(found) is kind else kind()


def _text(part: Any) -> str | None:
    return part if isinstance(part, str) else None


def _linked(part: Any, links: Mapping[Linked, Any]) -> Any:
    return links[part] if isinstance(part, Linked) else part


def _check_layout(cls: type, base: type) -> None:
    """Refuse a class implemented in C with more state than its base initialises: bare memory would be used as data."""
    slots = len(slots_of(cls))
    if is_defined_in_python(cls) and cls.__basicsize__ - base.__basicsize__ > _POINTER_BYTES * (1 + slots):
        raise TypeError(f"{name_of(cls)} is implemented in C and keeps state of its own")


def _set_state(error: BaseException, state: dict[str, Any], members: dict[str, Any]) -> None:
    own = error.__dict__
    for key, item in state.items():
        if isinstance(getattr(type(error), key, None), types.MemberDescriptorType):
            _put(error, key, item)
        else:
            own[key] = item
    for key, item in members.items():
        if isinstance(getattr(type(error), key, None), types.MemberDescriptorType):
            _put(error, key, item)


def _of_other(plain: Any) -> Exception:
    """Return the error of a rejected value that is no error object."""
    if plain is None:
        return RemoteError("rejected without a reason")
    if isinstance(plain, dict) and isinstance(plain.get("__error__"), str):
        return RemoteError(plain["__error__"])
    if isinstance(plain, str):
        return RemoteError(plain)
    try:
        return RemoteError(dump(plain).decode("utf-8"))
    except TypeError:  # a value with types of its own
        return RemoteError(repr(plain))


def _pickled_name(text: str) -> str | None:
    """Return the class that a pickle begins with, without loading it."""
    words: list[Any] = []
    try:
        for opcode, argument, _ in pickletools.genops(binascii.a2b_base64(text)):
            if opcode.name == "GLOBAL":
                return str(argument).rpartition(" ")[2]
            if opcode.name == "STACK_GLOBAL":
                return _text(words[-1])
            if "UNICODE" in opcode.name:
                words.append(argument)
    except (ValueError, IndexError):
        pass
    return None


def _unpickled(text: str) -> Exception | None:
    import pickle  # noqa: PLC0415 - only for users who asked for it

    try:
        found = pickle.loads(binascii.a2b_base64(text))  # noqa: S301
    except Exception:  # noqa: BLE001 - a pickle that does not load is one that is not there
        return None
    return found if isinstance(found, Exception) else None
