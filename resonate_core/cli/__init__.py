"""The command line ``resonate-core``: one module for each command, imported when it is asked for.

A module of this package whose name does not begin with an underscore is a command; its ``command`` is a click command.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import cast

import click

from resonate_core.errors import ResonateCoreError


class _Commands(click.Group):
    """Finds commands among the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        names = [module.name for module in pkgutil.iter_modules(__path__)]
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast("click.Command", import_module(f"{__name__}.{cmd_name}").command)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ResonateCoreError as error:
            raise click.ClickException(str(error)) from error


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Serve and look into what Resonate keeps: durable promises, executions, schedules."""
