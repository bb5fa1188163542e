"""The Temporal shim beside a tuned Temporal dev server on SQLite, in one run: ``temporal_bench.py [--rounds N]``.

Rounds take turns; medians are printed with the ratio and the bound that it has to keep. Recovery is that of a workflow
with 1,000 steps (the server's with 300, scaled) after SIGKILL of its worker.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.peers.beside import Bound, compare
from tests.differential.originals import free_port, temporal_program

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "peers" / "temporal_program.py"
TUNED = ("--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000", "--sqlite-pragma", "journal_mode=WAL")
BOUNDS = {
    "activities/s": Bound("times Temporal", 10.0, is_least=True),
    "short workflows/s": Bound("times Temporal", 10.0, is_least=True),
    "fan-out activities/s": Bound("times Temporal", 5.0, is_least=True),
    "signal to result ms": Bound("of Temporal", 1 / 4, is_least=False),
    "update to reply ms": Bound("of Temporal", 1 / 4, is_least=False),
}
OWN = {"recovery of 1,000 steps s": 1.0, "suspended workflow KiB": 10.0}


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a dev server on its file and give its address; it is ended by its own process."""
    port = str(free_port())
    command = [temporal_program(), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port]
    options = ["--db-filename", str(folder / "temporal.db"), "--log-level", "error", *TUNED]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            address = f"127.0.0.1:{port}"
            probe = [temporal_program(), "operator", "namespace", "describe", "default", "--address", address]
            while subprocess.run(probe, capture_output=True, check=False).returncode:
                if process.poll() is not None:
                    raise RuntimeError((folder / "server.log").read_text())
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address:
        compare(
            {"temporal": [str(HERE), "temporalio", address], "shim": [str(HERE), "compat.temporal", "localhost:7233"]},
            BOUNDS,
            own=OWN,
        )
