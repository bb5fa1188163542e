"""Decorators of message handlers, converted alike for signals, queries and updates."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Work

#: Options of handler decorators that change nothing that a program sees.
_DROPPED: Final = frozenset({"description", "unfinished_policy"})


def convert_decorator(work: Work, method: Definition, decorator: ast.expr, kind: str, code: str) -> None:
    """Replace ``@workflow.signal(...)`` and its relatives by ours, keeping the name."""
    draft, module = work.draft, method.module
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    if (isinstance(decorator, ast.Attribute) and decorator.attr == "dynamic") or any(
        k.arg == "dynamic" for k in keywords
    ):
        draft.block(
            module,
            decorator,
            code,
            f"this {kind} handler is dynamic: it takes messages of any name",
            f"Write one {kind} handler for each name.",
        )
        return
    unknown = [str(keyword.arg) for keyword in keywords if keyword.arg not in ("name", *_DROPPED)]
    if unknown:
        draft.block(
            module, decorator, code, f"option {unknown[0]}= of a {kind} handler is unknown", "Remove the option."
        )
        return
    for keyword in keywords:
        if keyword.arg in _DROPPED:
            draft.note(
                module,
                decorator,
                "RM512",
                "note",
                f"{keyword.arg}= of a {kind} handler has no counterpart and is left out",
            )
    draft.claim(decorator)
    draft.need(module, decorator, "helper", code)
    name = next((keyword.value for keyword in keywords if keyword.arg == "name"), None)

    def make(emit: Emit) -> Part:
        local = emit.core(kind)
        return call(local, Named("name", name)) if name is not None else local

    draft.act(module, decorator, lambda emit: emit.file.replace(decorator, make(emit), code=code))
