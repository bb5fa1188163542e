"""``resonate-core promises``: durable promises as such."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from resonate_core.cli._client import instant, json_option, opened, print_rows, shown, url_option

if TYPE_CHECKING:
    from resonate_core.protocol.records import PromiseRecord

_STATES = ("pending", "resolved", "rejected", "rejected_canceled", "rejected_timedout")


@click.group("promises")
def command() -> None:
    """Look at promises and settle them."""


@command.command("get")
@click.argument("promise_id")
@url_option
def get(promise_id: str, url: str | None) -> None:
    """Show one promise as JSON."""
    client = opened(url)
    try:
        click.echo(json.dumps(_plain(client.promises.get(promise_id)), indent=2))
    finally:
        client.stop()


def _settling(state: str, help_text: str) -> click.Command:
    @click.command(state, help=help_text)
    @click.argument("promise_id")
    @click.argument("data", required=False)
    @url_option
    def settle(promise_id: str, data: str | None, url: str | None) -> None:
        client = opened(url)
        try:
            record = getattr(client.promises, state)(promise_id, data=data)
        finally:
            client.stop()
        click.echo(f"{record.id} is {record.state} with {shown(record.value)}")

    return settle


command.add_command(_settling("resolve", "Resolve a promise with DATA, JSON text; one that is settled stays as it is."))
command.add_command(_settling("reject", "Reject a promise with DATA, JSON text; one that is settled stays as it is."))


@command.command("search")
@click.option("--state", type=click.Choice(_STATES), help="Only promises in this state.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="Only promises with this tag; repeatable.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@url_option
@json_option
def search(state: str | None, tags: tuple[str, ...], limit: int, url: str | None, *, as_json: bool) -> None:
    """List promises by state and tags, ordered by id."""
    client = opened(url)
    try:
        found = client.promises.search(state=state, tags=parsed_tags(tags), limit=limit)
    finally:
        client.stop()
    if as_json:
        for record in found:
            click.echo(json.dumps(_plain(record)))
        return
    rows = [(r.id, r.state, instant(r.created_at / 1000), shown(r.value)[:60]) for r in found]
    print_rows(("ID", "STATE", "CREATED (UTC)", "VALUE"), rows)


def parsed_tags(tags: tuple[str, ...]) -> dict[str, str]:
    """Return tags given as NAME=VALUE.

    Raises:
        BadParameter: no equals sign.
    """
    for tag in tags:
        if "=" not in tag:
            raise click.BadParameter(f"expected NAME=VALUE, got {tag!r}", param_hint="--tag")
    return dict(tag.split("=", 1) for tag in tags)


def _plain(record: PromiseRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": record.state,
        "created_at": instant(record.created_at / 1000),
        "timeout_at": instant(record.timeout_at / 1000),
        "settled_at": instant(None if record.settled_at is None else record.settled_at / 1000),
        "param": shown(record.param),
        "value": shown(record.value),
        "tags": record.tags,
    }
