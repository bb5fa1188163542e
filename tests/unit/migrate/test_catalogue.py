"""One code, one module, one text, one fixture directory."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from migrate.errors import UsageError
from migrate.rules.catalogue import rule, rule_modules, rules

ROOT = Path(__file__).parents[3]
#: Ranges by first digit: engine, Temporal, DBOS, project files, notes on semantics.
FAMILIES = {"0": {"engine"}, "1": {"temporal"}, "2": {"dbos"}, "3": {"project"}, "5": {"semantics"}}
#: Codes about files that no fixture in git can hold (too deep, unreadable, changed meanwhile), and the engine's nets
#: below the rules: what the rules of a source explain themselves never reaches them. Unit tests hold these.
NOT_A_FIXTURE = {"RM004", "RM006", "RM012", "RM304"}


def emitted():
    """Return every code that the source spells as a text of its own."""
    found = set()
    for file in (ROOT / "migrate").rglob("*.py"):
        found |= set(re.findall(r"""["'](RM\d{3})["']""", file.read_text("utf-8")))
    return found


def fixtures():
    folders = (ROOT / "fixtures").glob("*/RM*")
    return {folder.name[:5] for folder in folders if any(folder.glob("*/before*"))}


def test_every_emitted_code_has_a_rule():
    assert emitted() - rule_modules().keys() == set()


def test_every_rule_is_what_its_module_is_called_and_has_its_texts():
    for code, name in rule_modules().items():
        found = rule(code)
        assert found.code == code, name
        assert found.family in FAMILIES[code[2]], name
        for text in (found.title, found.what, found.why, found.action):
            assert text.strip(), name
        assert not found.title.endswith("."), name
        assert found.level in ("note", "review", "manual", "error")
        assert found.applicability in ("safe", "review", "manual")


def test_codes_are_unique_over_all_families():
    names = [file.stem for file in (ROOT / "migrate" / "rules").rglob("rm*.py")]
    codes = [name[:5] for name in names]
    assert len(codes) == len(set(codes))
    assert len(rules()) == len(codes)


def shown():
    """Return the codes that golden cases expect among their findings: notes are shown where they arise."""
    found = set()
    for file in (ROOT / "fixtures").glob("*/RM*/*/case.toml"):
        found |= {one.split()[0] for one in tomllib.loads(file.read_text("utf-8")).get("findings", ())}
    return found


def test_every_rule_has_a_fixture_directory():
    edits = {code for code in rule_modules() if code[2] != "5"}
    assert edits - fixtures() - NOT_A_FIXTURE == set()


def test_every_note_is_shown_by_a_golden_case():
    notes = {code for code in rule_modules() if code[2] == "5"}
    assert notes - fixtures() - shown() == set()


def test_every_fixture_directory_belongs_to_a_rule():
    assert fixtures() - rule_modules().keys() == set()


def test_unknown_code_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean RM"):
        rule("RM01O")
