"""The journal of what was written, so that it can be undone: ``.resonate-migrate/`` next to the project.

``runs/0007.json`` is one run: for each file its path, permissions, and the hashes before and after; ``blobs/`` has the
bytes before. An entry is on disk, marked ``writing``, before the first file changes, and marked ``done`` after the
last. A run that was killed in between is found by its mark, and ``undo`` takes it back like any other.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

DIRECTORY: Final = ".resonate-migrate"
_VERSION: Final = 1


@dataclass(frozen=True)
class Entry:
    """One file of a run.

    Attributes:
        path: absolute path of the real file.
        mode: permission bits.
        before: SHA-256 of the bytes before; None if the file did not exist.
        after: SHA-256 of the bytes after.
    """

    path: str
    mode: int
    before: str | None
    after: str


@dataclass(frozen=True)
class Record:
    """One run as the journal has it.

    Attributes:
        file: the journal's own file.
        state: "writing", "done" or "undone".
        entries: files.
    """

    file: Path
    state: str
    entries: tuple[Entry, ...]


def digest(data: bytes) -> str:
    """Return the hash that the journal names bytes by."""
    return hashlib.sha256(data).hexdigest()


def home(root: Path) -> Path:
    """Return the directory that holds the journal for a run on ``root``: the repository, else the current directory."""
    for directory in (root, *root.parents):
        if (directory / ".git").exists() or (directory / DIRECTORY).is_dir():
            return directory
    current = Path.cwd()
    return current if root.is_relative_to(current) else root


class Journal:
    """The journal of one project."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / DIRECTORY

    def begin(self, entries: Iterable[Entry], before: dict[str, bytes]) -> Record:
        """Keep the bytes before and record what is about to be written."""
        self._prepare()
        for data in before.values():
            blob = self.directory / "blobs" / digest(data)
            if not blob.exists():
                _write_durably(blob, data)
        number = max((int(file.stem) for file in self._files()), default=0) + 1
        record = Record(self.directory / "runs" / f"{number:04}.json", "writing", tuple(entries))
        self._save(record)
        return record

    def mark(self, record: Record, state: str) -> Record:
        """Change a run's state."""
        marked = Record(record.file, state, record.entries)
        self._save(marked)
        return marked

    def records(self) -> list[Record]:
        """Return all runs, oldest first."""
        found = []
        for file in self._files():
            data = json.loads(file.read_text("utf-8"))
            found.append(Record(file, data["state"], tuple(Entry(**one) for one in data["files"])))
        return found

    def unfinished(self) -> Record | None:
        """Return the run that was killed while it wrote, if there is one."""
        return next((one for one in reversed(self.records()) if one.state == "writing"), None)

    def last(self) -> Record | None:
        """Return the newest run that was not undone."""
        return next((one for one in reversed(self.records()) if one.state != "undone"), None)

    def before(self, entry: Entry) -> bytes:
        """Return the bytes a file had before."""
        assert entry.before is not None
        return (self.directory / "blobs" / entry.before).read_bytes()

    def keep_report(self, text: str) -> None:
        """Keep the JSON of the newest run for ``resonate-migrate report``."""
        self._prepare()
        _write_durably(self.directory / "last.json", text.encode())

    def _prepare(self) -> None:
        (self.directory / "runs").mkdir(parents=True, exist_ok=True)
        (self.directory / "blobs").mkdir(exist_ok=True)
        ignore = self.directory / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")  # git never sees the journal, so it never makes the tree dirty

    def _files(self) -> list[Path]:
        return sorted((self.directory / "runs").glob("*.json"))

    def _save(self, record: Record) -> None:
        data = {"version": _VERSION, "state": record.state, "files": [asdict(one) for one in record.entries]}
        _write_durably(record.file, json.dumps(data, indent=1).encode())


def _write_durably(file: Path, data: bytes) -> None:
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
