"""Which files a run looks at: what git knows and does not ignore, else a walk with .gitignore rules.

Files are found under the paths that were asked for; names are relative to the *root*, the common directory of those
paths. A directory that was asked for is never ignored itself.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Never user code, whatever the ignore files say.
SKIPPED_DIRECTORIES = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".nox",
    }
)


@dataclass(frozen=True)
class Tree:
    """The files of a run.

    Attributes:
        root: absolute directory that paths in results are relative to.
        files: absolute paths, sorted.
    """

    root: Path
    files: tuple[Path, ...]

    def name(self, file: Path) -> str:
        """Return the path that results use for ``file``."""
        return file.relative_to(self.root).as_posix()


def discover(paths: Sequence[Path], *, exclude: Sequence[str] = ()) -> Tree:
    """Find the Python files under ``paths``.

    Raises:
        UsageError: a path does not exist.
    """
    asked = _asked(paths)
    root = _common_directory(asked)
    found: set[Path] = set()
    for path in asked:
        found.update(_python_files(path) if path.is_dir() else [path])
    files = sorted(found)
    if exclude:
        spec = _ignore_spec(exclude)
        files = [file for file in files if not spec(file.relative_to(root).as_posix())]
    return Tree(root, tuple(files))


def root_of(paths: Sequence[Path]) -> Path:
    """Return the root of a run on ``paths`` without looking at any file.

    Raises:
        UsageError: a path does not exist.
    """
    return _common_directory(_asked(paths))


def _asked(paths: Sequence[Path]) -> list[Path]:
    asked = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - resolve() would follow links
    for path, given in zip(asked, paths, strict=True):
        if not path.exists():
            raise UsageError(f"path {str(given)!r} does not exist")
    return asked


def _common_directory(paths: Sequence[Path]) -> Path:
    directories = [path if path.is_dir() else path.parent for path in paths]
    return Path(os.path.commonpath(directories))


def _python_files(directory: Path) -> list[Path]:
    listed = _git_files(directory)
    if listed is None:
        listed = _walk(directory)
    return [file for file in listed if file.suffix == ".py" and not _is_skipped(file, directory)]


def _is_skipped(file: Path, directory: Path) -> bool:
    return not SKIPPED_DIRECTORIES.isdisjoint(file.relative_to(directory).parts[:-1])


def _git_files(directory: Path) -> list[Path] | None:
    """Ask git for tracked files and untracked files that are not ignored; None outside a work tree."""
    command = ["git", "-C", str(directory), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 or _is_ignored(directory):
        return None
    names = dict.fromkeys(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
    # Tracked but deleted files are listed too: whoever deleted them does not want them back.
    return [directory / name for name in names if os.path.lexists(directory / name)]


def _is_ignored(directory: Path) -> bool:
    """Tell whether git ignores the directory itself; then its answer (nothing) is not what was asked for."""
    command = ["git", "-C", str(directory), "check-ignore", "-q", "."]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0  # noqa: S603


def _walk(directory: Path) -> list[Path]:
    return list(_walk_into(directory, directory, []))


def _walk_into(directory: Path, top: Path, rules: list[tuple[Path, _Matcher]]) -> Iterator[Path]:
    ignore = directory / ".gitignore"
    if ignore.is_file():
        rules = [*rules, (directory, _ignore_spec(ignore.read_text("utf-8", "replace").splitlines()))]
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = directory / entry.name
        is_directory = entry.is_dir(follow_symlinks=False)
        if any(spec(path.relative_to(base).as_posix() + ("/" if is_directory else "")) for base, spec in rules):
            continue
        if is_directory:
            if entry.name not in SKIPPED_DIRECTORIES:
                yield from _walk_into(path, top, rules)
        elif not _leads_to_directory(entry):
            yield path


def _leads_to_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself is reported when it is read
        return False


class _Matcher:
    """One ignore file."""

    def __init__(self, lines: Iterable[str]) -> None:
        import pathspec  # noqa: PLC0415 - only where no git answers

        self._spec = pathspec.PathSpec.from_lines("gitwildmatch", lines)

    def __call__(self, path: str) -> bool:
        return bool(self._spec.match_file(path))


def _ignore_spec(lines: Iterable[str]) -> _Matcher:
    return _Matcher(lines)
