"""What a name, attribute chain or call means: an external dotted name, a definition, a module or an instance.

Types are followed only where they are plain to see: constructors, annotations, ``self.x = ...``, ``with ... as x``,
return annotations, and a table of the SDK's own return types. Where two answers are possible there is none.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from migrate.limits import RE_EXPORT_HOPS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrate.index.model import Binding, Definition, Module, Scope
    from migrate.index.project import Project

#: Wrappers of annotations that say nothing about attributes.
_TRANSPARENT: Final = frozenset(
    {
        "typing.Optional", "typing.Annotated", "typing.Final", "typing.ClassVar", "typing.Awaitable",
        "typing.Coroutine", "collections.abc.Awaitable", "typing.AsyncIterator", "collections.abc.AsyncIterator",
        "typing.AsyncGenerator", "collections.abc.AsyncGenerator", "typing.Iterator", "collections.abc.Iterator",
        "typing.Generator", "collections.abc.Generator", "typing.Union",
    }
)  # fmt: skip
_BUILTINS: Final = frozenset(dir(builtins))
_FUNCTION_NODES: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Resolved:
    """The meaning of an expression.

    Attributes:
        kind: "external": ``name`` is a dotted name outside the project (``temporalio.workflow.sleep``,
            ``builtins.print``; a method of an external class says ``temporalio.client.Client.start_workflow``).
            "definition": a function or class of the project. "module": a module of the project.
            "instance": an object whose class is ``name`` (and ``definition``, if it is one of the project).
            "super": the bases of ``definition``.
        name: dotted name.
        definition: the project's definition, if any.
        receiver: what an attribute was looked up on: ``self._helper`` has the instance, ``Order.run`` the class.
    """

    kind: Literal["external", "definition", "module", "instance", "super"]
    name: str
    definition: Definition | None = None
    receiver: Resolved | None = None

    def is_instance_of(self, *names: str) -> bool:
        """Tell whether it is an object of one of the external classes."""
        return self.kind == "instance" and self.name in names

    def is_external(self, *names: str) -> bool:
        """Tell whether it is one of the external names."""
        return self.kind == "external" and self.name in names


class Resolver:
    """Answers with a memory; one per project."""

    def __init__(self, project: Project, types: Mapping[str, str]) -> None:
        self._project = project
        self._types = types
        self._known: dict[ast.AST, Resolved | None] = {}
        self._open: set[object] = set()

    def resolve(self, module: Module, node: ast.AST | None) -> Resolved | None:
        """Say what an expression means, or None if that is not plain to see."""
        if node is None:
            return None
        if node in self._known:
            return self._known[node]
        if node in self._open:
            return None
        handler = _RESOLVERS.get(type(node))
        if handler is None:
            return None
        self._open.add(node)
        try:
            answer = handler(self, module, node)
        finally:
            self._open.discard(node)
        self._known[node] = answer
        return answer

    # -- names

    def name(self, module: Module, node: ast.AST) -> Resolved | None:
        assert isinstance(node, ast.Name)
        scope = module.scope_of.get(node, module.scope)
        return self.lookup(module, scope, node.id)

    def lookup(self, module: Module, scope: Scope, name: str) -> Resolved | None:
        """Look a name up from a scope outwards; class bodies are not seen from the functions inside them."""
        current: Scope | None = scope
        while current is not None:
            if name in current.bindings and (current.kind != "class" or current is scope):
                return self._bindings(module, current.bindings[name])
            current = current.parent
        for base in module.stars:
            found = self._star(module, base, name)
            if found is not None:
                return found
        return Resolved("external", f"builtins.{name}") if name in _BUILTINS else None

    def _star(self, module: Module, base: str, name: str) -> Resolved | None:
        target = self._project.finder.find(module, base)
        if target is not None:
            return self.member(target, name)
        if name in _BUILTINS or self._project.is_foreign_star_unlikely(base):
            return None
        return Resolved("external", f"{base}.{name}")

    def _bindings(self, module: Module, bindings: Iterable[Binding]) -> Resolved | None:
        answers: list[Resolved] = []
        bindings = list(bindings)
        if all(binding.kind == "import" for binding in bindings):
            bindings = bindings[:1]  # the same thing twice, or a fallback for when the first is not installed
        for binding in bindings:
            if binding.kind == "value" and isinstance(binding.value, ast.Constant) and binding.value.value is None:
                continue  # ``x = None`` before the real value, or after a failed import
            if binding in self._open:
                continue
            self._open.add(binding)
            try:
                answer = self._binding(module, binding)
            finally:
                self._open.discard(binding)
            if answer is None:
                return None
            answers.append(answer)
        return _agreed(answers)

    def _binding(self, module: Module, binding: Binding) -> Resolved | None:
        if binding.kind == "import":
            return self.dotted(module, binding.target)
        if binding.kind in ("function", "class"):
            definition = module.definitions.get(binding.node) if binding.node is not None else None
            return Resolved("definition", definition.qualname, definition) if definition is not None else None
        if binding.kind == "parameter":
            return self._parameter(module, binding.node)
        if binding.kind == "value":
            return self._value(module, binding)
        return None

    def _value(self, module: Module, binding: Binding) -> Resolved | None:
        if isinstance(binding.node, ast.AnnAssign):
            typed = self.annotation(module, binding.node.annotation)
            if typed is not None:
                return typed
        if binding.how in ("assign", "with"):
            return self.resolve(module, binding.value)
        return None

    def _parameter(self, module: Module, node: ast.AST | None) -> Resolved | None:
        assert isinstance(node, ast.arg)
        if node.annotation is not None:
            return self.annotation(module, node.annotation)
        arguments = module.parents.get(node)
        function = module.parents.get(arguments) if arguments is not None else None
        definition = module.definitions.get(function) if function is not None else None
        if definition is None or definition.parent is None or not isinstance(definition.parent.node, ast.ClassDef):
            return None
        return self._first_parameter(definition, node)

    @staticmethod
    def _first_parameter(definition: Definition, node: ast.arg) -> Resolved | None:
        assert isinstance(definition.node, _FUNCTION_NODES)
        arguments = definition.node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        if not plain or plain[0] is not node:
            return None
        names = {decorator.id for decorator in definition.node.decorator_list if isinstance(decorator, ast.Name)}
        if "staticmethod" in names:
            return None
        owner = definition.parent
        assert owner is not None
        kind: Literal["definition", "instance"] = "definition" if "classmethod" in names else "instance"
        return Resolved(kind, owner.qualname, owner)

    # -- dotted names and members

    def dotted(self, module: Module, target: str, hops: int = 0) -> Resolved | None:
        """Say what an absolute dotted name means when ``module`` imports it."""
        if hops > RE_EXPORT_HOPS_MAX:
            return None
        found = self._project.finder.find(module, target)
        parent, _, last = target.rpartition(".")
        container = self._project.finder.find(module, parent) if parent else None
        if container is not None and container is not module:
            inside = self.member(container, last, hops + 1)
            if inside is not None:
                return inside
        if found is not None:
            return Resolved("module", found.name, None)
        if container is not None or (parent and self._is_inside_project(module, parent)):
            return self._member_of_project(module, target, hops)
        return Resolved("external", target)

    def _is_inside_project(self, module: Module, dotted: str) -> bool:
        while dotted:
            if self._project.finder.find(module, dotted) is not None:
                return True
            dotted = dotted.rpartition(".")[0]
        return False

    def _member_of_project(self, module: Module, target: str, hops: int) -> Resolved | None:
        """Resolve ``import pkg.mod`` followed by deeper attributes: the longest module prefix, then its members."""
        parts = target.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            found = self._project.finder.find(module, ".".join(parts[:cut]))
            if found is None:
                continue
            answer: Resolved | None = Resolved("module", found.name)
            for part in parts[cut:]:
                answer = self.attribute_of(answer, part, hops) if answer is not None else None
            return answer
        return None

    def member(self, module: Module, name: str, hops: int = 0) -> Resolved | None:
        """Say what ``name`` is in the namespace of a module, through its imports."""
        if hops > RE_EXPORT_HOPS_MAX:
            return None
        key = (id(module), name, "member")
        if key in self._open:
            return None
        self._open.add(key)
        try:
            if name in module.scope.bindings:
                return self._bindings(module, module.scope.bindings[name])
            for base in module.stars:
                found = self._star(module, base, name)
                if found is not None:
                    return found
            inner = self._project.modules.get(f"{module.name}.{name}")
            return Resolved("module", inner.name) if inner is not None else None
        finally:
            self._open.discard(key)

    # -- attributes

    def attribute(self, module: Module, node: ast.AST) -> Resolved | None:
        assert isinstance(node, ast.Attribute)
        base = self.resolve(module, node.value)
        found = self.attribute_of(base, node.attr) if base is not None else None
        if found is None or found.kind != "external":
            return found
        typed = self._types.get(found.name)
        parent = module.parents.get(node)
        if typed is None or (isinstance(parent, ast.Call) and parent.func is node):
            return found
        return Resolved("instance", typed, None, found.receiver)

    def attribute_of(self, base: Resolved, name: str, hops: int = 0) -> Resolved | None:
        """Look up an attribute on something resolved."""
        if base.kind == "module":
            found = self._project.modules.get(base.name)
            return self.member(found, name, hops + 1) if found is not None else None
        if base.kind == "external":
            return Resolved("external", f"{base.name}.{name}", None, base)
        if base.kind == "super":
            return self._super(base, name)
        if base.definition is None:
            return Resolved("external", f"{base.name}.{name}", None, base)
        if not isinstance(base.definition.node, ast.ClassDef):
            return Resolved("external", f"{base.name}.{name}", None, base)  # an attribute of a function: fn.validator
        return self._class_attribute(base, name)

    def _super(self, base: Resolved, name: str) -> Resolved | None:
        assert base.definition is not None
        return self._in_bases(base.definition, name, base, skip_own=True)

    def _class_attribute(self, base: Resolved, name: str) -> Resolved | None:
        definition = base.definition
        assert definition is not None
        found = self._in_bases(definition, name, base)
        if found is not None or base.kind != "instance":
            return found
        return self._project.classes.attribute_type(definition, name)

    def _in_bases(
        self, definition: Definition, name: str, base: Resolved, *, skip_own: bool = False
    ) -> Resolved | None:
        line = self._project.classes.mro(definition)
        for owner in line[1:] if skip_own else line:
            if isinstance(owner, str):
                return Resolved("external", f"{owner}.{name}", None, base)
            bindings = owner.inner.bindings.get(name)
            if bindings is None:
                continue
            method = [owner.module.definitions[b.node] for b in bindings if b.node in owner.module.definitions]
            if method:
                return self._member_definition(method[-1], base)
            return self._bindings(owner.module, bindings)
        return None

    def _member_definition(self, definition: Definition, base: Resolved) -> Resolved | None:
        if isinstance(definition.node, _FUNCTION_NODES) and base.kind == "instance" and _is_property(definition.node):
            return self.returned(definition)
        return Resolved("definition", definition.qualname, definition, base)

    # -- calls and wrappers

    def called(self, module: Module, node: ast.AST) -> Resolved | None:
        assert isinstance(node, ast.Call)
        function = self.resolve(module, node.func)
        if function is None:
            return None
        if function.kind == "external":
            return self._external_call(module, node, function)
        if function.kind == "definition" and function.definition is not None:
            if isinstance(function.definition.node, ast.ClassDef):
                return Resolved("instance", function.name, function.definition)
            return self.returned(function.definition)
        return None

    def _external_call(self, module: Module, node: ast.Call, function: Resolved) -> Resolved | None:
        typed = self._types.get(f"{function.name}()") or self._types.get(function.name)
        if typed is not None:
            return Resolved("instance", typed)
        if function.name == "builtins.super" and not node.args:
            around = module.function_around(node)
            if around is not None and around.parent is not None and isinstance(around.parent.node, ast.ClassDef):
                return Resolved("super", around.parent.qualname, around.parent)
        last = function.name.rpartition(".")[2].lstrip("_")
        return Resolved("instance", function.name) if last[:1].isupper() else None

    def returned(self, definition: Definition) -> Resolved | None:
        """Say what a function of the project gives back, awaited or not."""
        if definition in self._open:
            return None
        node = definition.node
        assert isinstance(node, _FUNCTION_NODES)
        self._open.add(definition)
        try:
            if node.returns is not None:
                return self.annotation(definition.module, node.returns)
            answers = [self.resolve(definition.module, value) for value in _returned_values(node)]
            return _agreed([answer for answer in answers if answer is not None]) if None not in answers else None
        finally:
            self._open.discard(definition)

    def annotation(self, module: Module, node: ast.AST | None) -> Resolved | None:
        """Say of what class an annotated thing is, looking into strings, ``Optional``, ``X | None`` and iterators."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = self._project.string_annotation(module, node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = [side for side in (node.left, node.right) if not _is_none(side)]
            return self.annotation(module, sides[0]) if len(sides) == 1 else None
        if isinstance(node, ast.Subscript):
            return self._generic(module, node)
        found = self.resolve(module, node)
        if found is None:
            return None
        if found.kind == "external":
            return Resolved("instance", found.name)
        if found.kind == "definition" and found.definition and isinstance(found.definition.node, ast.ClassDef):
            return Resolved("instance", found.name, found.definition)
        return None

    def _generic(self, module: Module, node: ast.Subscript) -> Resolved | None:
        outer = self.resolve(module, node.value)
        if outer is None or outer.kind != "external" or outer.name not in _TRANSPARENT:
            return self.annotation(module, node.value)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if outer.name.endswith(".Union"):
            inner = [side for side in inner if not _is_none(side)]
            return self.annotation(module, inner[0]) if len(inner) == 1 else None
        last = inner[-1] if outer.name.endswith("Coroutine") else inner[0]
        return self.annotation(module, last)

    def through(self, module: Module, node: ast.AST) -> Resolved | None:
        """Look through ``await``, ``:=``, subscripts of classes."""
        if isinstance(node, ast.Subscript):
            found = self.resolve(module, node.value)
            return found if found is not None and found.kind != "instance" else None
        found = self.resolve(module, node.value)  # type: ignore[attr-defined]
        if isinstance(node, ast.Await) and found is not None and found.kind == "instance":
            given = self._types.get(f"await {found.name}")
            if given is not None and not (given and isinstance(node.value, ast.Call)):
                return None  # what a handle gives is not the handle
        return found

    def either(self, module: Module, node: ast.AST) -> Resolved | None:
        """``a if c else b`` and ``a or b`` mean something if their sides agree."""
        sides = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values  # type: ignore[attr-defined]
        answers = [self.resolve(module, side) for side in sides if not _is_none(side)]
        return _agreed([answer for answer in answers if answer is not None]) if None not in answers else None


def _agreed(answers: list[Resolved]) -> Resolved | None:
    """Return the one answer, or for fallback imports the first; None if values differ."""
    if not answers:
        return None
    first = answers[0]
    if all((other.kind, other.name) == (first.kind, first.name) for other in answers):
        return first
    return None


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {getattr(decorator, "id", getattr(decorator, "attr", "")) for decorator in node.decorator_list}
    return not names.isdisjoint({"property", "cached_property"})


def _returned_values(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    values: list[ast.expr] = []
    stack: list[ast.AST] = list(node.body)
    while stack:
        current = stack.pop()
        if isinstance(current, (*_FUNCTION_NODES, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(current, ast.Return) and current.value is not None and not _is_none(current.value):
            values.append(current.value)
        if isinstance(current, ast.Yield) and current.value is not None:
            values.append(current.value)
        stack.extend(ast.iter_child_nodes(current))
    return values


_RESOLVERS = {
    ast.Name: Resolver.name,
    ast.Attribute: Resolver.attribute,
    ast.Call: Resolver.called,
    ast.Await: Resolver.through,
    ast.NamedExpr: Resolver.through,
    ast.Subscript: Resolver.through,
    ast.IfExp: Resolver.either,
    ast.BoolOp: Resolver.either,
}
