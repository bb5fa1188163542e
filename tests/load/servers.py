"""Servers to put under load, by command: our own, or the binary that RESONATE_TEST_SERVER names."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request

SERVER_VARIABLE = "RESONATE_TEST_SERVER"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_command(port: int) -> list[str]:
    """Return the command of our server on a file in its working folder."""
    program = "from resonate_core.cli import main; main()"
    return [sys.executable, "-c", program, "serve", "--db", "load.db", "--port", str(port), "--log-level", "warning"]


def real_command(binary: str, port: int) -> list[str]:
    """Return the command of a Resonate Server on a file in its working folder."""
    settings = ["--server-bind", "127.0.0.1", "--server-port", str(port), "--observability-metrics-port", "0"]
    return [binary, "serve", *settings, "--tasks-retry-timeout", "1000"]


def command(port: int) -> list[str]:
    """Return the command of the server that this run is about."""
    binary = os.environ.get(SERVER_VARIABLE)
    return own_command(port) if binary is None else real_command(binary, port)


def is_up(url: str) -> bool:
    """Say whether a server answers."""
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
