"""Classes of the project: bases, method resolution order, overriding methods, types of instance attributes."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from migrate.index.order import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Definition
    from migrate.index.project import Project
    from migrate.index.resolve import Resolved


class Classes:
    """Look-ups over the class hierarchy; one per project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lines: dict[Definition, tuple[Definition | str, ...]] = {}
        self._below: dict[Definition, list[Definition]] | None = None
        self._attributes: dict[Definition, dict[str, list[tuple[ast.expr | None, ast.expr | None]]]] = {}

    def bases(self, definition: Definition) -> list[Resolved | None]:
        """Return what the base classes mean, in order; None for one that is not plain to see."""
        assert isinstance(definition.node, ast.ClassDef)
        return [self._project.resolve(definition.module, base) for base in definition.node.bases]

    def mro(self, definition: Definition) -> tuple[Definition | str, ...]:
        """Return the class and its bases in look-up order: depth first, a shared base last; external ones by name."""
        if definition not in self._lines:
            self._lines[definition] = (definition,)  # a class that inherits from itself ends here
            line: list[Definition | str] = [definition]
            for base in self.bases(definition):
                if base is None:
                    continue
                part = self.mro(base.definition) if base.definition is not None else (base.name,)
                line = [entry for entry in line if entry not in part or entry is definition] + list(part)
            self._lines[definition] = tuple(dict.fromkeys(line))
        return self._lines[definition]

    def subclasses(self, definition: Definition) -> list[Definition]:
        """Return all classes of the project below ``definition``."""
        if self._below is None:
            self._below = defaultdict(list)
            for other in self._project.definitions():
                if isinstance(other.node, ast.ClassDef):
                    for above in self.mro(other)[1:]:
                        if not isinstance(above, str):
                            self._below[above].append(other)
        return list(self._below.get(definition, ()))

    def member(self, definition: Definition, name: str) -> Definition | None:
        """Return the method or nested class ``name`` of a class, bases included."""
        for owner in self.mro(definition):
            if isinstance(owner, str):
                continue
            for binding in owner.inner.bindings.get(name, ()):
                found = owner.module.definitions.get(binding.node) if binding.node is not None else None
                if found is not None:
                    return found
        return None

    def members(self, definition: Definition) -> Iterator[Definition]:
        """Yield the methods a class has, bases included, overridden ones left out."""
        seen: set[str] = set()
        for owner in self.mro(definition):
            if isinstance(owner, str):
                continue
            for node in owner.module.definitions.values():
                if node.parent is owner and node.name not in seen:
                    seen.add(node.name)
                    yield node

    def family(self, method: Definition) -> set[Definition]:
        """Return a method with all methods of the project that override it or that it overrides."""
        owner = method.parent
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return {method}
        related = {owner, *self.subclasses(owner)}
        for above in self.mro(owner):
            if not isinstance(above, str):
                related |= {above, *self.subclasses(above)}
        found = {method}
        for related_class in related:
            for binding in related_class.inner.bindings.get(method.name, ()):
                other = related_class.module.definitions.get(binding.node) if binding.node is not None else None
                if other is not None:
                    found.add(other)
        return found

    def attribute_type(self, definition: Definition, name: str) -> Resolved | None:
        """Say what ``self.name`` is, from annotations and assignments in the methods of the class and its bases."""
        for owner in self.mro(definition):
            if isinstance(owner, str):
                continue
            for value, annotation in self.assignments(owner).get(name, ()):
                found = (
                    self._project.annotation(owner.module, annotation)
                    if annotation is not None
                    else self._project.resolve(owner.module, value)
                )
                if found is not None:
                    return found
        return None

    def assignments(self, definition: Definition) -> dict[str, list[tuple[ast.expr | None, ast.expr | None]]]:
        """Return, by attribute, the (value, annotation) pairs that the methods of one class assign to ``self``."""
        if definition not in self._attributes:
            found: dict[str, list[tuple[ast.expr | None, ast.expr | None]]] = defaultdict(list)
            for node in walk(definition.node):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        _record(found, target, node.value, None)
                elif isinstance(node, ast.AnnAssign):
                    _record(found, node.target, node.value, node.annotation)
            self._attributes[definition] = found
        return self._attributes[definition]


def _record(
    found: dict[str, list[tuple[ast.expr | None, ast.expr | None]]],
    target: ast.expr,
    value: ast.expr | None,
    annotation: ast.expr | None,
) -> None:
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        found[target.attr].append((value, annotation))
