from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from migrate.discover import discover
from migrate.index.load import load

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
