"""What every test needs: the repository's root on the import path, so that tests share helpers by full name."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.patience import start_patiently  # noqa: E402 - the path above is what finds it

start_patiently()


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate", action="store_true", help="rewrite the expected side of golden cases, for review in the diff"
    )
    parser.addoption("--seeds", type=int, default=None, help="how many seeds each random run takes")
    parser.addoption("--seed", type=int, default=1, help="the first seed of random runs")
