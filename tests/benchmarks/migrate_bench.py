"""What a dry run costs in processor time, as a multiple of a bare libcst parse of the files it rewrites.

Run: python tests/benchmarks/migrate_bench.py [COPIES]
The project is made of copies of the demo programs, each in a directory of its own, padded with files that never name
the SDK. Small dense projects, where nearly every line changes, are the programs of the differential tests. The bound of
the design is 4.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import libcst

from migrate.run import run, scan
from migrate.settings import Settings

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
DENSE = DEMO.parent / "differential"
ROUNDS = 3
BOUND = 4.0


def make_project(folder: Path, source: str, copies: int) -> None:
    for number in range(copies):
        shutil.copytree(DEMO / source, folder / f"copy{number:04}")
        (folder / f"copy{number:04}" / "plain.py").write_text(
            "import os\n\n\ndef here():\n    return os.getcwd()\n" * 20
        )


def cpu(work) -> tuple[float, object]:
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return best, result


def measure(folder: Path, source: str, kind: str) -> float:
    """Print what a dry run of a folder costs; return it as a multiple of the parse."""
    settings = Settings((folder,), source, jobs=1)
    spent, result = cpu(lambda: run(settings))
    planned, _ = cpu(lambda: scan(settings))
    texts = [one.old for one in result.report.changed]
    floor, _ = cpu(lambda: [libcst.parse_module(text) for text in texts])
    lines = sum(text.count("\n") for text in texts)
    numbers = f"dry run {spent:.2f} s, scan {planned:.2f} s, libcst parse {floor:.2f} s"
    size = f"{len(texts)} of {len(result.report.files)} files, {lines} lines"
    print(f"{source} {kind}: {size}: {numbers}, {spent / floor:.2f} times")
    return spent / floor


def main(copies: int) -> int:
    worst = 0.0
    for source in ("temporal", "dbos"):
        with tempfile.TemporaryDirectory() as name:
            make_project(Path(name), source, copies)
            worst = max(worst, measure(Path(name), source, "demo"))
        with tempfile.TemporaryDirectory() as name:
            shutil.copytree(DENSE / source, Path(name) / "dense")
            worst = max(worst, measure(Path(name), source, "dense"))
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 30))
