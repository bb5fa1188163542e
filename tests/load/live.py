"""A server as a process, for a while."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import programs
from tests.load import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 30


@dataclass(frozen=True)
class Live:
    """Where it is."""

    url: str


@contextlib.contextmanager
def real_server(folder: Path) -> Iterator[Live]:
    """Run the server that this run is about, on a fresh file."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    process = programs.launch(servers.command(port), folder=folder, env={}, name="server", logs=folder)
    try:
        programs.wait_for(lambda: servers.is_up(url), "server", seconds=SECONDS, alive=[process])
        yield Live(url)
    finally:
        process.stop()
