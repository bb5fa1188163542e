"""``resonate-core serve``: the embedded server on HTTP."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_core.clock import SystemClock
from resonate_core.limits import RETRY_MS
from resonate_core.network.local_server import LocalServer
from resonate_core.serve.runner import check_exposure, serving
from resonate_core.store.memory import MemoryStore

if TYPE_CHECKING:
    from resonate_core.store.port import Store

_log = logging.getLogger("resonate_core")


@click.command("serve")
@click.option("--db", default="resonate.db", show_default=True, help="SQLite file, or memory: to keep nothing.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--token", envvar="RESONATE_TOKEN", help="Answer only who knows it (environment: RESONATE_TOKEN).")
@click.option("--open", "is_open", is_flag=True, help="Serve other machines without a token.")
@click.option(
    "--synchronous",
    type=click.Choice(["FULL", "NORMAL"]),
    default="FULL",
    show_default=True,
    help="FULL survives a power cut, NORMAL a killed process.",
)
@click.option(
    "--retry-ms",
    default=RETRY_MS,
    show_default=True,
    type=click.IntRange(1),
    help="A task that nobody took is offered again after this.",
)
@click.option(
    "--log-level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"])
)
def command(
    db: str,
    host: str,
    port: int,
    token: str | None,
    *,
    is_open: bool,
    synchronous: str,
    retry_ms: int,
    log_level: str,
) -> None:
    """Serve durable promises to workers and clients on this and other machines.

    Speaks the Resonate protocol: programs connect with Resonate("http://HOST:PORT"), official SDKs in any language with
    the same URL. A request may have 2 MiB. Stop it with Ctrl-C or SIGTERM; what is under way is answered first.
    """
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    check_exposure(host, token, is_open=is_open)
    server = LocalServer(_store(db, synchronous), SystemClock(), retry_ms=retry_ms)
    try:
        asyncio.run(_run(server, host, port, token, db))
    finally:
        server.close()


def _store(db: str, synchronous: str) -> Store:
    if db in ("memory:", ":memory:"):
        return MemoryStore()
    from resonate_core.store.sqlite import SqliteStore  # noqa: PLC0415 - a build of Python without sqlite3 has memory:

    return SqliteStore(Path(db).expanduser().resolve(), synchronous="NORMAL" if synchronous == "NORMAL" else "FULL")


async def _run(server: LocalServer, host: str, port: int, token: str | None, db: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with serving(server, host, port, token) as url:
        click.echo(f"serving {db} on {url}")
        await stop.wait()
        _log.info("stopping")
