"""Run the public samples of Temporal's Python SDK before and after their migration, and compare what they print.

Run: python -m tests.differential.samples CHECKOUT [NAME...]
CHECKOUT is a copy of the repository temporalio/samples-python on this machine; nothing is fetched and nothing in it is
changed. A sample is a program with its own worker, or a folder with a worker and a starter. Each runs on a real dev
server, then in a migrated copy on Resonate, where it may be on the shim (tier compat). What needs another service or
package, or never ends by itself, is named with the reason.
"""

from __future__ import annotations

import difflib
import re
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migrate.findings import TIERS
from tests import programs
from tests.differential import originals
from tests.differential.sides import CORE_LOG, CRASHES_AT_EXIT, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

END_SECONDS: Final = 40.0
AT_ONCE: Final = 3
CLIENTS: Final = ("starter.py", "run_workflow.py")
WORKERS: Final = ("worker.py", "run_worker.py")
#: Where samples connect if nothing says otherwise.
DEFAULT_ADDRESS: Final = "localhost:7233"
#: What differs from run to run, with what stands for it.
CHANGING: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"0x[0-9a-f]+"), "<address>"),
    (re.compile(r"(?i)\bpid[ :]\d+"), "<process>"),
)
#: What the client of a sample is started with.
ARGUMENTS: Final[Mapping[str, list[str]]] = {"hello/hello_patch": ["v3"]}


@dataclass(frozen=True)
class Sample:
    """One sample: the folder or file to copy, and what starts it."""

    name: str
    source: Path
    worker: str | None
    client: str


@dataclass(frozen=True)
class Verdict:
    """What became of one sample."""

    sample: str
    outcome: str
    tier: str = ""
    why: str = ""


def find(checkout: Path) -> Iterator[Sample]:
    """Yield every sample that can be started."""
    for path in sorted((checkout / "hello").glob("hello_*.py")):
        yield Sample(f"hello/{path.stem}", path, None, f"hello.{path.stem}")
    for folder in sorted({path.parent for name in CLIENTS for path in checkout.rglob(name)}):
        name = folder.relative_to(checkout).as_posix()
        module = name.replace("/", ".")
        client = next(one for one in CLIENTS if (folder / one).exists())
        worker = next((one for one in WORKERS if (folder / one).exists()), None)
        if not name.startswith(("tests", ".")):
            yield Sample(name, folder, worker and f"{module}.{worker[:-3]}", f"{module}.{client[:-3]}")


def lay_out(sample: Sample, checkout: Path, folder: Path, address: str) -> Path:
    """Copy a sample to where its imports find it, and let it connect to an address of ours."""
    target = folder / sample.source.relative_to(checkout)
    target.parent.mkdir(parents=True)
    if sample.source.is_dir():
        shutil.copytree(sample.source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(sample.source, target)
    for parent in target.parents:
        if parent != folder and parent.is_relative_to(folder):
            (parent / "__init__.py").touch()
    for path in folder.rglob("*.py"):
        path.write_text(path.read_text().replace(DEFAULT_ADDRESS, address))
    return folder


def run(sample: Sample, folder: Path, env: Mapping[str, str]) -> list[str]:
    """Start worker and client, and return what the client prints."""
    logs = folder.parent
    common = {"folder": folder, "env": env, "logs": logs}
    worker = programs.start(["-m", sample.worker], name=f"{folder.name}-worker", **common) if sample.worker else None
    command = ["-m", sample.client, *ARGUMENTS.get(sample.name, [])]
    client = programs.start(command, name=f"{folder.name}-client", **common)
    try:
        alive = [one for one in (worker, client) if one is not None]
        programs.wait_for(client.has_ended, "end", seconds=END_SECONDS, alive=alive[:1])
        printed = client.wait(1, forgiven_codes=CRASHES_AT_EXIT)
    finally:
        client.kill()
        if worker is not None:
            worker.stop()
    return [_steady(line) for line in printed if CORE_LOG not in line]


def _steady(line: str) -> str:
    for pattern, stands_for in CHANGING:
        line = pattern.sub(stands_for, line)
    return line


def compare(sample: Sample, checkout: Path, folder: Path) -> Verdict:
    """Run one sample before and after, and say what came of it."""
    folder.mkdir()
    try:
        with originals.temporal_server(folder) as address:  # its own: samples use the same ids
            before = run(sample, lay_out(sample, checkout, folder / "before", address), {"TEMPORAL_ADDRESS": address})
    except (RuntimeError, TimeoutError) as problem:
        return Verdict(sample.name, "not applicable", why=_last_line(problem))
    after_folder = lay_out(sample, checkout, folder / "after", address)
    tier, reason = "", ""
    try:
        report = migrate(after_folder, "temporal")
        tier, reason = _tier(report)
        after = run(sample, after_folder, {"RESONATE_URL": f"sqlite:///{folder / 'after.db'}"})
    except (RuntimeError, TimeoutError) as problem:
        return Verdict(sample.name, "differs", tier, f"{reason}\n{problem}")
    if after == before:
        return Verdict(sample.name, "same", tier, reason)
    changes = difflib.unified_diff(before, after, "before", "after", n=1, lineterm="")
    return Verdict(sample.name, "differs", tier, "\n".join([reason, *changes]))


def _tier(report: Mapping[str, Any]) -> tuple[str, str]:
    """Return the worst tier of a sample, and why a workflow is not rewritten."""
    tiers = [workflow["tier"] for workflow in report["workflows"]]
    kept = [finding for finding in report["findings"] if finding["code"] in ("RM013", "RM014", "RM012")]
    return max(tiers, key=TIERS.index, default="none"), kept[0]["message"] if kept else ""


def _last_line(problem: Exception) -> str:
    lines = [line for line in str(problem).splitlines() if line.strip() and not line.startswith("---")]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (named or lines or ["no reason"])[-1][:160]


def main(checkout: Path, names: list[str]) -> int:
    """Print one line per sample, the differences below, and the counts."""
    samples = [one for one in find(checkout) if not names or one.name in names]
    folder = Path(tempfile.mkdtemp(prefix="samples-"))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(compare, one, checkout, folder / str(number)) for number, one in enumerate(samples)]
            verdicts = [job.result() for job in jobs]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for one in verdicts:
        print(f"{one.sample:50} {one.outcome:15} {one.tier:10} {one.why.splitlines()[0] if one.why else ''}")
    for one in verdicts:
        if one.outcome == "differs":
            print(f"\n== {one.sample} ({one.tier})\n{one.why}")
    print("\n" + ", ".join(f"{count} {what}" for what, count in Counter(one.outcome for one in verdicts).items()))
    return 1 if any(one.outcome == "differs" for one in verdicts) else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("say where the checkout of temporalio/samples-python lies")
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
