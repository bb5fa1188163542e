"""The data of the index: modules, scopes, bindings, definitions. Plain and picklable, no behaviour beyond look-ups."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from migrate.source import SourceFile

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
BindingKind = Literal["import", "function", "class", "parameter", "value", "unknown"]


@dataclass(eq=False)
class Binding:
    """One way a name gets its meaning in a scope.

    Attributes:
        kind: "value" is an assignment with a known right side, "unknown" any other.
        target: dotted name, for an import.
        node: defining node: the definition, the parameter, the statement or ``with`` item, the alias.
        value: right side of a plain assignment, context expression of a ``with`` item, iterable of a loop.
        how: "assign", "with", "for" or "" for how ``value`` becomes the name's value.
    """

    kind: BindingKind
    target: str = ""
    node: ast.AST | None = None
    value: ast.expr | None = None
    how: str = ""


@dataclass(eq=False)
class Scope:
    """Names of a module, class or function body.

    Attributes:
        bindings: what each name means here.
        elsewhere: scopes that own the names declared ``global`` or ``nonlocal`` here.
    """

    node: ast.AST
    parent: Scope | None
    kind: Literal["module", "class", "function"]
    qualname: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)


@dataclass(eq=False)
class Definition:
    """A function or class of the project.

    Attributes:
        qualname: module and path inside it, ``app.wf.Order.run``; functions inside functions say ``<locals>``.
        owner: qualified name of the top-level definition that it stands in (itself at top level).
        parent: definition it stands in, if any.
        scope: scope that holds the name.
        inner: scope of its own body.
    """

    qualname: str
    module: Module
    node: FunctionNode | ast.ClassDef
    scope: Scope
    inner: Scope
    parent: Definition | None
    owner: str

    @property
    def name(self) -> str:
        """Last part of the qualified name."""
        return self.node.name

    @property
    def is_async(self) -> bool:
        """Whether it says ``async def``."""
        return isinstance(self.node, ast.AsyncFunctionDef)


@dataclass(eq=False)
class Import:
    """One name that an import statement binds.

    Attributes:
        local: name in the file.
        target: dotted name it stands for.
        statement: the import statement.
        alias: the ``ast.alias``.
        scope: where it is bound.
    """

    local: str
    target: str
    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    scope: Scope


@dataclass(eq=False)
class Module:
    """One analysed file.

    Attributes:
        name: dotted; empty segments never occur.
        references: outermost name or attribute chain of each expression that starts with a name, in source order.
        sites: nodes of the kinds that rules look at (``order.KIND_OF``), in source order.
        scope_of: scope in which a node's names are looked up.
        annotations: texts that stand where an annotation does.
    """

    name: str
    source: SourceFile
    tree: ast.Module
    is_package: bool
    is_test: bool
    scope: Scope
    scope_of: dict[ast.AST, Scope] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    sites: list[ast.AST] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    references: list[ast.Name | ast.Attribute] = field(default_factory=list)
    definitions: dict[ast.AST, Definition] = field(default_factory=dict)
    loads: dict[str, int] = field(default_factory=dict)
    exported: dict[str, ast.Constant] = field(default_factory=dict)
    annotations: list[ast.Constant] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Path relative to the root."""
        return self.source.path

    def ancestors(self, node: ast.AST) -> list[ast.AST]:
        """Return the chain of parents, nearest first."""
        chain = []
        current = self.parents.get(node)
        while current is not None:
            chain.append(current)
            current = self.parents.get(current)
        return chain

    def definition_around(self, node: ast.AST) -> Definition | None:
        """Return the innermost function or class that ``node`` stands in (a definition stands in itself)."""
        current: ast.AST | None = node
        while current is not None:
            found = self.definitions.get(current)
            if found is not None:
                return found
            current = self.parents.get(current)
        return None

    def function_around(self, node: ast.AST) -> Definition | None:
        """Return the innermost function whose run evaluates ``node``; a default value belongs to the run around it."""
        found = self.definition_around(node)
        while found is not None and (isinstance(found.node, ast.ClassDef) or self._is_in_defaults(node, found)):
            found = found.parent
        return found

    def _is_in_defaults(self, node: ast.AST, definition: Definition) -> bool:
        """Tell whether ``node`` stands in a default value of ``definition``'s own signature."""
        current = node
        while current is not definition.node:
            parent = self.parents.get(current)
            if parent is None:
                return False
            if isinstance(parent, ast.arguments) and self.parents.get(parent) is definition.node:
                return any(current is default for default in (*parent.defaults, *parent.kw_defaults))
            current = parent
        return False

    def owner(self, node: ast.AST) -> str:
        """Return the top-level definition around ``node``, or the module's own body."""
        found = self.definition_around(node)
        return found.owner if found is not None else f"{self.name}:<module>"
