"""One Temporal program, timed: ``python temporal_program.py temporalio|compat.temporal ADDRESS``.

Prints one JSON object: what each thing took. The text of the program is the same for both; only the imports differ.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import resource
import signal
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

PACKAGE, ADDRESS = sys.argv[1], sys.argv[2]
IS_SHIM = PACKAGE != "temporalio"
if IS_SHIM:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
if TYPE_CHECKING:
    from temporalio import activity, workflow
    from temporalio.client import Client
    from temporalio.worker import UnsandboxedWorkflowRunner, Worker
else:
    activity = importlib.import_module(f"{PACKAGE}.activity")
    workflow = importlib.import_module(f"{PACKAGE}.workflow")
    Client = importlib.import_module(f"{PACKAGE}.client").Client
    Worker = importlib.import_module(f"{PACKAGE}.worker").Worker
    UnsandboxedWorkflowRunner = importlib.import_module(f"{PACKAGE}.worker").UnsandboxedWorkflowRunner

QUEUE = f"bench-{sys.argv[3] if len(sys.argv) > 4 else os.getpid()}"
LIMIT = timedelta(minutes=5)
STEPS, WIDE, SHORT, SAMPLES, RECOVERED = (1000, 500, 200, 20, 1000) if IS_SHIM else (100, 200, 60, 20, 300)
SUSPENDED = 1000


@activity.defn
async def same(value: int) -> int:
    return value


@workflow.defn
class Sequence:
    @workflow.run
    async def run(self, count: int) -> int:
        for number in range(count):
            await workflow.execute_activity(same, number, start_to_close_timeout=LIMIT)
        return count


@workflow.defn
class Wide:
    @workflow.run
    async def run(self, count: int) -> int:
        calls = [workflow.execute_activity(same, number, start_to_close_timeout=LIMIT) for number in range(count)]
        return sum(await asyncio.gather(*calls))


@workflow.defn
class Gate:
    def __init__(self) -> None:
        self.is_open = False
        self.count = 0

    @workflow.run
    async def run(self, steps: int) -> int:
        for number in range(steps):
            await workflow.execute_activity(same, number, start_to_close_timeout=LIMIT)
        await workflow.wait_condition(lambda: self.is_open)
        return steps

    @workflow.signal
    def open(self) -> None:
        self.is_open = True

    @workflow.update
    def add(self, number: int) -> int:
        self.count += number
        return self.count

    @workflow.query
    def seen(self) -> int:
        return self.count


def worker_of(client: Any, **options: Any) -> Any:
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Sequence, Wide, Gate],
        activities=[same],
        workflow_runner=UnsandboxedWorkflowRunner(),
        **options,
    )


async def sequential(client: Any) -> dict[str, float]:
    await client.execute_workflow(Sequence.run, 20, id=f"warm-{QUEUE}", task_queue=QUEUE)
    start = time.perf_counter()
    await client.execute_workflow(Sequence.run, STEPS, id=f"sequence-{QUEUE}", task_queue=QUEUE)
    return {"activities/s": STEPS / (time.perf_counter() - start)}


async def wide(client: Any) -> dict[str, float]:
    start = time.perf_counter()
    await client.execute_workflow(Wide.run, WIDE, id=f"wide-{QUEUE}", task_queue=QUEUE)
    return {"fan-out activities/s": WIDE / (time.perf_counter() - start)}


async def short(client: Any) -> dict[str, float]:
    places = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with places:
            await client.execute_workflow(Sequence.run, 1, id=f"short-{number}-{QUEUE}", task_queue=QUEUE)

    start = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(SHORT)))
    return {"short workflows/s": SHORT / (time.perf_counter() - start)}


async def told(client: Any) -> dict[str, float]:
    took = []
    for number in range(SAMPLES):
        handle = await client.start_workflow(Gate.run, 0, id=f"gate-{number}-{QUEUE}", task_queue=QUEUE)
        await asyncio.sleep(0.15)  # it waits by now
        result = asyncio.create_task(handle.result())
        await asyncio.sleep(0.02)
        start = time.perf_counter()
        await handle.signal(Gate.open)
        await result
        took.append((time.perf_counter() - start) * 1000)
    return {"signal to result ms": statistics.median(took)}


async def updated(client: Any) -> dict[str, float]:
    handle = await client.start_workflow(Gate.run, 0, id=f"updated-{QUEUE}", task_queue=QUEUE)
    took = []
    for number in range(SAMPLES):
        start = time.perf_counter()
        await handle.execute_update(Gate.add, number)
        took.append((time.perf_counter() - start) * 1000)
    await handle.signal(Gate.open)
    await handle.result()
    return {"update to reply ms": statistics.median(took)}


async def recovered(client: Any) -> dict[str, float]:
    """Kill a worker that waits behind its steps; time how long the next one takes to the result."""
    first = await asyncio.create_subprocess_exec(
        sys.executable, __file__, PACKAGE, ADDRESS, str(os.getpid()), "work"
    )
    handle = await client.start_workflow(Gate.run, RECOVERED, id=f"recovered-{QUEUE}", task_queue=QUEUE)
    while await _done(handle) < RECOVERED:  # noqa: ASYNC110 - the steps are done in another process
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    await handle.signal(Gate.open)
    start = time.perf_counter()
    async with worker_of(client):
        await handle.result()
        took = time.perf_counter() - start
    return {"recovery s": took, "recovery of 1,000 steps s": took * 1000 / RECOVERED}


async def _done(handle: Any) -> int:
    history = await handle.fetch_history()
    return sum(1 for event in history.events if event.HasField("activity_task_completed_event_attributes"))


async def suspended(client: Any) -> dict[str, float]:
    """Measure what workflows that wait cost their worker, with a cache of ten."""
    async with worker_of(client, max_cached_workflows=10):
        await asyncio.gather(
            *(client.start_workflow(Gate.run, 0, id=f"w-{number}-{QUEUE}", task_queue=QUEUE) for number in range(200))
        )
        await asyncio.sleep(2)
        before = _memory()
        for block in range(SUSPENDED // 100):
            await asyncio.gather(
                *(
                    client.start_workflow(Gate.run, 0, id=f"s-{block}-{number}-{QUEUE}", task_queue=QUEUE)
                    for number in range(100)
                )
            )
        await asyncio.sleep(3)
        return {"suspended workflow KiB": (_memory() - before) / SUSPENDED}


def _memory() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024


async def work() -> None:
    await worker_of(await Client.connect(ADDRESS)).run()


async def main() -> None:
    client = await Client.connect(ADDRESS)
    found: dict[str, float] = {}
    async with worker_of(client):
        for part in (sequential, wide, short, told, updated):
            found |= await part(client)
    found |= await recovered(client)
    if IS_SHIM:
        found |= await suspended(client)
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(work() if sys.argv[4:] == ["work"] else main())
