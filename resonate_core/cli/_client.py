"""What the commands share: which store, and how values are shown."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import click

from resonate_core.client.resonate import Resonate
from resonate_core.codec import Codec
from resonate_core.errors import ResonateCoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.protocol.records import Value

#: ``--url``, understood like ``Resonate(url)``.
url_option: Callable[[Any], Any] = click.option(
    "--url", help="Store: sqlite:///FILE or http://HOST:PORT; else RESONATE_URL, else sqlite:///resonate.db."
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, one object a line."
)


def opened(url: str | None) -> Resonate:
    """Return a client of the store; it runs nothing."""
    return Resonate(url)


def instant(seconds: float | None) -> str:
    """Return a time as text, UTC; a dash for none."""
    if seconds is None:
        return "-"
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def shown(value: Value) -> str:
    """Return a stored value as JSON text, as far as it can be read without the program's classes and keys."""
    if not value.data:
        return "null"
    try:
        return json.dumps(Codec().decode_value(value), default=repr, ensure_ascii=False)
    except ResonateCoreError as error:
        return f"<{error}>"


def print_rows(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns, each as wide as its longest cell."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
