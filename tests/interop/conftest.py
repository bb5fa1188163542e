"""Servers to run the same programs on: all fakes, our own, and a real one if RESONATE_TEST_URL names it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from resonate_core.clock import SystemClock
from resonate_core.network.local_server import LocalServer
from resonate_core.serve.runner import BackgroundServer
from resonate_core.store.memory import MemoryStore
from tests.interop.fakes import fake

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL = os.environ.get("RESONATE_TEST_URL")


@contextlib.contextmanager
def own() -> Iterator[str]:
    """Serve a store in memory."""
    server = LocalServer(MemoryStore(), SystemClock(), retry_ms=500)
    try:
        with BackgroundServer(server) as background:
            yield background.url
    finally:
        server.close()


@pytest.fixture(
    scope="module",
    params=[
        "fake-R",
        "fake-M",
        "fake-C",
        "fake-P",
        "serve",
        *([pytest.param("real", marks=pytest.mark.server)] if REAL else []),
    ],
)
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a server; one server for a module."""
    if request.param == "real":
        yield str(REAL)
    elif request.param == "serve":
        with own() as url:
            yield url
    else:
        with fake(request.param[-1]) as server:
            yield server.url
