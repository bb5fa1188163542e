"""The tree of errors drawn at the top of ``errors.py`` is the tree of its classes."""

from __future__ import annotations

import inspect
import re

from resonate_core import errors


def drawn() -> dict[str, str | None]:
    """Read the drawing: name to name of its parent."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        indent = re.match(r"[│├└─ ]*", line)
        depth = len(indent.group() if indent else "") // 4
        names = re.match(r"[A-Z]\w*(?:, [A-Z]\w*)*(?= \(BaseException\)| {2,}|$)", line[depth * 4 :])
        if names is None or line.endswith("."):
            continue
        for name in names.group().split(", "):
            parents[name] = path[depth - 1] if depth else None
        path[depth:] = [names.group().split(", ")[-1]]
    return parents


def defined() -> dict[str, str | None]:
    """Read the classes: name to name of the parent within the tree."""
    own = {
        name: thing
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and issubclass(thing, BaseException) and thing.__module__ == errors.__name__
    }
    return {
        name: next((base.__name__ for base in thing.__bases__ if base.__name__ in own), None)
        for name, thing in own.items()
    }


def test_error_tree_is_drawn_as_defined():
    assert drawn() == defined()


def test_errors_of_the_tree_are_exported():
    import resonate_core

    private = {"ResonateCoreError"} - set(resonate_core.__all__)
    missing = [name for name in defined() if name not in resonate_core.__all__ and name not in private]
    assert not missing


def test_control_signals_pass_except_exception():
    assert not issubclass(errors.Cancelled, Exception)
    assert not issubclass(errors.ContinueAsNew, Exception)
