"""What stands in a stored error for a part that has no stored form: its text, and an explanation on every use."""

from __future__ import annotations

from typing import Any, Final, NoReturn

_TEXT_MAX: Final = 2_000


class NotStored:
    """A part of an error that could not be stored, such as an open response.

    It prints as the original did, so that the text of the error is the same; using it says what is missing.
    """

    __slots__ = ("_repr", "_text", "_type_name")

    def __init__(self, type_name: str, repr_text: str, text: str) -> None:
        self._type_name = type_name
        self._repr = repr_text
        self._text = text

    @classmethod
    def of(cls, value: Any) -> NotStored:
        """Describe a value."""
        own = type(value)
        return cls(f"{own.__module__}.{own.__qualname__}", _printed(repr, value), _printed(str, value))

    def parts(self) -> list[str]:
        """Return what the constructor takes."""
        return [self._type_name, self._repr, self._text]

    def __repr__(self) -> str:
        return self._repr

    def __str__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotStored) and other.parts() == self.parts()

    def __hash__(self) -> int:
        return hash(tuple(self.parts()))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{name!r} is not there: this part of the error was an instance of {self._type_name}, which cannot be "
            "stored; copy what you need of it into an attribute of the error before raising",
        )


class Linked:
    """Stands for a part of an error that is its own ``__cause__`` or ``__context__``: both stay one object.

    Written once for each, a chain of n wrappers would be written 2 to the n times.
    """

    def __init__(self, name: str) -> None:
        self.name = name


CAUSE: Final = Linked("cause")
CONTEXT: Final = Linked("context")


def _printed(how: Any, value: Any) -> str:
    try:
        text = str(how(value))
    except Exception:  # noqa: BLE001 - what cannot print itself is named by its type
        return f"<{type(value).__qualname__}>"
    return text[:_TEXT_MAX]
