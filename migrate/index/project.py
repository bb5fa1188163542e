"""The whole project, indexed: what rules ask before they decide anything.

Nodes are those of the standard library's ``ast``. Start from ``project.modules`` or ``project.definitions()``, ask
``resolve`` what an expression means, ``references`` who mentions a definition, ``callers`` and ``callees`` for the
call graph, ``literal`` for the value of a constant.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.index.classes import Classes
from migrate.index.literals import Literal, literal
from migrate.index.names import ModuleFinder
from migrate.index.references import CallSite, Reference, References
from migrate.index.resolve import Resolved, Resolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate.index.model import Definition, Module, Scope


class Project:
    """All analysed files of a run.

    Attributes:
        modules: by dotted name, in order of their paths.
        packages: top-level names of the SDK that is migrated from.
        classes: class hierarchy.
        finder: which module an imported name means.
        resolver: the look-ups behind ``resolve``.
    """

    def __init__(
        self, modules: Iterable[Module], *, packages: Iterable[str] = (), types: Mapping[str, str] | None = None
    ) -> None:
        """Index the project.

        Args:
            modules: analysed files.
            packages: top-level names of the SDK, such as ``temporalio``.
            types: what the SDK gives back, by dotted name: a call ``{"temporalio.client.Client.connect":
                "temporalio.client.Client"}`` (awaited or not), or an attribute of an object
                ``{"temporalio.testing.WorkflowEnvironment.client": "temporalio.client.Client"}``. A key that ends in
                ``()`` counts for calls only. A key ``await x.Handle`` says that awaiting an object of the class gives
                something else: always, or with the value ``call`` only where no call gave the object. Calling a
                capitalised external name gives an instance of it without an entry.
        """
        self.modules: dict[str, Module] = {}
        self.paths: dict[str, Module] = {}
        for module in sorted(modules, key=lambda one: one.path):
            self.paths[module.path] = module
            if module.name in self.modules:  # two scripts of one name in directories that are no packages
                module.name = f"{module.name}@{module.path}"
            self.modules[module.name] = module
        self.packages = frozenset(packages)
        self.finder = ModuleFinder(self.modules.values())
        self.classes = Classes(self)
        self.resolver = Resolver(self, types or {})
        self._annotations: dict[ast.Constant, ast.expr | None] = {}

    # -- what things mean

    def resolve(self, module: Module, node: ast.AST | None) -> Resolved | None:
        """Say what an expression means in its place; see ``Resolved``. None: not plain to see."""
        return self.resolver.resolve(module, node)

    def external(self, module: Module, node: ast.AST | None) -> str:
        """Return the dotted external name of an expression, or "" if it has none.

        ``workflow.execute_activity`` under any import, alias or re-export is ``temporalio.workflow.execute_activity``;
        ``handle.signal`` on a known handle is ``temporalio.client.WorkflowHandle.signal``.
        """
        found = self.resolve(module, node)
        return found.name if found is not None and found.kind == "external" else ""

    def annotation(self, module: Module, node: ast.AST | None) -> Resolved | None:
        """Say of which class a thing with this annotation is; looks into strings, ``Optional`` and ``X | None``."""
        return self.resolver.annotation(module, node)

    def literal(self, module: Module, node: ast.expr | None) -> Literal | None:
        """Return the value of a literal or of a constant that holds one, with the place that spells it; else None."""
        return literal(self, module, node)

    def string(self, module: Module, node: ast.expr | None) -> str | None:
        """Return the value of an expression if it is a text that is plain to see."""
        found = self.literal(module, node)
        return found.value if found is not None and isinstance(found.value, str) else None

    def decorators(self, definition: Definition) -> list[tuple[ast.expr, Resolved | None]]:
        """Return each decorator with what it means; for ``@f(...)`` that is the meaning of ``f``."""
        found = []
        for node in definition.node.decorator_list:
            function = node.func if isinstance(node, ast.Call) else node
            found.append((node, self.resolve(definition.module, function)))
        return found

    def decorator(self, definition: Definition, *names: str) -> ast.expr | None:
        """Return the decorator that is one of the external ``names``, called or not."""
        for node, meaning in self.decorators(definition):
            if meaning is not None and meaning.kind == "external" and meaning.name in names:
                return node
        return None

    # -- walking

    def definitions(self) -> Iterator[Definition]:
        """Yield every function and class, file by file, in source order."""
        for module in self.modules.values():
            yield from module.definitions.values()

    def calls(self, module: Module) -> Iterator[tuple[ast.Call, str]]:
        """Yield the calls of a file in source order with the external name of what they call ("" if none)."""
        for node in module.sites:
            if isinstance(node, ast.Call):
                yield node, self.external(module, node.func)

    def calls_of(self, *names: str) -> Iterator[tuple[Module, ast.Call]]:
        """Yield every call of one of the external ``names``."""
        for module in self.modules.values():
            for node, name in self.calls(module):
                if name in names:
                    yield module, node

    # -- who mentions whom

    @cached_property
    def _references(self) -> References:
        return References(self)

    def references(self, definition: Definition) -> list[Reference]:
        """Return every mention of a definition over the project, imports and string annotations included."""
        return self._references.of(definition)

    def callers(self, definition: Definition) -> list[CallSite]:
        """Return the calls of a function (of a class: of its ``__init__``, or of the class if it has none)."""
        return self._references.callers(definition)

    def callees(self, definition: Definition) -> list[CallSite]:
        """Return the calls of project functions made inside a function's own body."""
        return self._references.callees(definition)

    # -- helpers of the index itself

    def string_annotation(self, module: Module, text: ast.Constant) -> ast.expr | None:
        """Parse a string annotation; its names are looked up where the string stands."""
        if text not in self._annotations:
            try:
                tree = ast.parse(str(text.value).strip(), mode="eval").body
            except (SyntaxError, ValueError):
                self._annotations[text] = None
                return None
            scope = module.scope_of.get(text, module.scope)
            for node in ast.walk(tree):
                module.scope_of[node] = scope
            self._annotations[text] = tree
        return self._annotations[text]

    def is_foreign_star_unlikely(self, base: str) -> bool:
        """Tell whether an unknown name is not looked for behind ``from base import *``: only the SDK's stars count."""
        return base.split(".", maxsplit=1)[0] not in self.packages

    def source_of(self, module: Module, node: ast.AST) -> str:
        """Return the text of a node as it is in the file."""
        return ast.get_source_segment(module.source.text, node) or ast.unparse(node)

    def scope(self, module: Module, node: ast.AST) -> Scope:
        """Return the scope in which the names of ``node`` are looked up."""
        return module.scope_of.get(node, module.scope)
