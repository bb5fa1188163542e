"""Several stores on one file, as several processes have them."""

import pytest

from resonate_core.errors import StoreError
from resonate_core.machine.state import Effects
from resonate_core.protocol.records import PromiseRecord
from resonate_core.store import board as boards
from resonate_core.store import presence
from resonate_core.store.board import Note
from resonate_core.store.presence import Presence
from resonate_core.store.sqlite import SqliteStore


@pytest.fixture
def pair(tmp_path):
    stores = [SqliteStore(tmp_path / "a.db", synchronous="NORMAL") for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def promise(id):
    effects = Effects()
    effects.created[id] = PromiseRecord(id, "pending", 900, 100)
    return effects


def commit(store, work):
    store.begin()
    work()
    store.commit()


def test_commit_of_another_store_is_seen_and_noticed_once(pair):
    one, other = pair
    other.board.is_changed()
    commit(one, lambda: one.apply(promise("p")))
    assert other.promise("p").id == "p"
    assert (other.board.is_changed(), other.board.is_changed()) == (True, False)


def test_own_commit_is_no_news(pair):
    one, _ = pair
    one.board.is_changed()
    commit(one, lambda: one.apply(promise("p")))
    assert not one.board.is_changed()


def test_rollback_leaves_nothing(pair):
    one, other = pair
    one.begin()
    one.apply(promise("p"))
    one.rollback()
    one.rollback()
    assert (one.promise("p"), other.promise("p")) == (None, None)


def test_undo_goes_back_to_the_mark_only(pair):
    one, other = pair
    one.begin()
    one.apply(promise("kept"))
    one.mark()
    one.apply(promise("lost"))
    one.undo()
    one.mark()
    one.apply(promise("also kept"))
    one.release()
    one.commit()
    assert [bool(other.promise(id)) for id in ("kept", "lost", "also kept")] == [True, False, True]


def test_peers_that_joined_are_known_and_gone_when_they_leave(pair):
    one, other = pair
    commit(one, lambda: one.board.join("g", "w1", is_worker=True))
    other.board.reload_peers()
    assert [(peer.group, peer.is_worker) for peer in other.board.others] == [("", False), ("g", True)]
    commit(one, one.board.leave_all)
    other.board.reload_peers()
    assert other.board.others == []


def test_peer_that_died_is_forgotten_by_whoever_posts(pair):
    one, other = pair
    commit(one, lambda: one.board.join("g", "w1", is_worker=True))
    other.board.reload_peers()
    one.board.close()
    commit(other, other.board.living)
    assert other.board.others == []
    assert one._db.execute("SELECT COUNT(*) FROM peers").fetchone() == (0,)
    one.board = None


def test_notes_are_read_once_by_others_and_never_by_their_writer(pair):
    one, other = pair
    for store in pair:
        commit(store, store.board.announce)
    notes = [Note("settled", "p"), Note("execute", "w", "g", "w1", 3)]
    commit(one, lambda: one.board.post(notes, 100))
    assert other.board.read() == notes
    assert (other.board.read(), one.board.read()) == ([], [])


def test_notes_from_before_joining_are_not_read(pair):
    one, other = pair
    commit(one, lambda: one.board.post([Note("settled", "old")], 100))
    commit(other, other.board.announce)
    commit(one, lambda: one.board.post([Note("settled", "new")], 100))
    assert [note.id for note in other.board.read()] == ["new"]


def test_notes_removed_before_they_were_read_are_missed_loudly(pair, monkeypatch):
    monkeypatch.setattr(boards, "TRIM_COUNT", 2)
    one, other = pair
    commit(other, other.board.announce)
    commit(one, lambda: one.board.post([Note("settled", "a")], 100))
    commit(one, lambda: one.board.post([Note("settled", "b")], 100 + boards.KEEP_MS + 1))
    commit(one, lambda: one.board.post([Note("settled", "c")], 100 + boards.KEEP_MS + 1))
    assert other.board.read() is None
    assert other.board.read() == []


def test_presence_of_two_in_one_process_ends_each_on_its_own(tmp_path):
    first, second = Presence(tmp_path / "a.db"), Presence(tmp_path / "a.db")
    assert second.is_alive(first.number)
    first.leave()
    assert not second.is_alive(first.number)
    assert second.is_alive(second.number)
    second.leave()


def test_presence_without_locks_is_a_store_error(tmp_path, monkeypatch):
    monkeypatch.setattr(presence, "_try_lock", lambda _file, _number: False)
    with pytest.raises(StoreError, match="no locks"):
        SqliteStore(tmp_path / "a.db")
    monkeypatch.undo()
    SqliteStore(tmp_path / "a.db").close()


def test_old_notes_are_removed_by_the_first_that_posts(pair):
    one, other = pair
    commit(one, lambda: one.board.post([Note("settled", "old")], 100))
    commit(other, lambda: other.board.post([Note("settled", "new")], 101 + boards.KEEP_MS))
    assert one._db.execute("SELECT id FROM bulletin").fetchall() == [("new",)]


def test_file_beside_the_store_has_its_permissions(tmp_path):
    path = tmp_path / "a.db"
    path.touch()
    path.chmod(0o660)
    store = SqliteStore(path)
    assert (tmp_path / "a.db-peers").stat().st_mode & 0o777 == 0o660
    store.close()
