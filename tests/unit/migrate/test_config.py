from __future__ import annotations

import pytest

from migrate.config import find_config, read_config
from migrate.errors import UsageError


def config(tmp_path, text):
    file = tmp_path / "pyproject.toml"
    file.write_text(text)
    return read_config(file)


def test_config_section_is_read(tmp_path):
    found = config(
        tmp_path, '[tool.resonate-migrate]\nfrom = "dbos"\nexclude = ["gen/"]\njobs = 2\nallow-dirty = true\n'
    )
    assert found == {"from": "dbos", "exclude": ["gen/"], "jobs": 2, "allow-dirty": True}


def test_config_without_section_or_file_is_empty(tmp_path):
    assert config(tmp_path, "[tool.other]\nx = 1\n") == {}
    assert read_config(None) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exlcude = []", "no key 'exlcude': did you mean 'exclude'"),
        ("zzz = 1", "no key 'zzz': known are from, paths"),
        ("jobs = '2'", "jobs must be a number, found '2'"),
        ("jobs = true", "jobs must be a number, found True"),
        ("select = ['RM1', 2]", "select must be a list of texts"),
        ("allow-dirty = 1", "allow-dirty must be true or false"),
        ("= 3", "pyproject.toml"),
    ],
)
def test_config_mistake_is_named(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        config(tmp_path, f"[tool.resonate-migrate]\n{text}\n")


@pytest.mark.parametrize(
    "text",
    ["[tool.ruff]\nline-length = 100\n", "[tool.black]\nline-length = 100\n", "[tool.isort]\nline_length = 100\n",
     "[tool.black]\nline-length = 79\n[tool.resonate-migrate]\nline-length = 100\n"],
)  # fmt: skip
def test_config_line_length_is_the_formatters_unless_said(tmp_path, text):
    assert config(tmp_path, text)["line-length"] == 100


def test_config_is_found_above_the_path(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.py").write_text("")
    assert find_config(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"
    assert find_config(tmp_path / "a" / "b" / "c.py") == tmp_path / "pyproject.toml"
