"""Where a new import statement goes, and which blank lines go with a removed one."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from migrate.rewrite.action import Action
from migrate.rewrite.actions import is_docstring

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.edits import Want
    from migrate.rewrite.concrete import Concrete

_FUTURE, _STDLIB, _THIRD, _FIRST, _LOCAL = range(5)


class Placer:
    """Finds places for new import statements of one file."""

    def __init__(
        self,
        module: Module,
        concrete: Concrete,
        first_party: frozenset[str],
        statements: list[ast.Import | ast.ImportFrom],
        removed: list[ast.stmt],
    ) -> None:
        self.module = module
        self.concrete = concrete
        self.first_party = first_party
        self.top = [node for node in statements if isinstance(module.parents.get(node), ast.Module)]
        self.top = [node for node in self.top if node in self._header()]
        self.removed = removed

    def place(self, wants: list[Want]) -> list[Action]:
        """Return one action for each place."""
        by_module: dict[str, list[Want]] = defaultdict(list)
        for want in wants:
            by_module[want.target.rpartition(".")[0]].append(want)
        at: dict[tuple[int, bool, bool], list[str]] = defaultdict(list)
        for base in sorted(by_module, key=lambda base: (self._section(base or by_module[base][0].target, 0), base)):
            for text in _statements(base, by_module[base]):
                at[self._place(base or text.split()[1], is_plain=not base)].append(text)
        return [self._action(*place, texts) for place, texts in at.items()]

    def _action(self, place: int, above: bool, below: bool, texts: list[str]) -> Action:
        body = "".join(f"{text}\n" for text in texts)
        text = ("\n" if above else "") + body + ("\n" if below else "")
        return Action(place, place, lambda _renderer, before: ("\n" if before.strip() else "") + text)

    def _place(self, base: str, *, is_plain: bool) -> tuple[int, bool, bool]:
        """Return an offset, and whether a blank line goes above and below; ``is_plain`` for ``import base``."""
        section = self._section(base, 0)
        same = [node for node in self.top if self._section_of(node) == section]
        if same:
            earlier = [node for node in same if isinstance(node, ast.ImportFrom) and _name(node).lower() < base.lower()]
            plain = [node for node in same if isinstance(node, ast.Import)]
            names = [_name(node) for node in plain]
            if is_plain and names == sorted(names):
                plain, earlier = [node for node in plain if _name(node) < base], []
            after = [*plain, *earlier]
            last = max(after, key=lambda node: node.lineno) if after else None
            if last is None:
                return self.concrete.line_start(self.concrete.span(same[0])[0]), False, False
            if last in self.removed:  # keep its place in the group, even if the group goes
                return self.concrete.line_start(self.concrete.span(last)[0]), False, False
            return self.concrete.line_end(self.concrete.span(last)[1]), False, False
        lower = [node for node in self.top if self._section_of(node) < section]
        if lower:
            return self.concrete.line_end(self.concrete.span(lower[-1])[1]), True, False
        higher = [node for node in self.top if self._section_of(node) > section]
        if higher:
            return self.concrete.line_start(self.concrete.span(higher[0])[0]), False, True
        return self._first_place()

    def _first_place(self) -> tuple[int, bool, bool]:
        body = self.module.tree.body
        if body and is_docstring(body[0]):
            return self.concrete.line_end(self.concrete.span(body[0])[1]), True, False
        if not body:
            return len(self.concrete.text), False, False
        first = body[0]
        start = self.concrete.span(first)[0]
        for decorator in getattr(first, "decorator_list", ())[:1]:
            start = self.concrete.text.rindex("@", 0, self.concrete.span(decorator)[0])
        return self.concrete.line_start(start), False, True

    def _header(self) -> list[ast.stmt]:
        """Return the statements before the first that is no import, docstring, or block of imports."""
        found: list[ast.stmt] = []
        for node in self.module.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.For, ast.While)):
                break
            found.append(node)
        return found

    def _section_of(self, node: ast.Import | ast.ImportFrom) -> int:
        return self._section(_name(node), node.level if isinstance(node, ast.ImportFrom) else 0)

    def _section(self, name: str, level: int) -> int:
        top = name.split(".", maxsplit=1)[0]
        if level:
            return _LOCAL
        if top == "__future__":
            return _FUTURE
        if top in sys.stdlib_module_names:
            return _STDLIB
        return _FIRST if top in self.first_party else _THIRD


def _statements(base: str, wants: list[Want]) -> list[str]:
    if not base:
        return [
            f"import {want.target}" + (f" as {want.local}" if want.local != want.target else "") for want in wants
        ]  # fmt: skip
    texts: list[str] = []
    for want in wants:
        last = want.target.rpartition(".")[2]
        texts = insert_sorted(texts, last if last == want.local else f"{last} as {want.local}")
    return [f"from {base} import {', '.join(dict.fromkeys(texts))}"]


def _name(node: ast.Import | ast.ImportFrom) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else node.module or ""


def _by_type(text: str) -> tuple[int, str]:
    name = text.split(maxsplit=1)[0]
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


#: Orders that files keep their names in: isort's own, without case, plain.
_ORDERS: Final = (_by_type, str.lower, str)


def insert_sorted(texts: list[str], new: str) -> list[str]:
    """Put a name among others in the order they have, or last if they have none."""
    for order in _ORDERS:
        keys = [order(text) for text in texts]
        if keys == sorted(keys):
            return sorted([*texts, new], key=order)
    return [*texts, new]
