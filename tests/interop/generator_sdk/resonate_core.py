"""The names that plain migrated code uses, on the generator SDK 0.6.7 in local mode: marks that say nothing but a name.

A migrated program finds this module in the place of ours; its text is not changed.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from resonate import Context
from resonate import Resonate as Sdk

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Context", "Resonate", "durable", "step"]

_marked: list[tuple[Callable[..., Any], str, int]] = []


def durable(name: str | None = None, version: int = 1) -> Callable[[Any], Any]:
    """Remember a function under its name."""

    def mark(function: Any) -> Any:
        _marked.append((function, name or function.__name__, version))
        return function

    return mark


def step(**_: Any) -> Callable[[Any], Any]:
    """Take the context away that the SDK hands to every function; a call without one is a plain call."""

    def mark(function: Any) -> Any:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            own = args[1:] if args and isinstance(args[0], Context) else args
            return function(*own, **kwargs)

        return called

    return mark


class Resonate:
    """The SDK's client under the names that the codemod emits beyond it."""

    def __init__(self) -> None:
        self._sdk = Sdk.local(log_level="ERROR")

    def register_all(self) -> None:
        """Register what is marked."""
        for function, name, version in _marked:
            self._sdk.register(function, name=name, version=version)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sdk, name)
