"""Puts the shim in dbos's place for a whole process."""

from __future__ import annotations

import importlib
import sys
from typing import Final

#: Public modules of dbos, by their names here.
MODULES: Final = {"dbos": "compat.dbos", "dbos.error": "compat.dbos.error"}


def swap() -> None:
    """Let ``import dbos`` give the shim.

    Raises:
        ImportError: dbos is imported already; a program would use both.
    """
    found = sys.modules.get("dbos")
    if found is not None and found.__name__ != MODULES["dbos"]:
        raise ImportError("dbos is imported already; swap it for compat.dbos before the program's first import")
    for original, ours in MODULES.items():
        sys.modules[original] = importlib.import_module(ours)
