"""The codemod's error tree.

MigrateError                 ends the run; the message says what to do
├── UsageError               wrong command line or configuration (exit code 2)
└── RefusedError             would write where a person must decide first (exit code 4)

FileProblem                  one file cannot be read, rewritten or written; the run goes on (exit code 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class MigrateError(Exception):
    """Base of what ends a run."""

    exit_code = 1


class UsageError(MigrateError):
    """The command line or the configuration asks for something that cannot be."""

    exit_code = 2


class RefusedError(MigrateError):
    """The run would overwrite work that no commit holds."""

    exit_code = 4


class FileProblem(Exception):  # noqa: N818 - it is a result that travels as an exception for one call
    """One file cannot be handled.

    Attributes:
        code: the finding's code, for example ``RM001``.
        reason: one line, without the path.
        line: 1-based line, or 1 if the whole file is meant.
    """

    def __init__(self, code: str, reason: str, *, line: int = 1) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.line = line

    def __reduce__(self) -> tuple[Callable[..., FileProblem], tuple[str, str, int]]:
        """Travel between processes."""
        return _problem, (self.code, self.reason, self.line)


def _problem(code: str, reason: str, line: int) -> FileProblem:
    return FileProblem(code, reason, line=line)
