"""``resonate-migrate``: the entry point. It imports click and nothing heavier, so that ``--help`` is immediate."""

from __future__ import annotations

import sys

import click

from migrate.cli import root
from migrate.errors import MigrateError


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
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
