from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

import pytest

from migrate.discover import discover
from migrate.index.build import build_module
from migrate.index.load import load
from migrate.plan.edits import FileEdits, FilePlan
from migrate.rewrite.change import Change
from migrate.rewrite.rewriter import rewrite
from migrate.source import decode, parse
from migrate.verify import check_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path):
    """Write files given by keyword or mapping, and index them; ``sdk`` is the SDK they use."""

    def make(files: dict[str, str], *, types=None, packages=("sdk",)):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        return load(discover([tmp_path]), packages=packages, types=types or {}).project

    return make


@pytest.fixture
def edited(tmp_path: Path):
    """Record edits on one file and return the new text: ``edited(text, lambda file, find: ...)``.

    ``find(kind, text)`` is the first node of a kind whose source is ``text``.
    """

    def make(text: str | bytes, record, *, packages=("sdk",), line_length=None):
        data = text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode()
        file = tmp_path / "code.py"
        file.write_bytes(data)
        source = decode("code.py", file, data)
        module = build_module(source, parse(source), "code", is_package=False)
        plan = FilePlan(module)

        def find(kind, wanted):
            nodes = [node for node in ast.walk(module.tree) if isinstance(node, kind)]
            return next(node for node in nodes if _text_of(source.text, node).startswith(wanted))

        record(FileEdits(plan, "group"), find)
        change = Change(plan.edits, plan.wants, plan.renames, packages=frozenset(packages), line_length=line_length)
        result = rewrite(module, change)
        check_text("code.py", source.text, result)
        return result if isinstance(text, str) else source.encode(result)

    return make


def _text_of(text, node):
    return ast.get_source_segment(text, node) or ""
