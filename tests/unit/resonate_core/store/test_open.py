import sqlite3
import threading

import pytest

from resonate_core.errors import StoreBusyError, StoreCorruptError, StoreError
from resonate_core.store import connection
from resonate_core.store.schema import VERSION
from resonate_core.store.sqlite import SqliteStore


def pragma(store, name):
    return store._db.execute(f"PRAGMA {name}").fetchone()[0]


def test_open_new_file_has_version_and_settings(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    assert (pragma(store, "user_version"), pragma(store, "journal_mode")) == (VERSION, "wal")
    assert pragma(store, "synchronous") == 2
    store.close()


def test_open_with_normal_syncs_at_checkpoints_only(tmp_path):
    store = SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    assert pragma(store, "synchronous") == 1
    store.close()


def test_open_twice_finds_what_was_stored(tmp_path):
    for _ in range(2):
        store = SqliteStore(tmp_path / "a.db")
        store.close()


def test_open_file_of_another_program_is_refused_and_untouched(tmp_path):
    path = tmp_path / "a.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_open_file_that_is_no_database_is_corrupt(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("hello, this is no database at all" * 100)
    with pytest.raises(StoreCorruptError, match="restore the file") as caught:
        SqliteStore(path)
    assert caught.value.path == str(path)


def test_open_damaged_file_is_corrupt(tmp_path):
    path = tmp_path / "a.db"
    SqliteStore(path).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError):
        SqliteStore(path)


def test_open_file_of_a_newer_version_says_to_upgrade(tmp_path):
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    store._db.execute(f"PRAGMA user_version = {VERSION + 1}")
    store.close()
    with pytest.raises(StoreCorruptError, match=f"schema version {VERSION + 1}.*upgrade"):
        SqliteStore(path)


def test_open_in_a_missing_directory_names_it(tmp_path):
    with pytest.raises(StoreError, match=r"directory .*none does not exist"):
        SqliteStore(tmp_path / "none" / "a.db")


def test_open_directory_is_refused(tmp_path):
    with pytest.raises(StoreError, match="writable"):
        SqliteStore(tmp_path)


def test_open_while_another_holds_the_file_is_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "OPEN_WAIT_MS", 1)
    path = tmp_path / "a.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusyError, match="try again"):
        SqliteStore(path)
    other.close()


def test_open_with_an_old_sqlite_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "SQLITE_MIN", (99, 0, 0))
    with pytest.raises(StoreError, match="too old"):
        SqliteStore(tmp_path / "a.db")


def test_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    monkeypatch.setitem(connection.MIGRATIONS, 1, "CREATE TABLE promises (id); CREATE TABLE promises (id)")
    with pytest.raises(StoreError, match="already exists"):
        SqliteStore(path)
    monkeypatch.undo()
    store = SqliteStore(path)
    assert pragma(store, "user_version") == VERSION
    store.close()


def test_translate_denied_access_says_what_must_be_writable():
    error = PermissionError(13, "Permission denied", "x.db-peers")
    assert "must be writable" in str(connection.translate(error, "x.db", "opening"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusyError),
        (sqlite3.SQLITE_CORRUPT, StoreCorruptError),
        (sqlite3.SQLITE_READONLY, StoreError),
        (sqlite3.SQLITE_FULL, StoreError),
        (sqlite3.SQLITE_IOERR, StoreError),
    ],
)
def test_translate_error_of_sqlite_names_file_and_advice(code, kind):
    error = sqlite3.OperationalError("boom")
    error.sqlite_errorcode = code | (2 << 8)
    translated = connection.translate(error, "x.db", "writing")
    assert type(translated) is kind
    assert str(translated).startswith("writing x.db: boom; ")


def test_open_new_file_by_many_at_once_makes_it_once(tmp_path):
    found = []

    def open_it(path, gate):
        gate.wait()
        found.append(SqliteStore(path))

    for number in range(8):
        gate = threading.Barrier(6)
        threads = [threading.Thread(target=open_it, args=(tmp_path / f"{number}.db", gate)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8 * 6
    for store in found:
        store.close()
