"""From an exception to the JSON object that stands for it.

The object is one that official SDKs read (``__type``, ``message``, ``name``, ``stack``); further keys of ours let the
class be rebuilt: ``class``, ``args``, ``state``, ``members``, ``notes``, ``cause``, ``context``, ``suppress``,
``errors``.
Every exception has such an object. Parts of it that cannot be stored become ``NotStored``, which keeps their text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resonate_core.codec.classes import name_of, slots_of
from resonate_core.codec.not_stored import CAUSE, CONTEXT, NotStored
from resonate_core.codec.records import NOT_STATE
from resonate_core.codec.validation import is_validation_error, validation_parts

if TYPE_CHECKING:
    from types import TracebackType

    from resonate_core.codec.render import Node, Rendered, Renderer

TYPE_KEY: Final = "__type"
ERROR_TYPE: Final = "error"

#: A chain of causes longer than this is cut; the innermost ones are the ones that are lost.
CHAIN_MAX: Final = 20

#: Exceptions written in full for one error; causes and contexts that share theirs would multiply without a limit.
ERRORS_MAX: Final = 100

#: Innermost frames kept of a traceback, and characters of a message.
STACK_FRAMES_MAX: Final = 25
TEXT_MAX: Final = 65_536

#: Attributes that are written as something else, or by nobody.
_ELSEWHERE: Final = frozenset(("__notes__", *NOT_STATE))

#: Attributes that classes implemented in C keep outside ``args`` and ``__dict__``.
MEMBERS: Final[tuple[tuple[type[BaseException], tuple[str, ...]], ...]] = (
    (ImportError, ("name", "path")),
    (AttributeError, ("name",)),
    (NameError, ("name",)),
)


def text_of(error: BaseException) -> str:
    """Return the text of an exception, whatever its ``__str__`` does."""
    try:
        return str(error)
    except BaseException as problem:
        # An exception that cannot print itself is still one. Panics of extension modules are no ``Exception``.
        if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
            raise
        return f"<{type(error).__name__} whose text cannot be read: {type(problem).__name__}>"


def public_name(error: BaseException) -> str:
    """Return the name other SDKs show: the application's own type name, else that of the class."""
    own = vars_of(error).get("type")
    return own if isinstance(own, str) and own else type(error).__name__


def vars_of(error: BaseException) -> dict[str, Any]:
    """Return the instance's own attributes without asking any ``__getattr__``."""
    found: dict[str, Any] = object.__getattribute__(error, "__dict__")
    return found


def stack_of(traceback: TracebackType | None) -> str:
    """Return the innermost frames of a traceback, one a line, without reading source files."""
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f'File "{code.co_filename}", line {traceback.tb_lineno}, in {code.co_qualname}')
        traceback = traceback.tb_next
    return "\n".join(frames[-STACK_FRAMES_MAX:])


class ErrorWriter:
    """Writes one exception and what hangs on it; knows which ones it is inside of, for chains that bite their tail."""

    __slots__ = ("_count", "_open")

    def __init__(self) -> None:
        self._open: list[BaseException] = []
        self._count = 0

    def write(self, renderer: Renderer, error: BaseException, depth: int) -> Rendered:
        """Return the error object and its annotation, tagged ``error``."""
        if any(error is outer for outer in self._open) or len(self._open) >= CHAIN_MAX or self._count >= ERRORS_MAX:
            return self._name_and_text(error), "error"
        self._open.append(error)
        self._count += 1
        try:
            plain, nodes = self._parts(renderer, error, depth - 1)
        except Exception as problem:  # noqa: BLE001 - an exception with hostile attributes still has a name and a text
            plain, nodes = self._name_and_text(error), {}
            plain["notes"] = [f"its parts could not be stored: {type(problem).__name__}"]
        finally:
            self._open.pop()
        return plain, ["error", nodes] if nodes else "error"

    def _name_and_text(self, error: BaseException) -> dict[str, Any]:
        plain = {TYPE_KEY: ERROR_TYPE, "message": text_of(error)[:TEXT_MAX], "name": public_name(error)}
        stack = stack_of(error.__traceback__)
        if stack:
            plain["stack"] = stack
        return plain

    def _parts(self, renderer: Renderer, error: BaseException, depth: int) -> tuple[dict[str, Any], dict[str, Node]]:
        tree = _Tree(renderer, self._name_and_text(error), depth)
        tree.plain["class"] = name_of(type(error))
        if is_validation_error(error):
            tree.put("validation", validation_parts(error))
        else:
            args = [_linked(error, part) for part in _constructor_args(error)]
            tree.put_each("args", dict(enumerate(args)), [])
        state = _state_of(error)
        if state:
            tree.put_each("state", state, {})
        members = _members_of(error)
        if members:
            tree.put("members", members)
        _put_chain(tree, error)
        return tree.plain, tree.nodes


class _Tree:
    """The JSON object while it grows, with its annotations."""

    __slots__ = ("_depth", "_renderer", "nodes", "plain")

    def __init__(self, renderer: Renderer, plain: dict[str, Any], depth: int) -> None:
        self._renderer = renderer
        self._depth = depth
        self.plain = plain
        self.nodes: dict[str, Node] = {}

    def put(self, key: str, value: Any) -> None:
        """Add one part, or its description if it cannot be stored."""
        self.plain[key], node = self._rendered(value)
        if node is not None:
            self.nodes[key] = node

    def put_each(self, key: str, parts: dict[Any, Any], into: list[Any] | dict[str, Any]) -> None:
        """Add a list or object of parts, each of which may be one that cannot be stored."""
        nodes: dict[str, Node] = {}
        for own_key, part in parts.items():
            plain, node = self._rendered(part)
            if isinstance(into, list):
                into.append(plain)
            else:
                into[own_key] = plain
            if node is not None:
                nodes[str(own_key)] = node
        self.plain[key] = into
        if nodes:
            self.nodes[key] = [None, nodes]

    def _rendered(self, value: Any) -> Rendered:
        try:
            return self._renderer.render(value, self._depth)
        except Exception:  # noqa: BLE001 - attributes of errors are anything at all
            return self._renderer.render(NotStored.of(value))


def _put_chain(tree: _Tree, error: BaseException) -> None:
    notes = vars_of(error).get("__notes__")
    if isinstance(notes, list) and notes:
        tree.put("notes", [str(note) for note in notes])
    if isinstance(error, BaseExceptionGroup):
        tree.put("errors", list(error.exceptions))
    cause, context = error.__cause__, error.__context__
    if cause is not None:
        tree.put("cause", cause)
    if context is not None and _shows_context(error):
        tree.put("context", context)
    if error.__suppress_context__ and cause is None:
        tree.plain["suppress"] = True


def _constructor_args(error: BaseException) -> tuple[Any, ...]:
    """Return what the C base's constructor takes to make this exception again."""
    if isinstance(error, OSError) and error.filename is not None and len(error.args) == 2:
        more = (error.filename,) if error.filename2 is None else (error.filename, None, error.filename2)
        return (*error.args, *more)
    if isinstance(error, BaseExceptionGroup):
        return (error.message,)
    return error.args


def _state_of(error: BaseException) -> dict[str, Any]:
    state = {key: item for key, item in vars_of(error).items() if key not in _ELSEWHERE}
    for name in slots_of(type(error)):
        try:
            state[name] = object.__getattribute__(error, name)
        except AttributeError:
            continue
    return {key: _linked(error, item) for key, item in state.items()}


def _linked(error: BaseException, part: Any) -> Any:
    if part is not None and part is error.__cause__:
        return CAUSE
    return CONTEXT if part is not None and part is error.__context__ and _shows_context(error) else part


def _shows_context(error: BaseException) -> bool:
    return error.__context__ is not error.__cause__ and not error.__suppress_context__


def _members_of(error: BaseException) -> dict[str, Any]:
    return {
        name: getattr(error, name)
        for base, names in MEMBERS
        if isinstance(error, base)
        for name in names
        if isinstance(getattr(error, name, None), str)
    }
