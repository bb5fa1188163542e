"""The DBOS shim beside real DBOS, on SQLite, in one run: ``python tests/benchmarks/dbos_bench.py [--rounds N]``.

Rounds take turns; medians are printed with the ratio and the bound that it has to keep.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.peers.beside import Bound, compare

HERE = Path(__file__).parent / "peers" / "dbos_program.py"
BOUNDS = {
    "steps/s": Bound("times DBOS", 8.0, is_least=True),
    "short workflows/s": Bound("times DBOS", 8.0, is_least=True),
    "enqueue to start ms": Bound("of DBOS", 1 / 20, is_least=False),
    "send to result ms": Bound("of DBOS", 1 / 20, is_least=False),
}

if __name__ == "__main__":
    compare({"dbos": [str(HERE), "dbos"], "shim": [str(HERE), "compat.dbos"]}, BOUNDS, own={"commits/step": 1.05})
