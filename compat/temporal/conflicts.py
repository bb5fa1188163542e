"""A project of the user's may have its own package called ``compat``: say so by name, never import the wrong one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

_OURS: Final = Path(__file__).resolve().parent.parent


def find_other(paths: list[str]) -> Path | None:
    """Return another package or module called ``compat`` that lies on an import path, outside installed packages."""
    for entry in paths:
        folder = Path(entry or ".").resolve()
        if "site-packages" in folder.parts or "dist-packages" in folder.parts:
            continue
        for candidate in (folder / "compat" / "__init__.py", folder / "compat.py"):
            if candidate.exists() and candidate.parent != _OURS:
                return candidate
    return None


def refuse_other() -> None:
    """Raise where ``import compat`` would mean two things.

    Raises:
        ImportError: naming both.
    """
    other = find_other(sys.path)
    if other is not None:
        raise ImportError(
            f"two packages are called 'compat': {other} of your project and {_OURS} of resonate-migrate; "
            "rename yours, or keep this module on its original import",
            name="compat",
        )
