"""The repository as the house tests see it: tracked files, their syntax trees, what they import."""

from __future__ import annotations

import ast
import functools
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Import(NamedTuple):
    """One imported name: ``a.b`` of ``from a.b import c`` or ``import a.b``, and whether the module's start runs it."""

    module: str
    name: str | None
    line: int
    is_lazy: bool


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Return what git tracks; files that are gone do not count."""
    command = ["git", "ls-files", "-z", "--cached"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = (ROOT / name for name in sorted(set(listed.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())


def name_of(path: Path) -> str:
    """Return a path as it is written in this repository."""
    return path.relative_to(ROOT).as_posix()


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below some top-level folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text(), filename=name_of(path))


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import of a file: at its top, in functions, for type checkers only, and by constant name."""
    tree = tree_of(path)
    eager = set(map(id, _run_at_import(tree)))
    for node in ast.walk(tree):
        lazy = id(node) not in eager
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(path, node)
            yield from (Import(module, alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node) and isinstance(node.args[0], ast.Constant):
            yield Import(str(node.args[0].value), None, node.lineno, is_lazy=True)


def _run_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported: not function bodies, not what only type checkers see."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(ROOT).parent.parts
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _is_import_call(node: ast.Call) -> bool:
    return bool(node.args) and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
