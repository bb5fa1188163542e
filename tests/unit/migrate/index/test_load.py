from __future__ import annotations

import os

import pytest

from migrate.discover import discover
from migrate.index.load import load


def loaded(folder):
    return load(discover([folder]), packages=["sdk"], types={})


def put(folder, **files):
    for name, text in files.items():
        file = folder / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_load_takes_files_that_name_the_sdk_and_their_neighbours_only(tmp_path):
    put(
        tmp_path,
        flow="import sdk\nimport helper\n",
        helper="import deeper\n",
        deeper="x = 1\n",
        user="from flow import x\n",
        alone="import os\n",
        says="# nothing of it\nprint('helper')\n",
    )
    found = loaded(tmp_path)
    assert sorted(found.sources) == ["deeper.py", "flow.py", "helper.py", "user.py"]
    assert found.skipped == ["alone.py", "says.py"]


def test_load_without_the_sdk_parses_nothing(tmp_path):
    put(tmp_path, broken="def (:\n")
    found = loaded(tmp_path)
    assert (found.sources, found.problems, found.skipped) == ({}, {}, ["broken.py"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"import sdk\ndef (:\n", "RM001"),
        (b"import sdk\n\xff\n", "RM005"),
        (b"# coding: nothing\nimport sdk\n", "RM005"),
        (b"import sdk\n\0\n", "RM001"),
    ],
)
def test_load_file_that_is_no_python_is_a_problem_and_others_go_on(tmp_path, data, code):
    put(tmp_path, bad=data, good="import sdk\n")
    found = loaded(tmp_path)
    assert {path: problem.code for path, problem in found.problems.items()} == {"bad.py": code}
    assert sorted(found.sources) == ["good.py"]


def test_load_link_that_leaves_the_tree_is_a_problem(tmp_path):
    put(tmp_path, outside="import sdk\n", tree__good="import sdk\n")
    (tmp_path / "tree" / "link.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "tree" / "loop.py").symlink_to(tmp_path / "tree" / "loop.py")
    (tmp_path / "tree" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    found = loaded(tmp_path / "tree")
    assert {path: one.code for path, one in found.problems.items()} == dict.fromkeys(
        ["gone.py", "link.py", "loop.py"], "RM006"
    )


def test_load_link_to_a_file_of_the_tree_is_not_read_twice(tmp_path):
    put(tmp_path, good="import sdk\n")
    (tmp_path / "link.py").symlink_to("good.py")
    found = loaded(tmp_path)
    assert (sorted(found.sources), found.skipped, found.problems) == (["good.py"], ["link.py"], {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_load_unreadable_file_is_a_problem(tmp_path):
    put(tmp_path, closed="import sdk\n")
    (tmp_path / "closed.py").chmod(0)
    assert loaded(tmp_path).problems["closed.py"].code == "RM006"


def test_load_deeply_nested_file_is_a_problem_not_a_crash(tmp_path):
    put(tmp_path, deep="import sdk\nx = " + "-" * 3000 + "1\n", chain="import sdk\nx = a" + ".b" * 2000 + "\n")
    found = loaded(tmp_path)
    assert set(found.problems) | set(found.sources) == {"chain.py", "deep.py"}


def test_load_large_file_counts_only_if_it_names_the_sdk(tmp_path, monkeypatch):
    monkeypatch.setattr("migrate.source.FILE_BYTES_MAX", 20)
    put(tmp_path, generated="x = 1\n" * 10, ours="import sdk\n" * 10)
    found = loaded(tmp_path)
    assert found.skipped == ["generated.py"]
    assert found.problems["ours.py"].reason == "110 bytes, more than the limit of 20"
