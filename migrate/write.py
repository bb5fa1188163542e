"""Write the result: atomically, with the old permissions, all files that belong together or none of them.

Files that share a group form a component. Each component is staged in temporary files next to its targets, the journal
is written, then the files are renamed into place with Ctrl-C held off. What fails before that leaves no trace; what
fails in between is put back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.errors import FileProblem, RefusedError
from migrate.journal import Entry, Journal, digest, home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Target:
    """One file to write.

    Attributes:
        path: name in the report.
        file: where it is.
        data: new bytes.
        digest: hash of the bytes that the new ones were made from; None for a new file.
        mode: permission bits.
    """

    path: str
    file: Path
    data: bytes
    digest: str | None
    mode: int


def components(groups: Mapping[str, set[str]]) -> list[list[str]]:
    """Split paths into lists that must be written together.

    Args:
        groups: groups of each path.
    """
    found: list[tuple[set[str], list[str]]] = []
    for path in sorted(groups):
        mine = set(groups[path])
        paths = [path]
        for other in [one for one in found if one[0] & mine]:
            found.remove(other)
            mine |= other[0]
            paths = other[1] + paths
        found.append((mine, paths))
    return [sorted(paths) for _, paths in sorted(found, key=lambda one: min(one[1]))]


@dataclass
class _Staged:
    """A component that is ready to be renamed into place."""

    targets: list[Target]
    files: list[tuple[Path, Path]]

    def entries(self) -> list[Entry]:
        return [Entry(str(_real(one.file)), one.mode, one.digest, digest(one.data)) for one in self.targets]

    def drop(self) -> None:
        for partial, _ in self.files:
            partial.unlink(missing_ok=True)


def write_all(parts: list[list[Target]], journal: Journal) -> dict[str, FileProblem]:
    """Write components, each as a whole or not at all.

    Returns:
        The problem of each path that was not written.

    Raises:
        KeyboardInterrupt: Ctrl-C; components before it are written, later ones untouched.
    """
    problems: dict[str, FileProblem] = {}
    before: dict[str, bytes] = {}
    staged: list[_Staged] = []
    try:
        for targets in parts:
            try:
                staged.append(_stage_all(targets, before))
            except FileProblem as problem:
                problems.update(dict.fromkeys([one.path for one in targets], problem))
        if staged:
            record = journal.begin([entry for one in staged for entry in one.entries()], before)
            try:
                for one in staged:
                    problems.update(_rename(one, journal))
            finally:
                journal.mark(record, "done")
    finally:
        for one in staged:
            one.drop()
    return problems


def _stage_all(targets: list[Target], before: dict[str, bytes]) -> _Staged:
    """Put the new bytes of a component next to its files."""
    found: dict[str, bytes] = {}
    for target in targets:
        _check(target, found)
    staged = _Staged(targets, [])
    try:
        for target in targets:
            staged.files.append((_stage(target), _real(target.file)))
    except FileProblem:
        staged.drop()
        raise
    before.update(found)
    return staged


def _rename(staged: _Staged, journal: Journal) -> dict[str, FileProblem]:
    """Rename a component into place; put everything back if one file fails."""
    with interrupts_held():
        try:
            for partial, file in staged.files:
                partial.replace(file)
        except OSError as error:
            for entry in staged.entries():
                restore(entry, journal)
            problem = FileProblem("RM006", f"not writable: {error.strerror}")
            return dict.fromkeys([one.path for one in staged.targets], problem)
    return {}


def _check(target: Target, before: dict[str, bytes]) -> None:
    """Refuse a file that is not what it was when it was read."""
    file = target.file
    try:
        if target.digest is None:
            if file.exists():
                raise FileProblem("RM006", f"{target.path} appeared since it was planned")
            return
        data = file.read_bytes()
    except OSError as error:
        raise FileProblem("RM006", f"{target.path} cannot be read any more: {error.strerror}") from error
    if digest(data) != target.digest:
        raise FileProblem("RM006", f"{target.path} changed since it was read: run again")
    if not target.mode & 0o200:
        raise FileProblem("RM006", f"{target.path} is read-only")
    before[target.path] = data


def _stage(target: Target) -> Path:
    directory = _real(target.file).parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.file.name}.", suffix=".partial", dir=directory)
        with os.fdopen(handle, "wb") as stream:
            stream.write(target.data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(target.mode)
    except OSError as error:
        raise FileProblem("RM006", f"{target.path} cannot be written: {error.strerror}") from error
    return Path(name)


def _real(file: Path) -> Path:
    return file.resolve() if file.is_symlink() else file


def restore(entry: Entry, journal: Journal) -> None:
    """Give one file the bytes it had, if it has those that were written."""
    file = Path(entry.path)
    if not file.exists() or digest(file.read_bytes()) != entry.after:
        return
    if entry.before is None:
        file.unlink()
        return
    partial = _stage(Target(file.name, file, journal.before(entry), entry.before, entry.mode))
    partial.replace(file)


def undo(root: Path) -> list[str]:
    """Take the newest run back.

    Returns:
        The paths that have their old content again.

    Raises:
        RefusedError: there is nothing to undo, or a file was changed since.
    """
    journal = Journal(home(root))
    record = journal.last()
    if record is None:
        raise RefusedError("there is nothing to undo")
    changed = [entry.path for entry in record.entries if _was_changed(entry)]
    if changed:
        raise RefusedError(f"{changed[0]} was changed since the run: undoing would lose that; nothing was touched")
    with interrupts_held():
        for entry in record.entries:
            restore(entry, journal)
        journal.mark(record, "undone")
    return [entry.path for entry in record.entries]


def _was_changed(entry: Entry) -> bool:
    file = Path(entry.path)
    if not file.exists():
        return entry.before is not None
    return digest(file.read_bytes()) not in (entry.before, entry.after)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C off until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    old = signal.signal(signal.SIGINT, lambda number, _frame: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
    if pending:
        raise KeyboardInterrupt
