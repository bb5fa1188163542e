"""``python -m compat.temporal program.py``: run an unmodified Temporal program on Resonate."""

from __future__ import annotations

from compat.program import run_program
from compat.temporal.conflicts import refuse_other
from compat.temporal.swap import swap


def main() -> None:
    """Swap temporalio for the shim and run the program."""
    run_program("compat.temporal", swap, check_path=refuse_other)


if __name__ == "__main__":
    main()
