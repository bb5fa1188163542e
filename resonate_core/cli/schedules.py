"""``resonate-core schedules``: list and delete them."""

from __future__ import annotations

import json

import click

from resonate_core.cli._client import instant, json_option, opened, print_rows, url_option


@click.group("schedules")
def command() -> None:
    """List schedules and delete them."""


@command.command("list")
@url_option
@json_option
def list_(url: str | None, *, as_json: bool) -> None:
    """List schedules, ordered by id."""
    client = opened(url)
    try:
        found = client.schedules.search()
    finally:
        client.stop()
    if as_json:
        for one in found:
            line = {"id": one.id, "cron": one.cron, "promise_id": one.promise_id, "next_run_at": one.next_run_at}
            click.echo(json.dumps({**line, "last_run_at": one.last_run_at}))
        return
    rows = []
    for one in found:
        last = None if one.last_run_at is None else one.last_run_at / 1000
        rows.append((one.id, one.cron, instant(one.next_run_at / 1000), instant(last)))
    print_rows(("ID", "CRON", "NEXT (UTC)", "LAST (UTC)"), rows)


@command.command("delete")
@click.argument("schedule_id")
@url_option
def delete(schedule_id: str, url: str | None) -> None:
    """Delete a schedule; what it has started goes on."""
    client = opened(url)
    try:
        client.schedules.delete(schedule_id)
    finally:
        client.stop()
    click.echo(f"{schedule_id} was deleted")
