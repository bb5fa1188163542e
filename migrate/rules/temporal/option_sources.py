"""Where a dictionary of activity options comes from: displays, constants, attributes, functions, parameters.

What ``**`` unpacks is followed to the displays that make it, and every way there is noted, so that it can be told
whether anything else looks at the same dictionary: its keys change their names.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.index.model import Binding, Definition, Module
    from migrate.rules.temporal.draft import Draft

_DISPLAYS: Final = ("builtins.dict", "temporalio.workflow.ActivityConfig", "temporalio.workflow.LocalActivityConfig")
_DEPTH_MAX: Final = 8


@dataclass(frozen=True)
class Item:
    """One option as the source says it.

    Attributes:
        place: the key, or the ``ast.keyword``.
        value: what it says.
        display: the display it stands in; None for a stored item and for an argument of a call.
    """

    module: Module
    name: str
    place: ast.AST
    value: ast.expr
    display: ast.expr | None = None


@dataclass
class Options:
    """What a dictionary of options may hold.

    Attributes:
        always: names that it always holds.
        sometimes: names that it holds on some ways only.
    """

    always: set[str] = field(default_factory=set)
    sometimes: set[str] = field(default_factory=set)
    items: list[Item] = field(default_factory=list)
    displays: list[tuple[Module, ast.expr]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Every name that it may hold."""
        return self.always | self.sometimes


@dataclass(frozen=True)
class Owner:
    """What a dictionary of options is kept in.

    Attributes:
        module: file of the scope.
        name: name of the variable; with a point in front, of the attribute.
        scope: module, function or class that it belongs to.
    """

    module: Module
    name: str
    scope: ast.AST


class Sources:
    """Reads dictionaries of options, each once.

    Attributes:
        used: names, attributes and calls through which dictionaries of options are reached.
        owners: module-level names, attributes and functions that such dictionaries come from.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.used: set[ast.AST] = set()
        self.owners: list[Owner] = []
        self.functions: set[Definition] = set()
        self._known: dict[ast.AST, Options | None] = {}

    def read(self, module: Module, node: ast.expr, depth: int = 0) -> Options | None:
        """Return what an expression holds; None if that is not plain to see."""
        if node not in self._known:
            self._known[node] = None  # a dictionary that is made of itself is not plain
            self._known[node] = self._read(module, node, depth) if depth < _DEPTH_MAX else None
        return self._known[node]

    def _read(self, module: Module, node: ast.expr, depth: int) -> Options | None:
        found: Options | None = None
        match node:
            case ast.Dict():
                found = self._display(module, node, depth)
            case ast.Name():
                found = self._name(module, node, depth)
            case ast.Attribute():
                found = self._attribute(module, node, depth)
            case ast.Subscript(value=ast.Name() as whole):
                found = self._table(module, node, whole, depth)
            case ast.IfExp(body=first, orelse=second):
                found = self._either([self.read(module, one, depth + 1) for one in (first, second)])
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                found = self._both([self.read(module, one, depth + 1) for one in (left, right)])
            case ast.Call():
                found = self._call(module, node, depth)
        return found

    # -- displays

    def _display(self, module: Module, node: ast.Dict, depth: int) -> Options | None:
        found = Options(displays=[(module, node)])
        parts: list[Options | None] = [found]
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                parts.append(self.read(module, value, depth + 1))
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                found.always.add(key.value)
                found.items.append(Item(module, key.value, key, value, node))
            else:
                return None
        return self._both(parts)

    def _call(self, module: Module, node: ast.Call, depth: int) -> Options | None:
        if self.draft.external(module, node.func) in _DISPLAYS:
            found = Options(displays=[(module, node)])
            parts: list[Options | None] = [found, *(self.read(module, one, depth + 1) for one in node.args)]
            for keyword in node.keywords:
                if keyword.arg is None:
                    parts.append(self.read(module, keyword.value, depth + 1))
                else:
                    found.always.add(keyword.arg)
                    found.items.append(Item(module, keyword.arg, keyword, keyword.value, node))
            return self._both(parts)
        resolved = self.draft.project.resolve(module, node.func)
        definition = resolved.definition if resolved is not None else None
        if definition is None or not isinstance(definition.node, ast.FunctionDef):
            return None
        self.used.add(node.func)
        self.functions.add(definition)
        returned = [one.value for one in own_nodes(definition.node) if isinstance(one, ast.Return)]
        if not returned or None in returned:
            return None
        return self._either([self.read(definition.module, one, depth + 1) for one in returned if one is not None])

    # -- names

    def _name(self, module: Module, node: ast.Name, depth: int) -> Options | None:
        scope = module.scope_of.get(node, module.scope)
        while scope.parent is not None and (node.id not in scope.bindings or scope.kind == "class"):
            scope = scope.parent
        bindings = scope.bindings.get(node.id, [])
        self.used.add(node)
        if len(bindings) != 1:
            return None
        if scope.kind == "function":
            return self._local(module, node, scope.node, bindings[0], depth)
        if bindings[0].kind == "import":
            return self._imported(module, bindings[0].target, depth)
        if bindings[0].kind != "value" or bindings[0].value is None:
            return None
        self.owners.append(Owner(module, node.id, scope.node))
        return self.read(module, bindings[0].value, depth + 1)

    def _imported(self, module: Module, target: str, depth: int, hops: int = 0) -> Options | None:
        parent, _, last = target.rpartition(".")
        home = self.draft.project.finder.find(module, parent) if parent else None
        bindings = home.scope.bindings.get(last, []) if home is not None else []
        if home is None or len(bindings) != 1 or hops > _DEPTH_MAX:
            return None
        if bindings[0].kind == "import":
            return self._imported(home, bindings[0].target, depth, hops + 1)
        if bindings[0].kind != "value" or bindings[0].value is None:
            return None
        self.owners.append(Owner(home, last, home.tree))
        return self.read(home, bindings[0].value, depth + 1)

    def _local(
        self, module: Module, node: ast.Name, function: ast.AST, binding: Binding, depth: int
    ) -> Options | None:
        if binding.kind == "parameter":
            return self._parameter(module, node, function, depth)
        if binding.kind != "value" or binding.value is None or binding.how != "assign":
            return None
        self.owners.append(Owner(module, node.id, function))
        found = self.read(module, binding.value, depth + 1)
        if found is None:
            return None
        stores = list(self._stores(module, node.id, function))
        later = {item.name for item in stores}
        return Options(found.always, found.sometimes | (later - found.always), found.items + stores, found.displays)

    def _stores(self, module: Module, name: str, function: ast.AST) -> Iterable[Item]:
        """Yield what ``name["key"] = value`` puts in later."""
        for one in ast.walk(function):
            match one:
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id=found) as whole, slice=ast.Constant(value=str(key)))]
                ) if found == name:
                    self.used.add(whole)
                    yield Item(module, key, one.targets[0].slice, one.value)  # type: ignore[attr-defined]

    # -- parameters

    def _parameter(self, module: Module, node: ast.Name, function: ast.AST, depth: int) -> Options | None:
        definition = module.definitions.get(function)
        if definition is None or not isinstance(function, FUNCTIONS) or definition.name == "__init__":
            return None
        calls = self.draft.project.callers(definition)
        self.owners.append(Owner(module, node.id, function))
        if not calls or len(self.draft.project.references(definition)) < len(calls):
            return None
        named = [one.arg for one in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]
        if function.args.kwarg is not None and function.args.kwarg.arg == node.id:
            return self._either([self._extra(one.module, one.node, named) for one in calls])
        given = [argument_of(definition, one.node, node.id) for one in calls]
        if None in given:
            return None
        found = zip(calls, given, strict=True)
        return self._either([self.read(call.module, one, depth + 1) for call, one in found if one is not None])

    @staticmethod
    def _extra(module: Module, call: ast.Call, named: list[str]) -> Options | None:
        """Return the options among the keyword arguments of a call."""
        found = Options()
        for keyword in call.keywords:
            if keyword.arg is None:
                return None
            if keyword.arg not in named:
                found.always.add(keyword.arg)
                found.items.append(Item(module, keyword.arg, keyword, keyword.value))
        return found

    # -- attributes and tables

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Options | None:
        base = self.draft.project.resolve(module, node.value)
        if base is None or base.definition is None:
            if base is not None and base.kind == "module":
                self.used.add(node)
                return self._imported(module, f"{base.name}.{node.attr}", depth)
            return None
        values = self._assigned(base.definition, node.attr)
        owner, value = values[0] if len(values) == 1 else (base.definition, None)
        if value is None:
            return None
        self.used.add(node)
        self.owners.append(Owner(owner.module, f".{node.attr}", owner.node))
        return self.read(owner.module, value, depth + 1)

    def _assigned(self, owner: Definition, name: str) -> list[tuple[Definition, ast.expr | None]]:
        """Return every value that an attribute gets in a class, its bases and its subclasses."""
        if not isinstance(owner.node, ast.ClassDef):
            return []
        classes = self.draft.project.classes
        line = [one for one in classes.mro(owner) if not isinstance(one, str)]
        found: list[tuple[Definition, ast.expr | None]] = []
        for one in dict.fromkeys([owner, *line, *classes.subclasses(owner)]):
            found += [(one, value) for value, _annotation in classes.assignments(one).get(name, [])]
            found += [(one, binding.value) for binding in one.inner.bindings.get(name, [])]
        return found

    def _table(self, module: Module, node: ast.Subscript, whole: ast.Name, depth: int) -> Options | None:
        """Read ``TABLE[key]``: any of the dictionaries in a dictionary."""
        scope = module.scope_of.get(node, module.scope)
        while scope.parent is not None and (whole.id not in scope.bindings or scope.kind == "class"):
            scope = scope.parent
        bindings = scope.bindings.get(whole.id, [])
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "value" else None
        if not isinstance(value, ast.Dict) or None in value.keys:
            return None
        self.used.add(whole)
        self.owners.append(Owner(module, whole.id, scope.node))
        return self._either([self.read(module, one, depth + 1) for one in value.values])

    # -- putting together

    @staticmethod
    def _either(several: list[Options | None]) -> Options | None:
        """One of several dictionaries: only what all hold is always there."""
        found = [one for one in several if one is not None]
        if len(found) != len(several) or not found:
            return None
        always = set.intersection(*(one.always for one in found))
        names = set.union(*(one.names for one in found))
        return _joined(found, always, names - always)

    @staticmethod
    def _both(several: list[Options | None]) -> Options | None:
        """Dictionaries put together: what one holds, the whole holds."""
        found = [one for one in several if one is not None]
        if len(found) != len(several):
            return None
        always = set.union(*(one.always for one in found))
        names = set.union(*(one.names for one in found))
        return _joined(found, always, names - always)


def _joined(several: list[Options], always: set[str], sometimes: set[str]) -> Options:
    items = [item for one in several for item in one.items]
    displays = [display for one in several for display in one.displays]
    return Options(always, sometimes, items, displays)


def argument_of(definition: Definition, call: ast.Call, name: str) -> ast.expr | None:
    """Return what a call hands over for a parameter; None if that is not plain to see."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    arguments = definition.node.args  # type: ignore[union-attr]
    names = [one.arg for one in [*arguments.posonlyargs, *arguments.args]]
    if definition.parent is not None and isinstance(definition.parent.node, ast.ClassDef):
        names = names[1:]
    if name not in names or any(isinstance(one, ast.Starred) for one in call.args):
        return None
    index = names.index(name)
    return call.args[index] if index < len(call.args) else None
