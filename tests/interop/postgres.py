"""A PostgreSQL for some tests: a fresh cluster in a folder of its own, on one port of loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load.servers import free_port
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Where Debian and its children put the programs that no user starts by hand.
_DEBIAN = Path("/usr/lib/postgresql")
SECONDS = 30


def programs() -> Path:
    """Return the folder with initdb and postgres, the newest there is; without one the test ends."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    newest = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if not newest:
        missing("PostgreSQL")
    return newest[-1].parent


def _owner() -> str | None:
    """Return who runs the server: PostgreSQL refuses root."""
    return "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


@contextlib.contextmanager
def database(sql_file: Path) -> Iterator[str]:
    """Serve a database to which a file was applied; yields its URL."""
    binaries, owner = programs(), _owner()
    folder = Path(tempfile.mkdtemp(prefix="resonate-pg-"))
    if owner is not None:
        shutil.chown(folder, owner)
    port = free_port()
    try:
        _run([binaries / "initdb", "-D", folder / "data", "-U", "tester", "--auth=trust", "--no-sync"], owner)
        options = ["-D", folder / "data", "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(list(map(str, [binaries / "postgres", *options])), stderr=log, user=owner)
        try:
            psql = [binaries / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "tester", "-d", "postgres"]
            _wait([*psql, "-c", "select 1"])
            _run([*psql, "-v", "ON_ERROR_STOP=1", "-q", "-f", sql_file], None)
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[str | Path], owner: str | None) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, user=owner, cwd="/")
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def _wait(command: Sequence[str | Path]) -> None:
    ends = time.monotonic() + SECONDS
    while subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < ends, "PostgreSQL did not start"
        time.sleep(0.1)
