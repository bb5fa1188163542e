"""Index one file: one walk in source order that records parents, sites, scopes, bindings and references."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.index.model import Binding, Definition, Import, Module, Scope
from migrate.index.order import KIND_OF, children

if TYPE_CHECKING:
    from migrate.source import SourceFile

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def build_module(source: SourceFile, tree: ast.Module, name: str, *, is_package: bool) -> Module:
    """Index ``tree``.

    Args:
        source: the file.
        tree: its syntax tree; the index keeps it.
        name: dotted module name.
        is_package: the file is an ``__init__.py``.
    """
    scope = Scope(tree, None, "module", name)
    module = Module(name, source, tree, is_package, is_test_path(source.path), scope)
    _Builder(module).visit(tree, scope, None)
    return module


def is_test_path(path: str) -> bool:
    """Tell whether a file holds tests, by the conventions of pytest and unittest."""
    *folders, file = path.split("/")
    return file.startswith("test_") or file.endswith("_test.py") or file == "conftest.py" or "tests" in folders


class _Builder:
    """Fills one ``Module``."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._current: Definition | None = None

    def visit(self, node: ast.AST, scope: Scope, parent: ast.AST | None) -> None:
        module = self.module
        if parent is not None:
            module.parents[node] = parent
        module.scope_of[node] = scope
        if type(node) in KIND_OF:
            module.sites.append(node)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            for child in children(node):
                self.visit(child, scope, node)
        else:
            handler(self, node, scope)

    def _visit_all(self, node: ast.AST, scope: Scope) -> None:
        for child in children(node):
            self.visit(child, scope, node)

    # -- definitions

    def function(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        definition = self._define(node, scope, "function")
        for decorator in node.decorator_list:
            self.visit(decorator, scope, node)
        self._parameters(node.args, scope, definition.inner, node)
        if node.returns is not None:
            self.visit(node.returns, scope, node)
            self._texts(node.returns)
        self._body(node.body, definition, node)

    def klass(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ClassDef)
        definition = self._define(node, scope, "class")
        body = set(map(id, node.body))
        for child in children(node):
            if id(child) not in body:
                self.visit(child, scope, node)
        self._body(node.body, definition, node)

    def _define(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope, kind: str
    ) -> Definition:
        separator = ".<locals>." if scope.kind == "function" else "."
        qualname = f"{scope.qualname}{separator}{node.name}"
        inner = Scope(node, scope, "class" if kind == "class" else "function", qualname)
        owner = self._current.owner if self._current else qualname
        definition = Definition(qualname, self.module, node, scope, inner, self._current, owner)
        self.module.definitions[node] = definition
        self._bind(scope, node.name, Binding("class" if kind == "class" else "function", node=node, target=qualname))
        return definition

    def _body(self, body: list[ast.stmt], definition: Definition, node: ast.AST) -> None:
        outer, self._current = self._current, definition
        for statement in body:
            self.visit(statement, definition.inner, node)
        self._current = outer

    def _parameters(self, arguments: ast.arguments, outer: Scope, inner: Scope, parent: ast.AST) -> None:
        module = self.module
        module.parents[arguments] = parent
        module.scope_of[arguments] = outer
        for child in children(arguments):
            self.visit(child, outer, arguments)
            if isinstance(child, ast.arg):
                self._texts(child.annotation)
                self._bind(inner, child.arg, Binding("parameter", node=child))

    def _texts(self, annotation: ast.expr | None) -> None:
        for node in ast.walk(annotation) if annotation is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.module.annotations.append(node)

    def lambda_(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Lambda)
        inner = Scope(node, scope, "function", f"{scope.qualname}.<lambda>")
        self._parameters(node.args, scope, inner, node)
        self.visit(node.body, inner, node)

    def comprehension(self, node: ast.AST, scope: Scope) -> None:
        # The first iterable is looked up outside; for names that makes no difference unless they are shadowed.
        inner = Scope(node, scope, "function", f"{scope.qualname}.<comprehension>")
        for generator in node.generators:  # type: ignore[attr-defined]
            self._bind_target(
                generator.target, inner, Binding("value", node=generator, value=generator.iter, how="for")
            )
        self._visit_all(node, inner)

    # -- bindings

    def _bind(self, scope: Scope, name: str, binding: Binding) -> None:
        holder = scope.elsewhere.get(name, scope)
        holder.bindings.setdefault(name, []).append(binding)

    def global_(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Global)
        scope.elsewhere.update(dict.fromkeys(node.names, self.module.scope))

    def nonlocal_(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Nonlocal)
        for name in node.names:
            holder = scope.parent
            while holder is not None and name not in holder.bindings:
                holder = holder.parent
            if holder is not None:
                scope.elsewhere[name] = holder

    def _bind_target(self, target: ast.expr, scope: Scope, binding: Binding) -> None:
        if isinstance(target, ast.Name):
            self._bind(scope, target.id, binding)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._bind_target(
                    element, scope, Binding("unknown", node=binding.node, value=binding.value, how="part")
                )
        elif isinstance(target, ast.Starred):
            self._bind_target(target.value, scope, Binding("unknown", node=binding.node))

    def assign(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Assign)
        for target in node.targets:
            self._bind_target(target, scope, Binding("value", node=node, value=node.value, how="assign"))
            if isinstance(target, ast.Name) and target.id == "__all__" and scope.kind == "module":
                self._export(node.value)
        self._visit_all(node, scope)

    def annotated(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.AnnAssign)
        self._texts(node.annotation)
        self._bind_target(node.target, scope, Binding("value", node=node, value=node.value, how="assign"))
        self._visit_all(node, scope)

    def augmented(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.AugAssign)
        self._bind_target(node.target, scope, Binding("unknown", node=node))
        if isinstance(node.target, ast.Name) and node.target.id == "__all__":
            self._export(node.value)
        self._visit_all(node, scope)

    def _export(self, value: ast.expr) -> None:
        if isinstance(value, (ast.List, ast.Tuple)):
            for element in value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    self.module.exported[element.value] = element

    def loop(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, (ast.For, ast.AsyncFor))
        self._bind_target(node.target, scope, Binding("value", node=node, value=node.iter, how="for"))
        self._visit_all(node, scope)

    def with_(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, (ast.With, ast.AsyncWith))
        for item in node.items:
            if item.optional_vars is not None:
                binding = Binding("value", node=node, value=item.context_expr, how="with")
                self._bind_target(item.optional_vars, scope, binding)
        self._visit_all(node, scope)

    def handler(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ExceptHandler)
        if node.name:
            self._bind(scope, node.name, Binding("unknown", node=node))
        self._visit_all(node, scope)

    def walrus(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.NamedExpr)
        holder = scope
        while isinstance(holder.node, _COMPREHENSIONS) and holder.parent is not None:
            holder = holder.parent
        self._bind_target(node.target, holder, Binding("value", node=node, value=node.value, how="assign"))
        self._visit_all(node, scope)

    def pattern(self, node: ast.AST, scope: Scope) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            self._bind(scope, name, Binding("unknown", node=node))
        self._visit_all(node, scope)

    # -- names from other modules

    def import_(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Import)
        for alias in node.names:
            local = alias.asname or alias.name.split(".")[0]
            target = alias.name if alias.asname else local
            self._imported(local, target, node, alias, scope)

    def import_from(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ImportFrom)
        base = absolute_name(self.module, node)
        for alias in node.names:
            if alias.name == "*":
                self.module.stars.append(base)
            else:
                self._imported(alias.asname or alias.name, f"{base}.{alias.name}", node, alias, scope)

    def _imported(
        self, local: str, target: str, node: ast.Import | ast.ImportFrom, alias: ast.alias, scope: Scope
    ) -> None:
        self.module.imports.append(Import(local, target, node, alias, scope))
        self._bind(scope, local, Binding("import", target=target, node=node))

    # -- references

    def attribute(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Attribute)
        if starts_with_name(node) and not isinstance(self.module.parents.get(node), ast.Attribute):
            self.module.references.append(node)
        self.visit(node.value, scope, node)

    def name(self, node: ast.AST, _: Scope) -> None:
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load):
            self.module.loads[node.id] = self.module.loads.get(node.id, 0) + 1
            if not isinstance(self.module.parents.get(node), ast.Attribute):
                self.module.references.append(node)


def starts_with_name(node: ast.expr) -> bool:
    """Tell whether an attribute chain begins with a plain name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def absolute_name(module: Module, node: ast.ImportFrom) -> str:
    """Return the absolute dotted name that a from-import starts with."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    drop = node.level - 1 if module.is_package else node.level
    base = parts[: len(parts) - drop] if drop else parts
    return ".".join([*base, *([node.module] if node.module else [])])


_HANDLERS = {
    ast.FunctionDef: _Builder.function,
    ast.AsyncFunctionDef: _Builder.function,
    ast.ClassDef: _Builder.klass,
    ast.Lambda: _Builder.lambda_,
    **dict.fromkeys(_COMPREHENSIONS, _Builder.comprehension),
    ast.Assign: _Builder.assign,
    ast.AnnAssign: _Builder.annotated,
    ast.AugAssign: _Builder.augmented,
    ast.For: _Builder.loop,
    ast.AsyncFor: _Builder.loop,
    ast.With: _Builder.with_,
    ast.AsyncWith: _Builder.with_,
    ast.ExceptHandler: _Builder.handler,
    ast.NamedExpr: _Builder.walrus,
    ast.Global: _Builder.global_,
    ast.Nonlocal: _Builder.nonlocal_,
    ast.MatchAs: _Builder.pattern,
    ast.MatchStar: _Builder.pattern,
    ast.MatchMapping: _Builder.pattern,
    ast.Import: _Builder.import_,
    ast.ImportFrom: _Builder.import_from,
    ast.Attribute: _Builder.attribute,
    ast.Name: _Builder.name,
}
