from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path

import pytest

import migrate.write
from migrate.errors import RefusedError
from migrate.journal import Journal, digest, home
from migrate.write import Target, components, interrupts_held, undo, write_all


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path


def target(file, new, *, old=None, mode=0o644):
    file.parent.mkdir(parents=True, exist_ok=True)
    if old is not None:
        file.write_bytes(old)
        file.chmod(mode)
    return Target(file.name, file, new, digest(old) if old is not None else None, mode)


def leftovers(folder):
    return [file.name for file in folder.rglob("*") if "partial" in file.name]


def test_write_replaces_files_with_the_same_permissions(folder):
    one = target(folder / "a.py", b"new", old=b"old", mode=0o755)
    two = target(folder / "sub" / "b.py", b"made")
    assert write_all([[one, two]], Journal(folder)) == {}
    assert (folder / "a.py").read_bytes() == b"new"
    assert stat.S_IMODE((folder / "a.py").stat().st_mode) == 0o755
    assert (folder / "sub" / "b.py").read_bytes() == b"made"
    assert leftovers(folder) == []


def test_write_link_keeps_the_link(folder):
    (folder / "real.py").write_bytes(b"old")
    (folder / "link.py").symlink_to("real.py")
    write_all([[Target("link.py", folder / "link.py", b"new", digest(b"old"), 0o644)]], Journal(folder))
    assert (folder / "link.py").is_symlink()
    assert (folder / "real.py").read_bytes() == b"new"


@pytest.mark.parametrize("trouble", ["changed", "gone", "read-only", "appeared", "no directory"])
def test_write_component_with_a_bad_file_is_left_and_others_are_written(folder, trouble):
    good = target(folder / "good.py", b"new", old=b"old")
    friend = target(folder / "friend.py", b"new", old=b"old")
    bad = target(folder / "bad.py", b"new", old=b"old", mode=0o444 if trouble == "read-only" else 0o644)
    if trouble == "changed":
        bad.file.write_bytes(b"edited meanwhile")
    elif trouble == "gone":
        bad.file.unlink()
    elif trouble == "appeared":
        bad = Target("bad.py", bad.file, b"new", None, 0o644)
    elif trouble == "no directory":
        (folder / "plain").write_bytes(b"")
        bad = Target("bad.py", folder / "plain" / "bad.py", b"new", None, 0o644)
    problems = write_all([[good], [bad, friend]], Journal(folder))
    assert set(problems) == {"bad.py", "friend.py"}
    assert all("bad.py" in problem.reason for problem in problems.values())
    assert (folder / "good.py").read_bytes() == b"new"
    assert (folder / "friend.py").read_bytes() == b"old"
    assert leftovers(folder) == []


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_write_failing_rename_puts_the_component_back(folder, monkeypatch, fails_at):
    targets = [target(folder / f"{name}.py", b"new", old=b"old") for name in "abc"]
    renamed = []
    real = os.replace

    def failing(source, destination):
        if str(destination).endswith(".py") and str(source).endswith(".partial"):
            renamed.append(destination)
            if len(renamed) == fails_at:
                raise OSError(28, "No space left on device")
        return real(source, destination)

    monkeypatch.setattr(os, "replace", failing)
    problems = write_all([targets], Journal(folder))
    assert {problem.reason for problem in problems.values()} == {"not writable: No space left on device"}
    assert [(folder / f"{name}.py").read_bytes() for name in "abc"] == [b"old"] * 3
    assert leftovers(folder) == []


def test_undo_restores_changed_and_removes_new_files_once(folder):
    one, two = target(folder / "a.py", b"new", old=b"old", mode=0o755), target(folder / "b.py", b"made")
    write_all([[one], [two]], Journal(folder))
    assert sorted(Path(name).name for name in undo(folder)) == ["a.py", "b.py"]
    assert (folder / "a.py").read_bytes() == b"old"
    assert stat.S_IMODE((folder / "a.py").stat().st_mode) == 0o755
    assert not (folder / "b.py").exists()
    with pytest.raises(RefusedError, match="nothing to undo"):
        undo(folder)


def test_undo_goes_back_run_by_run(folder):
    write_all([[target(folder / "a.py", b"two", old=b"one")]], Journal(folder))
    write_all([[target(folder / "a.py", b"three", old=b"two")]], Journal(folder))
    for expected in (b"two", b"one"):
        undo(folder)
        assert (folder / "a.py").read_bytes() == expected


def test_undo_refuses_when_a_file_was_edited_since(folder):
    write_all(
        [[target(folder / "a.py", b"new", old=b"old"), target(folder / "b.py", b"new", old=b"old")]], Journal(folder)
    )
    (folder / "b.py").write_bytes(b"precious")
    with pytest.raises(RefusedError, match=r"b\.py was changed since"):
        undo(folder)
    assert (folder / "a.py").read_bytes() == b"new"


def test_undo_takes_a_run_back_that_was_killed_half_way(folder):
    one, two = target(folder / "a.py", b"new", old=b"old"), target(folder / "b.py", b"new", old=b"old")
    journal = Journal(folder)
    write_all([[one, two]], journal)
    record = journal.records()[0]
    (folder / "b.py").write_bytes(b"old")  # the kill came before its rename
    journal.mark(record, "writing")
    assert journal.unfinished() is not None
    undo(folder)
    assert (folder / "a.py").read_bytes() == b"old"
    assert journal.unfinished() is None


def test_journal_is_invisible_to_git_and_keeps_each_content_once(folder):
    write_all(
        [[target(folder / "a.py", b"new", old=b"same"), target(folder / "b.py", b"new", old=b"same")]], Journal(folder)
    )
    kept = folder / ".resonate-migrate"
    assert (kept / ".gitignore").read_text() == "*\n"
    assert len(list((kept / "blobs").iterdir())) == 1
    assert json.loads((kept / "runs" / "0001.json").read_text())["state"] == "done"


def test_journal_home_is_the_repository_else_the_current_directory(tmp_path, monkeypatch):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "src").mkdir()
    (tmp_path / "plain" / "src").mkdir(parents=True)
    assert home(tmp_path / "repo" / "src") == tmp_path / "repo"
    monkeypatch.chdir(tmp_path / "plain")
    assert home(tmp_path / "plain" / "src") == tmp_path / "plain"
    monkeypatch.chdir(tmp_path / "repo")
    assert home(tmp_path / "plain" / "src") == tmp_path / "plain" / "src"


def test_components_join_paths_that_share_a_group():
    groups = {"a": {"1"}, "b": {"2"}, "c": {"1", "2"}, "d": {"3"}}
    assert components(groups) == [["a", "b", "c"], ["d"]]


def test_interrupt_while_renaming_is_held_until_the_end(folder, monkeypatch):
    targets = [target(folder / f"{name}.py", b"new", old=b"old") for name in "ab"]
    later = target(folder / "later.py", b"new", old=b"old")
    rename = migrate.write._rename

    def interrupted(staged, journal):
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            return rename(staged, journal)

    monkeypatch.setattr(migrate.write, "_rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all([targets, [later]], Journal(folder))
    assert [(folder / f"{name}.py").read_bytes() for name in "ab"] == [b"new", b"new"]
    assert (folder / "later.py").read_bytes() == b"old"
    assert leftovers(folder) == []
    undo(folder)
    assert (folder / "a.py").read_bytes() == b"old"
