"""Who mentions a definition: imports, names, attribute chains, string annotations, ``__all__``; and who calls whom."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.index.project import Project


@dataclass(frozen=True)
class Reference:
    """One mention of a definition.

    Attributes:
        module: file it stands in.
        node: the name or attribute; the ``ast.alias`` of an import; the string of an annotation or of ``__all__``.
        kind: "name" (a plain name or ``module.name``), "member" (looked up on a class or instance), "import",
            "annotation" (inside a string annotation; ``node`` is the whole string), "export" (in ``__all__``).
        call: the call, if the mention is what a call calls.
    """

    module: Module
    node: ast.AST
    kind: Literal["name", "member", "import", "annotation", "export"]
    call: ast.Call | None = None


@dataclass(frozen=True)
class CallSite:
    """One call of a function of the project.

    Attributes:
        module: file it stands in.
        node: the call.
        caller: innermost function around it; None at module or class level.
        callee: function that is called; of a class, its ``__init__`` if it has one, else the class.
    """

    module: Module
    node: ast.Call
    caller: Definition | None
    callee: Definition


class References:
    """Mentions and calls over the whole project, found in one go when first asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._of: dict[Definition, list[Reference]] = defaultdict(list)
        self._calls: list[CallSite] = []
        self._callers: dict[Definition, list[CallSite]] = defaultdict(list)
        self._callees: dict[Definition, list[CallSite]] = defaultdict(list)
        for module in project.modules.values():
            self._scan(module)
        for site in self._calls:
            self._callers[site.callee].append(site)
            if site.caller is not None:
                self._callees[site.caller].append(site)

    def of(self, definition: Definition) -> list[Reference]:
        """Return every mention, in order of files and places."""
        return list(self._of.get(definition, ()))

    def callers(self, definition: Definition) -> list[CallSite]:
        """Return the calls of a function."""
        return list(self._callers.get(definition, ()))

    def callees(self, definition: Definition) -> list[CallSite]:
        """Return the calls of project functions inside one function (not inside functions nested in it)."""
        return list(self._callees.get(definition, ()))

    def _scan(self, module: Module) -> None:
        for entry in module.imports:
            found = self._project.resolver.dotted(module, entry.target)
            if found is not None and found.kind == "definition" and found.definition is not None:
                self._of[found.definition].append(Reference(module, entry.alias, "import"))
        for node in module.sites:
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self._mention(module, node)
            elif isinstance(node, ast.Call):
                self._call(module, node)
        for text in module.annotations:
            self._annotation(module, text)
        for name, constant in module.exported.items():
            found = self._project.resolver.member(module, name)
            if found is not None and found.definition is not None and found.kind == "definition":
                self._of[found.definition].append(Reference(module, constant, "export"))

    def _mention(self, module: Module, node: ast.Name | ast.Attribute) -> None:
        found = self._project.resolve(module, node)
        if found is None or found.kind != "definition" or found.definition is None:
            return
        parent = module.parents.get(node)
        called = parent if isinstance(parent, ast.Call) and parent.func is node else None
        kind: Literal["name", "member"] = "member" if found.receiver is not None else "name"
        self._of[found.definition].append(Reference(module, node, kind, called))

    def _call(self, module: Module, node: ast.Call) -> None:
        found = self._project.resolve(module, node.func)
        if found is None or found.kind != "definition" or found.definition is None:
            return
        callee = found.definition
        if isinstance(callee.node, ast.ClassDef):
            callee = self._project.classes.member(callee, "__init__") or callee
        self._calls.append(CallSite(module, node, module.function_around(node), callee))

    def _annotation(self, module: Module, text: ast.Constant) -> None:
        tree = self._project.string_annotation(module, text)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.Name, ast.Attribute)):
                found = self._project.resolve(module, node)
                if found is not None and found.kind == "definition" and found.definition is not None:
                    self._of[found.definition].append(Reference(module, text, "annotation"))
