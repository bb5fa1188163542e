"""Official SDKs on our server: their own programs, their functions called by ours, ours called by theirs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from resonate_core import Resonate, durable
from resonate_core.clock import SystemClock
from resonate_core.network.local_server import LocalServer
from resonate_core.retry import Never
from resonate_core.serve.runner import BackgroundServer
from resonate_core.store.memory import MemoryStore
from tests.interop import peers
from tests.programs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.programs import Program

PEERS = {"python": peers.python_peer, "typescript": peers.typescript_peer}


@durable(name="our_flow")
def our_flow(ctx, number):
    doubled = yield ctx.run(lambda n: n * 2, number)
    yield ctx.sleep(0.1)
    return doubled + 1


@durable(name="our_failure")
def our_failure(ctx, what):
    yield ctx.run(refuse, what).options(retry_policy=Never())


def refuse(what):
    raise ValueError(f"cannot {what}")


@durable(name="calls_peer")
def calls_peer(ctx, group, number):
    value = yield ctx.rpc("flow", number).options(target=group)
    try:
        yield ctx.rpc("fails", "fly").options(target=group)
    except Exception as error:
        return [value, str(error)]
    return [value, "no error"]


@contextlib.contextmanager
def serving() -> Iterator[str]:
    server = LocalServer(MemoryStore(), SystemClock(), retry_ms=500)
    try:
        with BackgroundServer(server) as background:
            yield background.url
    finally:
        server.close()


@pytest.fixture(params=sorted(PEERS))
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, Program]]:
    """Start a server and a worker on an official SDK; give URL, group and process."""
    command = PEERS[request.param]()
    group = request.param
    with serving() as url:
        program = peers.start_peer(command, url, group, tmp_path)
        try:
            yield url, group, program
        finally:
            program.stop()


def test_official_sdk_on_our_server_runs_its_own_program_and_ours_and_ours_its(peer):
    url, group, program = peer
    with Resonate(url, group="ours") as resonate:
        resonate.register(our_flow, our_failure, calls_peer)
        assert resonate.run("from-ours", calls_peer, group, 4) == [17, "cannot fly"]
        theirs = resonate.options(target=group)
        assert theirs.rpc("from-theirs", "calls_ours", 8) == [17, "cannot swim"]
        with pytest.raises(Exception, match="cannot dance"):
            theirs.rpc("failing", "fails", "dance")
    wait_for(lambda: program.output() == ["21"], "the result of its own program", seconds=10, alive=[program])
