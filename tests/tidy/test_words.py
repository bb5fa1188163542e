"""Words that must not land: paths of one machine, hosts of package registries, promises to do it later."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.tidy.tree import name_of, tracked

#: Each is written so that this file does not contain it.
FORBIDDEN: Final = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|far[m])/|/tm[p]/(?:team|bash_jobs|pytest-)"),
    "a registry host": re.compile(
        r"(?:pyp[i]\.org|files\.pythonhoste[d]|registry\.npmj[s]|crates\.i[o]|deb\.debia[n])"
    ),
    "a promise to do it later": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b"),
    "talk about how the work was organised": re.compile(
        r"\b(?:sub-?agen[t]|this sessio[n]|closing not[e])\b", re.IGNORECASE
    ),
}


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if pattern.search(text):
            numbered = enumerate(text.splitlines(), start=1)
            found.extend(
                f"{name_of(path)}:{number}: {line.strip()}" for number, line in numbered if pattern.search(line)
            )
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tracked_files_do_not_contain(what: str):
    assert not lines_with(FORBIDDEN[what]), what


def test_files_are_text():
    binary = [name_of(path) for path in tracked() if b"\0" in path.read_bytes()]
    assert not binary


@pytest.mark.parametrize(
    "text", ["see /wor" + "k/main", "https://pyp" + "i.org/simple", "# TO" + "DO: later", "a Sub" + "agent"]
)
def test_forbidden_text_is_found(text: str):
    assert any(pattern.search(text) for pattern in FORBIDDEN.values())
