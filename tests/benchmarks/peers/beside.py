"""Runs an original and a shim by turns and compares the medians of what they print."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Bound:
    """What the ratio of the shim's figure to the original's has to keep."""

    words: str
    value: float
    is_least: bool

    def is_kept(self, ratio: float) -> bool:
        """Say whether a ratio keeps it."""
        return ratio >= self.value if self.is_least else ratio <= self.value


def compare(
    sides: Mapping[str, Sequence[str]],
    bounds: Mapping[str, Bound],
    *,
    own: Mapping[str, float] | None = None,
    env: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Run each side once a round, the original first; print medians, ratios and what misses its bound.

    Args:
        sides: name -> arguments of Python; the first is the original, the second the shim.
        bounds: figure -> bound of its ratio.
        own: figure of the shim alone -> the most it may be.
        env: name of a side -> variables.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[str, dict[str, list[float]]] = {side: defaultdict(list) for side in sides}
    for number in range(rounds):
        for side, arguments in sides.items():
            for figure, value in _run(arguments, (env or {}).get(side, {})).items():
                found[side][figure].append(value)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    medians = {side: {name: statistics.median(each) for name, each in seen.items()} for side, seen in found.items()}
    original, shim = sides
    print(f"{'':32}{original:>12}{shim:>12}{'ratio':>10}  bound")
    for figure, bound in bounds.items():
        old, new = medians[original][figure], medians[shim][figure]
        mark = "" if bound.is_kept(new / old) else "  MISSED"
        sign = ">=" if bound.is_least else "<="
        print(f"{figure:32}{old:12.4g}{new:12.4g}{new / old:10.3g}  {sign} {bound.value:.3g} {bound.words}{mark}")
    for figure, most in (own or {}).items():
        value = medians[shim][figure]
        print(f"{figure:32}{'':12}{value:12.4g}{'':10}  <= {most:.4g}{'' if value <= most else '  MISSED'}")


def _run(arguments: Sequence[str], env: Mapping[str, str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        full = {**os.environ, "RESONATE_URL": f"sqlite:///{Path(folder) / 'resonate.db'}", **env}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=full, capture_output=True, text=True, check=False, timeout=600
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        said = done.stdout[-2000:] + done.stderr[-4000:]
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}\n{said}")
    figures: dict[str, float] = json.loads(lines[-1])
    return figures
