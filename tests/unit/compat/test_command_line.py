"""``python -m compat.temporal`` and ``python -m compat.dbos``: what they say without a program."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture(params=["temporal", "dbos"])
def main(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    module = importlib.import_module(f"compat.{request.param}.__main__")

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["compat", *arguments])
        module.main()

    return run


def test_help_is_no_name_of_a_program(main, capsys):
    main("--help")
    assert capsys.readouterr().out.startswith("usage: python -m compat.")


def test_without_a_program_the_usage_is_the_error(main):
    with pytest.raises(SystemExit, match=r"usage: python -m compat\."):
        main()
