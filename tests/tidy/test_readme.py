"""What README.md says is there: its commands, its links, its generated tables."""

from __future__ import annotations

import re

import pytest

from tests.needs import ROOT
from tests.tidy import readme

TEXT = readme.README.read_text()
CODE = "\n".join(re.findall(r"```(?:console|bash|sh)\n(.*?)```", TEXT, re.DOTALL))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_commands_of_the_readme_are_targets():
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", TEXT))
    assert {"demo", "test"} <= named
    assert named <= targets()


def test_ci_runs_the_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    for command in ("make demo", "make test"):
        assert command in CODE
        assert command in script


@pytest.mark.parametrize("line", re.findall(r"^\$ resonate-migrate (.*)$", CODE, re.MULTILINE))
def test_command_line_of_the_readme_is_understood(line: str, capsys: pytest.CaptureFixture[str]):
    from migrate.__main__ import call

    words = [word for word in line.split() if "/" not in word]
    assert call([*words, "--help"]) == 0
    assert "Usage: resonate-migrate" in capsys.readouterr().out


def test_generated_tables_are_up_to_date():
    assert readme.render(TEXT) == TEXT, "run: make docs"


def test_links_and_paths_of_the_readme_exist():
    links = re.findall(r"\]\((?!https?://|#)([^)]+)\)", TEXT)
    folders = re.findall(r"^\| `([\w/.-]+/)` \|", TEXT, re.MULTILINE)
    assert folders
    assert [name for name in links + folders if not (ROOT / name).exists()] == []


def test_make_targets_are_phony_or_files():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert targets() == phony


def test_missing_markers_are_told():
    with pytest.raises(ValueError, match="markers"):
        readme.render("# no markers here")
