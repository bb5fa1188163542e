"""A worker: ``worker.py FILE TRACE NAME``. Prints "ready", serves until it is ended."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from resonate_core import Resonate, durable, step

FILE, TRACE, NAME = sys.argv[1:4]


@step()
def work(index: int) -> str:
    with Path(TRACE).open("a", encoding="utf-8") as file:
        file.write(f"{NAME} {index}\n")
    time.sleep(0.15)
    return f"{NAME}:{os.getpid()}:{index}"


@durable()
def job(ctx, count):
    found = []
    for index in range(count):
        found.append((yield ctx.run(work, index)))
    return found


resonate = Resonate(f"sqlite:///{FILE}", ttl=0.5)
resonate.register(job, work)
resonate.start()
print("ready", flush=True)
resonate.serve()
