"""One program over everything that connections differ in; what it gives must not depend on the connection.

Run as a program it connects by URL or over a connector, and prints what it gave as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from resonate_core import Resonate
from resonate_core.errors import ExecutionClosedError
from tests.interop import programs

SECONDS = 30


def tour(resonate: Resonate) -> dict[str, Any]:
    """Run all kinds of programs on a started worker."""
    return {part.__name__: part(resonate, uuid4().hex[:12]) for part in PARTS}


def _run(resonate: Resonate, id: str, function: Any, *args: Any) -> Any:
    return resonate.begin_run(id, function, *args).result(timeout=SECONDS)


def steps(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.total, 20)


def children(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.fan_out, 20)


def id_with_signs(resonate: Resonate, id: str) -> Any:
    return _run(resonate, f"a.b:{id}.c%", programs.fan_out, 3)


def sleep(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.slow_child, 0.4)


def child_of_its_own(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.awaits_named_child, f"price-{id}", 0.5)


def approval(resonate: Resonate, id: str) -> Any:
    handle = resonate.begin_run(id, programs.approval, 60)
    time.sleep(0.4)
    resonate.promises.resolve(f"{id}/approve", data=json.dumps("ann"))
    return handle.result(timeout=SECONDS)


def deadlines(resonate: Resonate, id: str) -> Any:
    foreign = _run(resonate, id, programs.approval, 0.4)
    return [foreign, _run(resonate, f"{id}-own", programs.own_deadline, 0.4)]


def messages(resonate: Resonate, id: str) -> Any:
    handle = resonate.begin_run(id, programs.Basket)
    time.sleep(0.3)
    handle.signal("put", "a")
    counts = [handle.update("put_counted", "b")]
    seen = handle.query("content")
    handle.signal("close")
    result = handle.result(timeout=SECONDS)
    try:
        handle.signal("put", "late")
    except ExecutionClosedError:
        return [counts, seen, result, "closed"]
    return [counts, seen, result, "open"]


def events(resonate: Resonate, id: str) -> Any:
    handle = resonate.begin_run(id, programs.receiver)
    resonate.send(id, "hello", "news", idempotency_key="k")
    resonate.send(id, "hello", "news", idempotency_key="k")
    return [resonate.get_event(id, "heard", timeout=SECONDS), handle.result(timeout=SECONDS)]


def rounds(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.in_rounds, 0)


def failure(resonate: Resonate, id: str) -> Any:
    try:
        return _run(resonate, id, programs.fails)
    except ValueError as error:
        return repr(error)


def race(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.first_of_two, 0.2, 30)


def gathered(resonate: Resonate, id: str) -> Any:
    return _run(resonate, id, programs.gathers, 6)


def cancellation(resonate: Resonate, id: str) -> Any:
    handle = resonate.begin_run(id, programs.undoes, 60)
    time.sleep(0.3)
    handle.cancel()
    return handle.result(timeout=SECONDS)


def mutex(resonate: Resonate, id: str) -> Any:
    handles = [resonate.begin_run(f"{id}-{number}", programs.locks, id) for number in range(3)]
    for handle in handles:
        handle.result(timeout=SECONDS)
    return programs.overlaps(id)


def queue(resonate: Resonate, id: str) -> Any:
    names = [f"{id}-{number}" for number in range(4)]
    _run(resonate, id, programs.enqueues, names)
    for name in names:
        resonate.get(name).result(timeout=SECONDS)
    return [text.removeprefix(f"{id}-") for text in programs.overlaps(f"q-{id}")]


def schedule(resonate: Resonate, id: str) -> Any:
    data = json.dumps({"func": "note", "args": [id], "kwargs": {}, "version": 1})
    resonate.schedules.create(f"s-{id}", "* * * * *", f"s-{id}-{{{{.timestamp}}}}", 60_000, promise_data=data)
    found = resonate.schedules.get(f"s-{id}").cron
    resonate.schedules.delete(f"s-{id}")
    return found


PARTS = (
    *(steps, children, id_with_signs, sleep, child_of_its_own, approval, deadlines, messages, events, rounds),
    *(failure, race, gathered, cancellation, mutex, queue, schedule),
)


def main() -> None:
    url, group = sys.argv[1:]
    with Resonate(url, group=group, ttl=2) as resonate:
        resonate.register(*programs.ALL)
        print(json.dumps(tour(resonate)))


if __name__ == "__main__":
    main()
