"""Opening the SQLite file: settings, schema, and what can be wrong with a file. Foreign errors are translated here."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from resonate_core.clock import monotonic_ms, pause
from resonate_core.errors import StoreBusyError, StoreCorruptError, StoreError
from resonate_core.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: ``WITHOUT ROWID`` tables, partial indexes and upserts work well before it; nothing newer is used.
SQLITE_MIN: Final = (3, 34, 0)

#: Pages in the log before it is copied back: 4 MiB, so that a checkpoint comes once in some hundred commits.
CHECKPOINT_PAGES: Final = 1_000

#: How long a transaction waits for another process to finish its own.
LOCK_WAIT_MS: Final = 10_000

#: How long SQLite itself waits for a lock while opening.
OPEN_WAIT_MS: Final = 5_000

_BUSY: Final = (StoreBusyError, "another process holds the file: try again")
_CORRUPT: Final = (StoreCorruptError, "restore the file from a copy, or name another file")
_DENIED: Final = (StoreError, "the file and its directory must be writable for this user")

#: Primary result code -> our error, and what to do.
_MEANING: Final = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_FULL: (StoreError, "free some space; what is stored stays"),
}


def translate(error: Exception, path: str, doing: str) -> StoreError:
    """Return our error for one of SQLite's: what was being done, to which file, what to do about it."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, PermissionError):
        return StoreError(f"{doing} {path}: {error}; {_DENIED[1]}", path=path)
    if not isinstance(error, sqlite3.Error):
        return StoreError(f"{doing} {path}: {type(error).__name__}: {error}", path=path)
    kind, advice = _MEANING.get(error.sqlite_errorcode & 0xFF, (StoreError, "nothing is lost: what is stored stays"))
    return kind(f"{doing} {path}: {error}; {advice}", path=path)


@contextmanager
def translated(path: str, doing: str) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path, doing) from error


def begin_immediate(db: sqlite3.Connection) -> None:
    """Take the write lock, waiting in short steps: SQLite's own back-off sleeps up to a tenth of a second."""
    _patiently(db, "BEGIN IMMEDIATE", LOCK_WAIT_MS)


def _patiently(db: sqlite3.Connection, statement: str, limit_ms: int) -> None:
    until = monotonic_ms() + limit_ms
    pause_ms = 0.1
    while True:
        try:
            db.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic_ms() > until:
                raise
            pause(pause_ms)
            pause_ms = min(pause_ms * 1.5, 3.0)
        else:
            return


def open_file(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """Open a file of ours, make it if there is none, bring it up to date.

    Raises:
        StoreCorruptError: damaged, another program's, or written by a newer version of this one.
        StoreBusyError: somebody holds it.
        StoreError: anything else, with what to do.
    """
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        needed = ".".join(map(str, SQLITE_MIN))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old, {needed} is needed; use another Python build")
    if not path.parent.is_dir():
        raise StoreError(f"opening {path}: directory {path.parent} does not exist; create it", path=str(path))
    with translated(str(path), "opening"):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        with translated(str(path), "opening"):
            _prepare(db, path, synchronous)
    except StoreError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path, synchronous: str) -> None:
    db.execute(f"PRAGMA busy_timeout = {OPEN_WAIT_MS}")
    _check_ours(db, path)
    # SQLite does not wait here by itself when two processes open a new file at once: each upgrades a lock of its own.
    _patiently(db, "PRAGMA journal_mode = WAL", OPEN_WAIT_MS)
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA fullfsync = ON")  # macOS: else an fsync ends in the disk's cache
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    _migrate(db, path)
    db.execute("PRAGMA busy_timeout = 0")


def _check_ours(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that some other program made, before anything in it changes."""
    db.execute("BEGIN")  # one view of both: another process may be making the file right now
    application = db.execute("PRAGMA application_id").fetchone()[0]
    is_empty = db.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0] == 0
    db.execute("COMMIT")
    if application == APPLICATION_ID or (is_empty and application == 0):
        return
    raise StoreCorruptError(f"{path} is a database of another program; name another file", path=str(path))


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    """Apply what is missing, in one transaction; two processes that open a new file at once do it once."""
    found = _version(db)
    if found > VERSION:
        raise StoreCorruptError(
            f"{path} has schema version {found}, this program knows {VERSION}; upgrade resonate-migrate",
            path=str(path),
        )
    if found == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        found = _version(db)
        for version in range(found + 1, VERSION + 1):
            for statement in MIGRATIONS[version].split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
