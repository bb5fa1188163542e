"""One DBOS program, timed: ``python dbos_program.py MODULE`` where MODULE is ``dbos`` or ``compat.dbos``.

Prints one JSON object: what each thing took. The text of the program is the same for both; only the import differs.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MODULE = sys.argv[1]
if MODULE == "dbos":
    import pysqlite3
    import pysqlite3.dbapi2

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
else:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

dbos = importlib.import_module(MODULE)
DBOS = dbos.DBOS
STEPS, SHORT, SAMPLES = 500, 200, 10
began: dict[int, float] = {}
commits = [0]

DBOS(
    config={
        "name": "bench",
        "system_database_url": f"sqlite:///{Path.cwd() / 'dbos.sqlite'}",
        "log_level": "ERROR",
        "run_admin_server": False,
    }
)


@DBOS.step()
def same(value):
    return value


@DBOS.workflow()
def sequence(count):
    return sum(same(number) for number in range(count))


@DBOS.workflow()
def short(number):
    return same(number)


@DBOS.workflow()
def notes(number):
    began[number] = time.perf_counter()


@DBOS.workflow()
def hears():
    return DBOS.recv("news", timeout_seconds=60)


def count_commits():
    """Count commits of the shim's store; real DBOS commits through SQLAlchemy, its figure is a published one."""
    if MODULE == "dbos":
        return
    from resonate_core.store.sqlite import SqliteStore

    commit = SqliteStore.commit

    def counted(store):
        commits[0] += 1
        commit(store)

    SqliteStore.commit = counted


def sequential():
    sequence(50)
    before, start = commits[0], time.perf_counter()
    sequence(STEPS)
    took = time.perf_counter() - start
    return {"steps/s": STEPS / took, "commits/step": (commits[0] - before) / STEPS}


def at_once():
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(short, range(40)))
        start = time.perf_counter()
        list(pool.map(short, range(SHORT)))
    return {"short workflows/s": SHORT / (time.perf_counter() - start)}


def enqueued():
    took = []
    for number in range(SAMPLES):
        start = time.perf_counter()
        DBOS.enqueue_workflow("bench", notes, number).get_result()
        took.append((began[number] - start) * 1000)
    return {"enqueue to start ms": statistics.median(took)}


def told():
    took = []
    for _ in range(SAMPLES):
        handle = DBOS.start_workflow(hears)
        time.sleep(0.3)  # it waits by now
        ended = []
        waiter = threading.Thread(target=lambda h=handle, e=ended: e.append((h.get_result(), time.perf_counter())))
        waiter.start()
        start = time.perf_counter()
        DBOS.send(handle.workflow_id, "hello", "news")
        waiter.join()
        took.append((ended[0][1] - start) * 1000)
    return {"send to result ms": statistics.median(took)}


def main():
    count_commits()
    DBOS.launch()
    DBOS.register_queue("bench")
    found = {}
    for part in (sequential, at_once, enqueued, told):
        found |= part()
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
