"""The edits of one file, as data: what a rule may do to a node.

Edits name nodes of the analysis tree. Each carries the finding's code that explains it and the group it stands or
falls with. Nothing is printed here; ``migrate.rewrite`` does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from migrate.plan.naming import choose_local_name

if TYPE_CHECKING:
    import ast

    from migrate.index.model import FunctionNode, Module
    from migrate.plan.fragments import Part

Where: TypeAlias = Literal["before", "after", "start", "end"]
Verb: TypeAlias = Literal[
    "replace", "remove", "insert", "rename", "sync", "decorate", "parameter", "returns", "argument", "base", "marker"
]


@dataclass(frozen=True)
class Edit:
    """One change at one node.

    Attributes:
        verb: what is done.
        node: node of the analysis tree.
        part: new code, for the verbs that have some.
        code: code of the finding that explains it.
        group: edits of one group stand or fall together.
        where: place, for ``insert``; for ``parameter`` "start" is after ``self``.
    """

    verb: Verb
    node: ast.AST
    part: Part | None
    code: str
    group: str
    where: Where = "before"


@dataclass(frozen=True)
class Want:
    """A name that new code uses and that the file must import.

    Attributes:
        target: dotted name, ``resonate_core.Context``.
        local: name in the file.
        group: group that wants it.
        typing_only: it may go under ``if TYPE_CHECKING`` when the file has that block for its peers.
    """

    target: str
    local: str
    group: str
    typing_only: bool = False


@dataclass(frozen=True)
class ImportRename:
    """An import entry that imports another name of the same module from now on."""

    alias: ast.alias
    target: str
    local: str
    group: str


@dataclass(frozen=True)
class ImportMove:
    """A ``from`` import that takes its names from another module from now on."""

    statement: ast.ImportFrom
    module: str
    code: str
    group: str


@dataclass
class FilePlan:
    """Everything planned for one file.

    Attributes:
        freed: names that imports of the old SDK bind and that nothing will use any more: new code may take them.
    """

    module: Module
    edits: list[Edit] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    renames: list[ImportRename] = field(default_factory=list)
    moves: list[ImportMove] = field(default_factory=list)
    freed: set[str] = field(default_factory=set)

    def groups(self) -> set[str]:
        """Return the groups that change this file."""
        planned: list[Edit | Want | ImportRename | ImportMove] = [*self.edits, *self.wants, *self.renames, *self.moves]
        return {one.group for one in planned}


class FileEdits:
    """The verbs, for one file and one group. Get one with ``job.file(module, unit)``.

    Every method takes ``code``: the rule code that explains the change. A node takes one ``replace`` or ``remove``;
    a second one with another result is an error in the rules. Edits inside a node that is replaced are applied if the
    node they are in is a hole of the template, and forgotten otherwise.
    """

    def __init__(self, plan: FilePlan, group: str) -> None:
        self.plan = plan
        self.group = group

    @property
    def module(self) -> Module:
        """The file's index."""
        return self.plan.module

    # -- expressions and statements

    def replace(self, node: ast.AST, part: Part, *, code: str) -> None:
        """Put ``part`` in the place of an expression, statement, decorator, argument, keyword or base.

        A statement's leading comments and blank lines stay. Comments inside that no hole keeps move above it.
        """
        self._add("replace", node, part, code)

    def remove(self, node: ast.AST, *, code: str) -> None:
        """Take out a statement, decorator, call argument, keyword, parameter, base, or list or tuple element.

        Comments above a statement stay. A body that becomes empty gets ``pass``.
        """
        self._add("remove", node, None, code)

    def insert_before(self, statement: ast.stmt, part: Part, *, code: str) -> None:
        """Put statements above ``statement`` (below the comments that belong to it, in the order of the calls)."""
        self._add("insert", statement, part, code, "before")

    def insert_after(self, statement: ast.stmt, part: Part, *, code: str) -> None:
        """Put statements below ``statement``, in the order of the calls."""
        self._add("insert", statement, part, code, "after")

    def insert_start(self, node: ast.AST, part: Part, *, code: str) -> None:
        """Put statements first in the body of a function, class, loop or module, after its docstring."""
        self._add("insert", node, part, code, "start")

    def insert_end(self, node: ast.AST, part: Part, *, code: str) -> None:
        """Put statements last in the body of a function, class, loop or module."""
        self._add("insert", node, part, code, "end")

    # -- functions, classes, calls

    def rename(self, node: FunctionNode | ast.ClassDef | ast.arg, name: str, *, code: str) -> None:
        """Change the name in a definition or parameter only; ``Job.rename`` follows every reference."""
        self._add("rename", node, name, code)

    def make_sync(self, node: ast.AST, *, code: str) -> None:
        """Drop ``async`` from a function, ``for``, ``with`` or comprehension clause."""
        self._add("sync", node, None, code)

    def decorate(self, node: FunctionNode | ast.ClassDef, part: Part, *, code: str) -> None:
        """Add a decorator line below the existing ones; ``part`` is the text after the ``@``."""
        self._add("decorate", node, part, code)

    def add_parameter(self, node: FunctionNode, part: Part, *, code: str, where: Where = "start") -> None:
        """Add a parameter such as ``ctx: Context``: first ("start", after ``self`` or ``cls``) or last ("end")."""
        self._add("parameter", node, part, code, where)

    def set_returns(self, node: FunctionNode, part: Part, *, code: str) -> None:
        """Set or change the return annotation; ``part`` may hold the old one as a hole."""
        self._add("returns", node, part, code)

    def add_argument(self, node: ast.Call, part: Part, *, code: str, where: Where = "end") -> None:
        """Add an argument to a call that is otherwise kept."""
        self._add("argument", node, part, code, where)

    def add_base(self, node: ast.ClassDef, part: Part, *, code: str) -> None:
        """Add a base class."""
        self._add("base", node, part, code)

    def mark(self, node: ast.AST, text: str, *, code: str) -> None:
        """Leave a marker comment ``# RM1xx: text`` above the statement that ``node`` stands in; one line.

        A re-run replaces the marker of the same code at the same statement; a marker whose site is gone is removed.
        """
        self._add("marker", node, text, code)

    # -- names

    def name(self, target: str, *, prefer: str = "", typing_only: bool = False) -> str:
        """Return the local name for a dotted name, importing it if the file does not have it yet.

        An import of the same name that is there is used (also as ``module.name``). If the plain name is taken in the
        file by something else, an alias is chosen: ``step`` becomes ``resonate_step``.

        Args:
            target: ``resonate_core.Context``; a bare module such as ``json`` is imported as a module.
            prefer: local name to prefer instead of the last part.
            typing_only: only annotations use it.
        """
        local, imported = choose_local_name(self.plan, target, prefer)
        if not imported:
            self.plan.wants.append(Want(target, local, self.group, typing_only))
        return local

    def rename_import(self, alias: ast.alias, target: str, local: str = "") -> None:
        """Let an import statement's entry import another name: ``from wf import Order`` to ``from wf import order``.

        Args:
            alias: the entry; its ``as`` name stays if it has one.
            target: name to import from now on, in the same module as before.
            local: name in the file, if the entry has no ``as`` name and it shall differ from ``target``.
        """
        self.plan.renames.append(ImportRename(alias, target, local or target.rsplit(".", 1)[-1], self.group))

    def move_import(self, statement: ast.ImportFrom, module: str, *, code: str) -> None:
        """Let a ``from`` import take its names from another module; once per statement and group."""
        move = ImportMove(statement, module, code, self.group)
        if move not in self.plan.moves:
            self.plan.moves.append(move)

    def _add(self, verb: Verb, node: ast.AST, part: Part | None, code: str, where: Where = "before") -> None:
        self.plan.edits.append(Edit(verb, node, part, code, self.group, where))
