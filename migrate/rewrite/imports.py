"""Imports of a rewritten file: entries added, renamed and removed exactly, in the file's own style.

An entry goes if the new text does not use its name any more and it was the old SDK's, or was used before. An entry is
added to an import from the same module if there is one, else as a new statement in the group it belongs to.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from migrate.index.order import walk
from migrate.rewrite.action import Action
from migrate.rewrite.blank_lines import removal_range
from migrate.rewrite.import_places import Placer, insert_sorted
from migrate.verify import may_go

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Import, Module
    from migrate.plan.edits import ImportRename, Want
    from migrate.rewrite.change import Change
    from migrate.rewrite.concrete import Concrete
    from migrate.rewrite.render import Renderer

_WORD = re.compile(r"\w+")


class ImportEditor:
    """Plans the import actions of one file, from a first rendering of its body."""

    def __init__(self, module: Module, concrete: Concrete, rendered: Renderer, line_length: int) -> None:
        self.module = module
        self.concrete = concrete
        self.rendered = rendered
        self.line_length = line_length

    def actions(self, change: Change, text: str) -> list[Action]:
        """Return the actions; none if the rendering does not parse (the verification will say so)."""
        used = names_used(text)
        if used is None:
            return []
        renames = {one.alias: one for one in change.renames}
        gone = {entry.alias for entry in self.module.imports if self._is_gone(entry, renames, change, used)}
        wants = {want.local: want for want in change.wants if want.local.split(".")[0] in used}
        added, fresh = self._distribute(list(wants.values()))
        actions: list[Action] = []
        removed: list[ast.stmt] = []
        for statement in self._statements():
            names = [alias for alias in statement.names if alias not in gone]
            new = added.get(statement, [])
            if not names and not new:
                removed.append(statement)
            elif len(names) < len(statement.names) or new or any(alias in renames for alias in names):
                actions.append(self._rebuilt(statement, names, new, renames, change.moves))
            elif isinstance(statement, ast.ImportFrom) and statement in change.moves:
                actions.append(self._moved(statement, change.moves[statement]))
        placer = Placer(self.module, self.concrete, change.first_party, self._statements(), removed)
        placed = placer.place(fresh)
        actions.extend(placed)
        actions.extend(self._removals(removed, {action.start for action in placed}))
        return actions

    def _statements(self) -> list[ast.Import | ast.ImportFrom]:
        """Return the import statements that the rules left where they are."""
        found = dict.fromkeys(entry.statement for entry in self.module.imports)
        return [node for node in found if self.rendered.keeps(*self.concrete.span(node))]

    def _is_gone(self, entry: Import, renames: dict[ast.alias, ImportRename], change: Change, used: set[str]) -> bool:
        name = entry.local
        is_sdk = entry.target.split(".")[0] in change.packages
        if is_sdk and name in change.freed and entry.scope is self.module.scope:
            return True
        new = renames[entry.alias].local if entry.alias in renames and entry.alias.asname is None else name
        if new in used or name in self.module.exported:
            return False
        if entry.alias.asname is not None and entry.alias.asname == entry.alias.name:
            return False  # ``import x as x`` is an explicit re-export
        before = bool(self.module.loads.get(name)) or self._in_texts(name)
        return before or (is_sdk and not self.module.is_package)

    def _in_texts(self, name: str) -> bool:
        return any(name in _WORD.findall(str(node.value)) for node in self.module.annotations)

    def _distribute(self, wants: list[Want]) -> tuple[dict[ast.stmt, list[Want]], list[Want]]:
        """Give each wanted name to an import of the same module, or to the list of new statements."""
        added: dict[ast.stmt, list[Want]] = defaultdict(list)
        fresh = []
        for want in wants:
            home = next((node for node in self._statements() if self._takes(node, want)), None)
            if home is not None:
                added[home].append(want)
            else:
                fresh.append(want)
        return added, fresh

    def _takes(self, node: ast.Import | ast.ImportFrom, want: Want) -> bool:
        base = want.target.rpartition(".")[0]
        if not isinstance(node, ast.ImportFrom) or node.level or node.module != base or node.names[0].name == "*":
            return False
        parent = self.module.parents.get(node)
        return isinstance(parent, ast.Module) or (want.typing_only and is_typing_block(parent))

    # -- statements

    def _rebuilt(
        self,
        node: ast.Import | ast.ImportFrom,
        names: list[ast.alias],
        new: list[Want],
        renames: dict[ast.alias, ImportRename],
        moves: dict[ast.ImportFrom, str],
    ) -> Action:
        start, end = self.concrete.span(node)
        texts = [_entry(alias, renames.get(alias)) for alias in names]
        for want in new:
            last = want.target.rpartition(".")[2]
            texts = insert_sorted(texts, last if last == want.local else f"{last} as {want.local}")
        texts = list(dict.fromkeys(texts))
        text = self.concrete.text[start:end]
        comments = self.concrete.comments_in(start, end)
        head = _head(node, moves)
        exploded = "\n" in text
        indent = self.concrete.indentation(start)
        return Action(start, end, self._statement(head, texts, exploded, comments, indent), node)

    def _moved(self, node: ast.ImportFrom, module: str) -> Action:
        """Change the module of a statement and nothing else."""
        start, end = self.concrete.span(node)
        match = re.compile(r"from\s+([\w.]+)").match(self.concrete.text, start, end)
        assert match is not None
        return Action(*match.span(1), lambda _renderer, _before: module)

    def _statement(
        self, head: str, texts: list[str], exploded: bool, comments: list[tuple[int, int]], indent: str
    ) -> Callable[[Renderer, str], str]:
        behind = {self._entry_before(span): span for span in comments}

        def write(renderer: Renderer, _before: str) -> str:
            flat = f"{head} {', '.join(texts)}"
            fits = len(indent) + len(flat) <= self.line_length
            if head.startswith("import") or (fits and not exploded):
                return flat
            unit = self.concrete.indent
            lines = [f"{head} ("]
            for text in texts:
                span = behind.get(text)
                comment = f"  {renderer.keep_comment(span)}" if span is not None else ""
                lines.append(f"{indent}{unit}{text},{comment}")
            return "\n".join([*lines, f"{indent})"])

        return write

    def _entry_before(self, span: tuple[int, int]) -> str:
        """Return the text of the entry that a comment stands behind."""
        line = self.concrete.text[self.concrete.line_start(span[0]) : span[0]]
        return line.strip().rstrip(",").strip()

    def _removals(self, removed: list[ast.stmt], replaced: set[int]) -> list[Action]:
        actions = []
        for node in self._whole_blocks(removed):
            start, end = self.concrete.span(node)
            body = self._siblings(node)
            if body == [node] and not isinstance(self.module.parents.get(node), ast.Module):
                actions.append(Action(start, end, lambda _renderer, _before: "pass", node))
                continue
            taken = self.concrete.line_start(start) in replaced
            comments = self.concrete.comments_in(end, self.concrete.line_end(end))
            stays = any(not may_go(self.concrete.text[slice(*span)]) for span in comments)
            first, last = removal_range(self.concrete, start, end, blanks=not taken and not stays)
            indent = self.concrete.indentation(start)
            actions.append(Action(first, last, _comment_writer(comments, indent), node))
        return actions

    def _siblings(self, node: ast.AST) -> list[ast.AST]:
        parent = self.module.parents.get(node)
        for _, value in ast.iter_fields(parent) if parent is not None else ():
            if isinstance(value, list) and node in value:
                return value
        return [node]

    def _whole_blocks(self, removed: list[ast.stmt]) -> list[ast.stmt]:
        """Take ``if TYPE_CHECKING:`` blocks out as a whole if nothing is left in them."""
        found: list[ast.stmt] = []
        for node in removed:
            parent = self.module.parents.get(node)
            whole = node
            if isinstance(parent, ast.If) and is_typing_block(parent) and not parent.orelse:
                whole = parent if all(one in removed for one in parent.body) else node
            if whole not in found:
                found.append(whole)
        return found


def names_used(text: str) -> set[str] | None:
    """Return the names that a file reads, in code, string annotations and ``__all__``; None if it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    used: set[str] = set()
    for node in walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            used.add(node.id)
        elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            used.update(_texts(node.annotation))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            used.update(_texts(node.returns))
        elif isinstance(node, ast.Call):
            used.update(word for argument in node.args[:1] for word in _texts(argument, deep=False))
    return used


def _texts(node: ast.AST, *, deep: bool = True) -> set[str]:
    """Return the words of texts in an annotation, or of the first argument of ``cast("T", x)`` and the like."""
    nodes = walk(node) if deep else [node]
    words: set[str] = set()
    for one in nodes:
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and (deep or one.value.isidentifier()):
            words.update(_WORD.findall(one.value))
    return words


def is_typing_block(node: ast.AST | None) -> bool:
    """Tell whether a statement is ``if TYPE_CHECKING:``."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _entry(alias: ast.alias, rename: ImportRename | None) -> str:
    name = alias.name if rename is None else rename.target.rpartition(".")[2]
    asname = alias.asname
    if asname is None and rename is not None and rename.local != name:
        asname = rename.local
    return f"{name} as {asname}" if asname else name


def _head(node: ast.Import | ast.ImportFrom, moves: dict[ast.ImportFrom, str]) -> str:
    if isinstance(node, ast.Import):
        return "import"
    module = moves.get(node, f"{'.' * node.level}{node.module or ''}")
    return f"from {module} import"


def _comment_writer(comments: list[tuple[int, int]], indent: str) -> Callable[[Renderer, str], str]:
    return lambda renderer, _before: renderer.kept_comments(comments, indent)
