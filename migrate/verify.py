"""Check rewritten files before anything is written.

A file passes if it compiles and keeps every comment. A project passes if running the codemod over the result again
would change nothing. What fails names the groups to back out; the caller leaves those out and renders again.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Final

from migrate.errors import FileProblem
from migrate.index.order import walk

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Comments that a run leaves and a later run may replace.
MARKER: Final = re.compile(r"#\s*RM\d{3}: ")
#: Strings, which are skipped, and comments, which are taken.
_CODE: Final = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*'|(\#[^\r\n]*)",
    re.DOTALL,
)
#: Comments for tools; they go with the code they are about.
PRAGMA: Final = re.compile(
    r"#\s*(noqa|type:\s*ignore|pylint:|pragma:|fmt:|isort:|ruff:|mypy:|pyright:|flake8:|nosec|yapf:)"
)


def check_text(path: str, old: str, new: str) -> None:
    """Check one rewritten file.

    Raises:
        FileProblem: it does not compile, or a comment is gone.
    """
    check_compiles(path, new)
    if not _lost(quick_comments(old), quick_comments(new)):
        return
    missing = _lost(comments(old), comments(new))
    if missing:
        raise FileProblem("RM003", f"the comment {next(iter(missing))!r} would be lost")


def check_compiles(path: str, text: str) -> None:
    """Compile a text without running it; ``ast.parse`` alone accepts a ``yield`` where none may stand.

    Raises:
        FileProblem: it does not compile.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        reason = f"the result would not compile: {error.msg} (line {error.lineno} of the result)"
        raise FileProblem("RM003", reason) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileProblem("RM003", f"the result would not compile: {error}") from None


def _lost(old: list[str], new: list[str]) -> Counter[str]:
    """Return the comments that a rewrite must keep and did not."""
    return Counter(one for one in old if not may_go(one)) - Counter(new)


def quick_comments(text: str) -> list[str]:
    """Return what looks like comments; quick, and fooled by quotes nested in f-strings only."""
    return [found.rstrip() for found in _CODE.findall(text) if found]


def may_go(comment: str) -> bool:
    """Tell whether a comment may go with its code: our own markers, and words for linters."""
    return bool(PRAGMA.match(comment) or MARKER.match(comment))


def comments(text: str) -> list[str]:
    """Return the comments of a text that compiles."""
    if "#" not in text:
        return []
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
        return [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return []


def sdk_imports(text: str, packages: Iterable[str]) -> list[tuple[int, str]]:
    """Return line and module of the imports of an SDK that a text still has."""
    names = frozenset(packages)
    if not any(name in text for name in names):
        return []
    found = []
    for node in walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in names]
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in names:
            found.append((node.lineno, node.module or ""))
    return sorted(found)
