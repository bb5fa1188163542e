"""Load with losses: ``python tests/benchmarks/load_bench.py [--executions N] [--kill-every SECONDS]``.

Four workers, 10,000 executions of five steps, one worker killed every few seconds, the server killed and started again
once. It fails unless all executions finish and every step is recorded once. The server is ``resonate-core serve``, or
the Resonate Server whose binary RESONATE_TEST_SERVER names.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.load import crowd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="of a store that is there; without one a server is started")
    options = parser.parse_args()
    plan = crowd.Plan(options.executions, options.workers, options.kill_every, seed=options.seed, url=options.url)
    with tempfile.TemporaryDirectory() as folder:
        print(crowd.run(plan, Path(folder)))


if __name__ == "__main__":
    main()
