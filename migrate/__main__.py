"""``resonate-migrate``: the entry point. It imports click and nothing heavier, so that ``--help`` is immediate."""

from __future__ import annotations

import sys
import traceback
from typing import Final

import click

from migrate.cli import root
from migrate.errors import MigrateError

#: Exit code where the tool itself is at fault; sysexits.h calls it EX_SOFTWARE.
DEFECT: Final = 70


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = root.main(arguments, prog_name="resonate-migrate", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing is half written", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except MigrateError as error:
        click.echo(f"resonate-migrate: {error}", err=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a defect of ours must not look like the user's
        return _defect(error)
    return code if isinstance(code, int) else 0


def _defect(error: Exception) -> int:
    """Say that the fault is ours, where it is, and what it means for the project."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    click.echo(
        f"resonate-migrate: this is a defect of the tool, not of your project: {type(error).__name__}: {error} "
        f"(line {last.lineno} of {last.name}).\nFiles are written one whole group at a time, so none is half "
        "rewritten; what was written before can be taken back with: resonate-migrate undo\n"
        "Please report it with these lines:\n",
        err=True,
    )
    click.echo("".join(traceback.format_exception(error)), err=True)
    return DEFECT


if __name__ == "__main__":
    main()
