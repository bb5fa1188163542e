"""Running an unmodified program under a shim: what both command lines have in common."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_program"]


def run_program(shim: str, swap: Callable[[], None], *, check_path: Callable[[], None] | None = None) -> None:
    """Swap the original for the shim, then run what the command line names as Python would.

    Args:
        shim: name of the package, for the usage.
        swap: puts the shim in the original's place.
        check_path: called when the program's folder is on the path, before the program.
    """
    usage = f"usage: python -m {shim} (PROGRAM.py | -m MODULE) [ARGUMENTS...]"
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(f"{usage}\n")
        return
    if not arguments or (arguments[0] == "-m" and len(arguments) < 2):
        sys.exit(usage)
    swap()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    program = Path(arguments[0])
    if not program.exists():
        sys.exit(f"{usage}\nthere is no file {program}")
    sys.argv = arguments
    sys.path[0] = str(program.resolve().parent)
    if check_path is not None:
        check_path()
    runpy.run_path(str(program), run_name="__main__")
