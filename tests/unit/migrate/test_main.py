"""What the entry point says when something unforeseen goes wrong."""

from __future__ import annotations

from migrate import __main__ as entry


def test_defect_of_the_tool_is_owned_up_to_and_says_what_it_means_for_the_project(monkeypatch, capsys):
    def breaks(*_args, **_options):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(entry.root, "main", breaks)
    assert entry.call(["x"]) == 70
    said = capsys.readouterr().err
    assert "a defect of the tool, not of your project: ZeroDivisionError: by nothing" in said
    assert "resonate-migrate undo" in said
    assert "Traceback" in said
