"""How a handler says no: one exception, turned into a response in one place."""

from __future__ import annotations


class RefusedError(Exception):
    """The request cannot be carried out; ``status`` is the protocol's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def invalid(text: str) -> RefusedError:
    """The request itself is wrong."""
    return RefusedError(400, text)


def missing(what: str, id: str) -> RefusedError:
    """What the request is about does not exist."""
    return RefusedError(404, f"{what} {id!r} does not exist")


def conflict(text: str) -> RefusedError:
    """Something is not in the state that the request needs."""
    return RefusedError(409, text)


def impossible(text: str) -> RefusedError:
    """A second thing that the request names makes it impossible."""
    return RefusedError(422, text)
