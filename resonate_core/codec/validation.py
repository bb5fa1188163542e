"""pydantic's ``ValidationError``: made in Rust, so it can be rebuilt only through its own factory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def _class() -> Any:
    core = sys.modules.get("pydantic_core")
    return None if core is None else core.ValidationError


def is_validation_error(error: BaseException) -> bool:
    """Say whether this is pydantic's own error; subclasses cannot exist."""
    cls = _class()
    return cls is not None and type(error) is cls


def validation_parts(error: Any) -> list[Any]:
    """Return title and lines, the arguments of pydantic's factory."""
    return [error.title, [_line(line) for line in error.errors(include_url=False)]]


def _line(line: Mapping[str, Any]) -> list[Any]:
    return [line["type"], list(line["loc"]), line["input"], line.get("ctx") or {}, line["msg"]]


def rebuild(parts: list[Any]) -> BaseException:
    """Make the error again.

    Raises:
        LookupError: pydantic is not in use here.
        TypeError, ValueError: the parts are not what pydantic takes.
    """
    cls = _class()
    if cls is None:
        raise LookupError("pydantic is not loaded in this process")
    title, lines = parts
    _check(_is_text(title) and isinstance(lines, list))
    error: BaseException = cls.from_exception_data(title, [_line_error(*line) for line in lines])
    return error


def _check(is_well_formed: bool) -> None:
    """Refuse parts of other types before Rust sees them: it panics, which is no ``Exception``."""
    if not is_well_formed:
        raise TypeError("stored validation error is damaged")


def _is_text(value: Any) -> bool:
    """Say whether a value is text that Rust can hold: without halves of surrogate pairs."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _is_builtin(kind: str) -> bool:
    from pydantic_core import PydanticKnownError  # noqa: PLC0415 - only where pydantic is in use

    try:
        PydanticKnownError(kind, {})  # type: ignore[arg-type]
    except KeyError:
        return False
    except (TypeError, ValueError):  # it exists and asks for its context
        return True
    return True


def _line_error(kind: Any, loc: Any, given: Any, ctx: Any, message: Any) -> dict[str, Any]:
    from pydantic_core import PydanticCustomError  # noqa: PLC0415 - only where pydantic is in use

    _check(_is_text(kind) and isinstance(loc, list) and isinstance(ctx, dict) and _is_text(message))
    _check(all(isinstance(step, int) or _is_text(step) for step in loc))
    _check(all(not isinstance(item, str) or _is_text(item) for item in (*ctx, *ctx.values())))
    known: Any = kind
    if not _is_builtin(kind):
        known = PydanticCustomError(kind, message.replace("{", "{{").replace("}", "}}"))
        ctx = {}
    return {"type": known, "loc": tuple(loc), "input": given, "ctx": ctx}
