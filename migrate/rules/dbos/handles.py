"""Where a workflow handle goes: from the call that starts a workflow, through variables and lists, to its uses."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.rules.dbos.nodes import awaited

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module

#: Methods that add to a container.
_ADDERS: Final = frozenset({"append", "add", "appendleft", "insert", "put"})
#: Builtins that give the members of a container on.
_PASSING: Final = frozenset({"enumerate", "reversed", "list", "tuple", "sorted", "zip", "iter", "set"})
#: Builtins that only look at a container.
_LOOKING: Final = frozenset({"len", "bool", "print", "type", "id"})
#: Methods of dictionaries and lists that give members on.
_VIEWS: Final = frozenset({"items", "values", "pop", "popleft", "get", "copy"})
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass
class HandleUses:
    """What becomes of one handle inside its function.

    Attributes:
        results: calls of ``get_result``.
        ids: mentions of its id: ``h.workflow_id`` or the call ``h.get_workflow_id()``.
        statuses: calls of ``get_status``.
        escapes: places where it leaves what can be followed.
    """

    results: list[ast.Call] = field(default_factory=list)
    ids: list[ast.expr] = field(default_factory=list)
    statuses: list[ast.Call] = field(default_factory=list)
    escapes: list[ast.AST] = field(default_factory=list)


def follow(module: Module, start: ast.Call) -> HandleUses:
    """Follow the handle that ``start`` gives."""
    follower = _Follower(module, module.function_around(start))
    follower.value(awaited(module, start))
    return follower.uses


class _Follower:
    def __init__(self, module: Module, function: Definition | None) -> None:
        self.module = module
        self.root: ast.AST = function.node if function is not None else module.tree
        self.uses = HandleUses()
        self._names: set[str] = set()
        self._seen: set[ast.AST] = set()

    def value(self, node: ast.AST) -> None:
        """Look at what is done with an expression that holds a handle, or handles."""
        if node in self._seen:
            return
        self._seen.add(node)
        parent = self.module.parents.get(node)
        if parent is None or isinstance(parent, ast.Expr):
            return
        handler = next((done for kind, done in _STEPS if isinstance(parent, kind)), None)
        if handler is None or not handler(self, parent, node):
            self.uses.escapes.append(node)

    def name(self, name: str) -> None:
        """Look at every read of a variable that holds a handle, or handles."""
        if name in self._names:
            return
        self._names.add(name)
        for node in ast.walk(self.root):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                if self._is_nested(node):
                    self.uses.escapes.append(node)
                else:
                    self.value(node)

    def _is_nested(self, node: ast.AST) -> bool:
        for parent in self.module.ancestors(node):
            if parent is self.root:
                return False
            if isinstance(parent, _FUNCTIONS):
                return True
        return False

    def target(self, target: ast.AST) -> bool:
        """Note the variables of an assignment, a loop or a comprehension."""
        if isinstance(target, ast.Name):
            self.name(target.id)
            return True
        if isinstance(target, (ast.Tuple, ast.List)):
            followed = [self.target(one) for one in target.elts]  # all of them, also after one that cannot be
            return all(followed)
        if isinstance(target, ast.Starred):
            return self.target(target.value)
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self.name(target.value.id)
            return True
        return False

    # -- one kind of parent each

    def assign(self, parent: ast.AST, node: ast.AST) -> bool:
        assert isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr))
        if parent.value is not node:
            return False
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        followed = [self.target(target) for target in targets]
        if isinstance(parent, ast.NamedExpr):
            self.value(parent)
        return all(followed)

    def attribute(self, parent: ast.AST, _node: ast.AST) -> bool:
        assert isinstance(parent, ast.Attribute)
        call = self.module.parents.get(parent)
        is_called = isinstance(call, ast.Call) and call.func is parent
        if parent.attr == "workflow_id":
            self.uses.ids.append(parent)
            return True
        if not is_called:
            return False
        assert isinstance(call, ast.Call)
        found = {"get_result": self.uses.results, "get_workflow_id": self.uses.ids, "get_status": self.uses.statuses}
        if parent.attr in found:
            found[parent.attr].append(call)  # type: ignore[attr-defined]
            return True
        if parent.attr in _VIEWS:
            self.value(call)
            return True
        return parent.attr in _ADDERS | {"extend", "clear", "keys", "remove"}

    def call(self, parent: ast.AST, node: ast.AST) -> bool:
        assert isinstance(parent, ast.Call)
        if isinstance(parent.func, ast.Attribute) and parent.func.attr in _ADDERS and node in parent.args:
            return self.target(parent.func.value)
        if isinstance(parent.func, ast.Name) and node in parent.args:
            if parent.func.id in _PASSING:
                self.value(parent)
                return True
            return parent.func.id in _LOOKING
        return False

    def member(self, parent: ast.AST, node: ast.AST) -> bool:
        """A list, tuple, set or dictionary display, a starred one in it, a subscript."""
        if isinstance(parent, ast.Subscript) and parent.value is not node:
            return False
        if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store):
            return True
        counterpart = self._unpacked(parent, node)
        if counterpart is not None:
            return self.target(counterpart)
        self.value(parent)
        return True

    def _unpacked(self, parent: ast.AST, node: ast.AST) -> ast.expr | None:
        """Return the variable that gets ``node`` in ``a, b = x, y``."""
        assign = self.module.parents.get(parent)
        if not isinstance(parent, ast.Tuple) or not isinstance(assign, ast.Assign) or len(assign.targets) != 1:
            return None
        target = assign.targets[0]
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(parent.elts):
            return None
        pairs = zip(parent.elts, target.elts, strict=True)
        return next((variable for value, variable in pairs if value is node), None)

    def loop(self, parent: ast.AST, node: ast.AST) -> bool:
        assert isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension))
        if parent.iter is not node:
            return False
        counted = isinstance(node, ast.Call) and isinstance(parent.target, ast.Tuple) and _gives_pairs(node)
        return self.target(parent.target.elts[-1] if counted else parent.target)  # type: ignore[attr-defined]

    def comprehension(self, parent: ast.AST, node: ast.AST) -> bool:
        is_member = node is (parent.value if isinstance(parent, ast.DictComp) else parent.elt)  # type: ignore[attr-defined]
        if is_member:
            self.value(parent)
        return is_member

    def test(self, parent: ast.AST, _node: ast.AST) -> bool:
        """A truth test, or a comparison with ``None``, gives nothing on."""
        return isinstance(parent, (ast.If, ast.While, ast.Compare)) or (
            isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        )


def _gives_pairs(call: ast.Call) -> bool:
    """Tell whether a loop over a call gets keys or numbers first: ``enumerate(x)``, ``x.items()``."""
    function = call.func
    return (isinstance(function, ast.Name) and function.id == "enumerate") or (
        isinstance(function, ast.Attribute) and function.attr == "items"
    )


_STEPS: Final = (
    ((ast.Assign, ast.AnnAssign, ast.NamedExpr), _Follower.assign),
    (ast.Attribute, _Follower.attribute),
    (ast.Call, _Follower.call),
    ((ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Starred, ast.Subscript, ast.IfExp), _Follower.member),
    ((ast.For, ast.AsyncFor, ast.comprehension), _Follower.loop),
    (_COMPREHENSIONS, _Follower.comprehension),
    ((ast.If, ast.While, ast.Compare, ast.UnaryOp), _Follower.test),
)
