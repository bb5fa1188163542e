"""Signals and asynchronous servers: one signal stops all of them, and leaves no handler behind."""

import asyncio
import os
import signal

from resonate_core import Resonate, step
from resonate_core.client import stop_signals


@step()
def noop():
    return None


async def all_serve(count):
    loop = asyncio.get_running_loop()
    while len(stop_signals._waiting.get(loop, ())) < count:  # noqa: ASYNC110 - servers announce themselves to nobody
        await asyncio.sleep(0.001)


async def test_sigterm_stops_every_server_of_the_loop():
    before = signal.getsignal(signal.SIGTERM)
    workers = [Resonate.local(group="near"), Resonate.local(group="far")]
    for worker in workers:
        worker.register(noop)
    serving = [asyncio.create_task(worker.aio.serve()) for worker in workers]
    await all_serve(2)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(asyncio.gather(*serving), timeout=5)
    assert signal.getsignal(signal.SIGTERM) == before


async def test_server_that_is_cancelled_leaves_the_other_its_handler():
    workers = [Resonate.local(), Resonate.local()]
    serving = [asyncio.create_task(worker.aio.serve()) for worker in workers]
    await all_serve(2)
    serving[0].cancel()
    await asyncio.gather(serving[0], return_exceptions=True)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving[1], timeout=5)
    assert workers[1]._engine.is_stopped
