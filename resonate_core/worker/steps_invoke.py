"""What kind of thing a step's function is, and what it gave back."""

from __future__ import annotations

import functools
import inspect
import re
import types
from asyncio import Future
from collections.abc import Coroutine
from typing import Any, Final

from resonate_core.commands import Command
from resonate_core.errors import UsageError

_ATOMS: Final = frozenset((str, int, float, bool, type(None), dict, list, tuple, bytes))
_BINDING_TEXT: Final = r"\(\) (missing|takes|got an unexpected|got multiple|got some positional)"


def is_async(function: Any) -> bool:
    """Say whether calling gives a coroutine: ``async def``, also as method, partial or callable object."""
    if type(function) is types.FunctionType:
        if function.__code__.co_flags & inspect.CO_COROUTINE:
            return True
        return bool(function.__dict__) and inspect.iscoroutinefunction(function)  # marked as one
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return inspect.iscoroutinefunction(function)
    return inspect.iscoroutinefunction(type(function).__call__)


def is_awaitable(result: Any) -> bool:
    """Say whether a plain function gave back a coroutine or task that somebody has to await."""
    return type(result) not in _ATOMS and isinstance(result, Coroutine | Future)


def refusal(name: str, result: Any) -> UsageError | None:
    """Return the error for a result that is work nobody has done, else None."""
    if type(result) in _ATOMS:
        return None
    if isinstance(result, types.GeneratorType | types.AsyncGeneratorType):
        return UsageError(
            f"step {name!r} returned a generator, so its body has not run: a decorator hides a generator function, or "
            "it is meant as a durable function; let the decorator use 'yield from', or return list(...)",
        )
    if isinstance(result, Command):
        return UsageError(
            f"step {name!r} returned a command ({type(result).__name__}) that was not yielded; "
            "make it a generator function and write 'yield', or return the value itself",
        )
    return None


def is_binding_error(error: BaseException, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Say whether a TypeError came from wrong arguments before any line of the function ran."""
    if not isinstance(error, TypeError):
        return False
    bare = inspect.unwrap(function) if not isinstance(function, functools.partial) else function
    name = getattr(bare, "__name__", "")
    if not (_frames_below(error) == 0 or re.search(re.escape(name) + _BINDING_TEXT, str(error))):
        return False
    try:
        inspect.signature(bare).bind(*args, **kwargs)
    except TypeError:
        return True
    except ValueError:  # a builtin without a signature
        return False
    return False


def _frames_below(error: BaseException) -> int:
    """Count the frames between the call and the place of the error."""
    traceback = error.__traceback__
    count = -1
    while traceback is not None:
        count += 1
        traceback = traceback.tb_next
    return count
