"""Programs of the shim's own, each run on the real server and with its imports changed: the same lines come out."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests import programs
from tests.differential.sides import CORE_LOG, CRASHES_AT_EXIT, RUN_SECONDS
from tests.differential.test_shim import IMPORTED
from tests.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER: Final = ROOT / "fixtures" / "shim" / "temporal"
HELPERS: Final = ("shown.py",)
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.py") if path.name not in HELPERS)


def start(
    name: str, folder: Path, env: Mapping[str, str], *, changed: bool, python: str = sys.executable
) -> programs.Program:
    shutil.copytree(FOLDER, folder)
    if changed:
        for source in folder.glob("*.py"):
            source.write_text(IMPORTED.sub("compat.temporal", source.read_text()))
    return programs.start([f"{name}.py"], folder=folder, env=env, name=folder.name, logs=folder, python=python)


def lines(program: programs.Program) -> list[str]:
    found = program.wait(RUN_SECONDS, forgiven_codes=CRASHES_AT_EXIT)
    return [line for line in found if CORE_LOG not in line]


@pytest.mark.slow
@pytest.mark.original
@pytest.mark.parametrize("name", NAMES)
def test_program_on_the_shim_prints_what_it_prints_on_the_real_server(
    name: str, tmp_path: Path, temporal_address: str
) -> None:
    original = start(name, tmp_path / "original", {"TEMPORAL_ADDRESS": temporal_address}, changed=False)
    shim = start(name, tmp_path / "shim", {"RESONATE_URL": f"sqlite:///{tmp_path / 'shim.db'}"}, changed=True)
    try:
        assert lines(shim) == lines(original)
    finally:
        shim.stop()
        original.stop()
