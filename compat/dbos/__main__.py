"""``python -m compat.dbos program.py``: run an unmodified DBOS program on Resonate."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from compat.dbos.swap import swap

_USAGE = "usage: python -m compat.dbos (PROGRAM.py | -m MODULE) [ARGUMENTS...]"


def main() -> None:
    """Swap dbos for the shim, then run the program as Python would."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(f"{_USAGE}\n")
        return
    if not arguments or (arguments[0] == "-m" and len(arguments) < 2):
        sys.exit(_USAGE)
    swap()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    program = Path(arguments[0])
    if not program.exists():
        sys.exit(f"{_USAGE}\nthere is no file {program}")
    sys.argv = arguments
    sys.path[0] = str(program.resolve().parent)
    runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main()
