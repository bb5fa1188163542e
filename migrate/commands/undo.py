"""Take the newest run back."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.commands.output import display_root
from migrate.write import undo


def undo_command(path: Path) -> int:
    """Restore the files of the newest run."""
    restored = undo(path.absolute())
    for name in restored:
        click.echo(display_root(Path(name)))
    click.echo(f"{len(restored)} files are as they were")
    return 0
