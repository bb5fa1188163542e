"""Puts the shim in temporalio's place for a whole process: its own module objects get the shim's few other names."""

from __future__ import annotations

import importlib
from typing import Final

#: What differs on Resonate, by module: everything else is temporalio's own.
DIFFERENT: Final = {
    "client": ("Client",),
    "worker": ("Worker",),
    "testing": ("WorkflowEnvironment",),
}


def swap() -> None:
    """Let ``from temporalio.client import Client`` and the like give the shim's."""
    for module, names in DIFFERENT.items():
        original = importlib.import_module(f"temporalio.{module}")
        shim = importlib.import_module(f"compat.temporal.{module}")
        for name in names:
            setattr(original, name, getattr(shim, name))
