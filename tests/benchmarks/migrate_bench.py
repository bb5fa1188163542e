"""What a dry run costs in processor time, as a multiple of a bare libcst parse of the files it rewrites.

Run: python tests/benchmarks/migrate_bench.py [COPIES]
The project is made of copies of the golden cases that convert, each in a package of its own, padded with files that
never name the SDK. The bound of the design is 4.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import libcst

from migrate.run import run, scan
from migrate.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.golden.cases import all_cases

ROUNDS = 3
BOUND = 4.0


def make_project(folder: Path, source: str, copies: int) -> None:
    cases = [case for case in all_cases() if case.source == source and not case.is_left_alone]
    for number in range(copies):
        case = cases[number % len(cases)]
        package = folder / f"pkg{number:04}"
        for path, data in case.before().items():
            if path.endswith(".py"):
                file = package / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        (package / "plain.py").write_text("import os\n\n\ndef here() -> str:\n    return os.getcwd()\n" * 20)


def cpu(work) -> tuple[float, object]:
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return best, result


def main(copies: int) -> int:
    worst = 0.0
    for source in ("temporal", "dbos"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_project(folder, source, copies)
            settings = Settings((folder,), source, jobs=1)
            spent, result = cpu(lambda settings=settings: run(settings))
            planned, _ = cpu(lambda settings=settings: scan(settings))
            texts = [one.old for one in result.report.changed]
            floor, _ = cpu(lambda texts=texts: [libcst.parse_module(text) for text in texts])
            lines = sum(text.count("\n") for text in texts)
            ratio = spent / floor
            worst = max(worst, ratio)
            numbers = f"dry run {spent:.2f} s, scan {planned:.2f} s, libcst parse {floor:.2f} s"
            size = f"{len(texts)} of {len(result.report.files)} files, {lines} lines"
            print(f"{source}: {size}: {numbers}, {ratio:.2f} times")
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
