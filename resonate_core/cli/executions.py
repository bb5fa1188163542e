"""``resonate-core executions``: list and cancel them."""

from __future__ import annotations

import dataclasses
import json

import click

from resonate_core.cli._client import instant, json_option, opened, print_rows, url_option
from resonate_core.cli.promises import _STATES, parsed_tags


@click.group("executions")
def command() -> None:
    """List executions, cancel or terminate them."""


@command.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only executions in this state.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="Only executions with this tag; repeatable.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@url_option
@json_option
def list_(state: str | None, tags: tuple[str, ...], limit: int, url: str | None, *, as_json: bool) -> None:
    """List executions by state and tags, ordered by id."""
    client = opened(url)
    try:
        found = client.list(state=state, tags=parsed_tags(tags), limit=limit)
    finally:
        client.stop()
    if as_json:
        for one in found:
            click.echo(json.dumps(dataclasses.asdict(one)))
        return
    rows = [
        (one.promise_id, one.function or "-", one.state, instant(one.created_at), instant(one.settled_at))
        for one in found
    ]
    print_rows(("ID", "FUNCTION", "STATE", "STARTED (UTC)", "ENDED (UTC)"), rows)


@command.command("cancel")
@click.argument("execution_id")
@click.option("--reason", default="cancelled from the command line", show_default=True)
@click.option("--terminate", is_flag=True, help="End it at once: no clean-up runs.")
@url_option
def cancel(execution_id: str, reason: str, url: str | None, *, terminate: bool) -> None:
    """Ask an execution to cancel; its clean-up runs."""
    client = opened(url)
    try:
        state = client.describe(execution_id).state
        if state == "pending" and terminate:
            client.terminate(execution_id, reason)
        elif state == "pending":
            client.cancel(execution_id, reason)
    finally:
        client.stop()
    if state != "pending":
        raise click.ClickException(f"{execution_id} has finished already: {state}")
    click.echo(f"{execution_id} was {'terminated' if terminate else 'asked to cancel'}")
