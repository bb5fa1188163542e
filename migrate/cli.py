"""The command line: options and subcommands. What they do is imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

#: Words that are subcommands; anything else is a path or an option of the migration itself.
SUBCOMMANDS: Final = ("scan", "explain", "rules", "todo", "undo", "report")
_TIERS: Final = ("idiomatic", "helper", "compat", "manual")
_PATHS: Final = click.Path(path_type=Path)


class _Root(click.Group):
    """A group whose first word need not be a command: then it migrates."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_for_group = bool(args) and args[0] in ("--help", "-h", "--version")
        if not asks_for_group and (not args or args[0] not in SUBCOMMANDS):
            args = ["migrate", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        migrate.format_options(click.Context(migrate, parent=ctx), formatter)
        with formatter.section("Subcommands"):
            visible = [(name, self.commands[name]) for name in SUBCOMMANDS]
            formatter.write_dl([(name, command.get_short_help_str(60)) for name, command in visible])

    def format_usage(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("resonate-migrate", "[PATHS]... [OPTIONS]")
        formatter.write_usage("resonate-migrate", f"[{'|'.join(SUBCOMMANDS)}] ...", prefix="       ")


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version  # noqa: PLC0415 - costs more than the rest of --help

        click.echo(f"resonate-migrate {version('resonate-migrate')}")
        ctx.exit()


@click.group(
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Rewrite a Temporal or DBOS project into Resonate generator code.",
)
@click.option("--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show the version.")
def root() -> None:
    """Do nothing by itself: a subcommand follows."""


def _common(function: Any) -> Any:
    options = [
        click.argument("paths", nargs=-1, type=_PATHS),
        click.option(
            "--from",
            "source",
            metavar="temporal|dbos|auto",
            help="SDK to migrate from. [default: auto, by the imports]",
        ),
        click.option("--max-tier", type=click.Choice(_TIERS), help="Leave workflows that need more. [default: compat]"),
        click.option(
            "--select",
            multiple=True,
            metavar="CODE",
            help="Only what needs rules of these codes, such as RM1 or RM120.",
        ),
        click.option(
            "--ignore",
            multiple=True,
            metavar="CODE",
            help="Leave what needs rules of these codes; hide their findings.",
        ),
        click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave these files out, as in .gitignore."),
        click.option(
            "--report", multiple=True, type=_PATHS, metavar="FILE", help="Write a report: .html, .md, .json or .sarif."
        ),
        click.option(
            "--format",
            "output",
            type=click.Choice(["text", "json"]),
            default="text",
            help="What goes to standard output.",
        ),
        click.option(
            "--jobs", type=click.IntRange(min=1), help="Processes to rewrite with. [default: number of cores]"
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@root.command("migrate", hidden=True, context_settings={"help_option_names": ["-h", "--help"]})
@_common
@click.option("--dry-run", is_flag=True, help="Show the diff and the summary, write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if there is something to do.")
@click.option("--allow-dirty", is_flag=True, help="Write although git has uncommitted changes.")
@click.option("--interactive", is_flag=True, help="Show each group of files and ask.")
def migrate(**options: Any) -> int:
    """Rewrite a project. Without a path: the current directory."""
    from migrate.commands.migrate import migrate_command  # noqa: PLC0415 - keeps --help fast

    return migrate_command(**options)


@root.command()
@_common
def scan(**options: Any) -> int:
    """List workflows with their tier, and what a person would have to do; change nothing."""
    from migrate.commands.scan import scan_command  # noqa: PLC0415 - keeps --help fast

    return scan_command(**options)


@root.command()
@click.argument("code")
def explain(code: str) -> int:
    """Explain one code, such as RM130."""
    from migrate.commands.rules import explain_command  # noqa: PLC0415 - keeps --help fast

    return explain_command(code)


@root.command()
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text")
def rules(output: str) -> int:
    """List all codes."""
    from migrate.commands.rules import rules_command  # noqa: PLC0415 - keeps --help fast

    return rules_command(output)


@root.command()
@click.argument("paths", nargs=-1, type=_PATHS)
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text")
def todo(paths: tuple[Path, ...], output: str) -> int:
    """List the markers that migrations left in the code."""
    from migrate.commands.todo import todo_command  # noqa: PLC0415 - keeps --help fast

    return todo_command(paths, output)


@root.command()
@click.argument("path", type=_PATHS, default=".")
def undo(path: Path) -> int:
    """Take the newest run back."""
    from migrate.commands.undo import undo_command  # noqa: PLC0415 - keeps --help fast

    return undo_command(path)


@root.command()
@click.argument("file", type=_PATHS, required=False)
@click.option(
    "--output", "-o", "outputs", multiple=True, type=_PATHS, metavar="FILE", help=".html, .md, .json or .sarif."
)
def report(file: Path | None, outputs: tuple[Path, ...]) -> int:
    """Render the newest run, or a JSON report, as text or into files."""
    from migrate.commands.report import report_command  # noqa: PLC0415 - keeps --help fast

    return report_command(file, outputs)
