"""``python -m compat.dbos program.py``: run an unmodified DBOS program on Resonate."""

from __future__ import annotations

from compat.dbos.swap import swap
from compat.program import run_program


def main() -> None:
    """Swap dbos for the shim and run the program."""
    run_program("compat.dbos", swap)


if __name__ == "__main__":
    main()
