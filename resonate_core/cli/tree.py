"""``resonate-core tree ID``: what an execution has called, and what came of it."""

from __future__ import annotations

import json

import click

from resonate_core.cli._client import json_option, opened, url_option

_MARKS = {"pending": "…", "resolved": "✓", "rejected": "✗", "rejected_canceled": "⊘", "rejected_timedout": "⌛"}


@click.command("tree")
@click.argument("execution_id")
@url_option
@json_option
def command(execution_id: str, url: str | None, *, as_json: bool) -> None:
    """Show the tree of an execution."""
    with_client = opened(url)
    try:
        root = with_client.tree(execution_id)
    finally:
        with_client.stop()
    for depth, node in root.walk():
        if as_json:
            line = {"id": node.id, "depth": depth, "name": node.name, "state": node.state}
            click.echo(json.dumps({**line, "created_at": node.created_at, "settled_at": node.settled_at}))
            continue
        spent = "" if node.settled_at is None else f"  {node.settled_at - node.created_at:.3f} s"
        click.echo(f"{'  ' * depth}{_MARKS.get(node.state, '?')} {node.name or '-'}  {node.id}{spent}")
