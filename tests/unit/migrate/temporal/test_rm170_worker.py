from __future__ import annotations

import pytest

HEAD = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from temporalio.client import Client
from temporalio.worker import Worker
from steps import ALL, one, two

"""


def program(body: str) -> str:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return f"{HEAD}\nasync def main() -> None:\n    client = await Client.connect('x')\n{lines}\n"


def converted(migrate, body: str) -> str:
    done = migrate(program(body))
    assert done.texts, done.reasons
    return done.text.split("async def main() -> None:\n")[1].replace("\n    ", "\n").removeprefix("    ").strip()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "w = Worker(client, task_queue='q', activities=[one])\nawait w.run()",
            "w = Resonate(group='q')\nw.register(one)\nawait w.aio.serve()",
        ),
        (
            "await Worker(client, task_queue='q', activities=ALL).run()",
            "worker = Resonate(group='q')\nworker.register(*ALL)\nawait worker.aio.serve()",
        ),
        (
            "async with Worker(client, task_queue='q', activities=[one] + ALL):\n    print(1)",
            "worker = Resonate(group='q')\nworker.register(one, *ALL)\nasync with worker:\n    print(1)",
        ),
        (
            "async with Worker(client, task_queue='q', activities=[one, two]) as w:\n    print(w)",
            "w = Resonate(group='q')\nw.register(one, two)\nasync with w:\n    print(w)",
        ),
        (
            (
                "w = Worker(client, task_queue='q', activities=[one], activity_executor=ThreadPoolExecutor(3))\n"
                "asyncio.create_task(w.run())\nawait w.shutdown()"
            ),
            "w = Resonate(group='q')\nw.register(one)\nasyncio.create_task(w.aio.serve())\nawait w.aio.stop()",
        ),
    ],
)
def test_worker_becomes_a_member_of_a_group(migrate, before: str, after: str) -> None:
    assert converted(migrate, before) == after


def test_client_that_is_used_besides_stays(migrate) -> None:
    text = converted(migrate, "w = Worker(client, task_queue='q', activities=[one])\nprint(client)")
    assert text.startswith("client = Resonate()\nw = Resonate(group='q')")


def test_limits_that_protect_something_are_reported(migrate) -> None:
    done = migrate(program("w = Worker(client, task_queue='q', activities=[one], max_concurrent_activities=2)"))
    assert "RM515" in done.codes


@pytest.mark.parametrize(
    "body",
    [
        "w = Worker(client, task_queue='q', activities=[one], interceptors=[one])",
        "w = Worker(client, task_queue='q', plugins=[one])",
        "w = Worker(client, **one)",
        "ws = [Worker(client, task_queue='q', activities=[one])]",
        "w = Worker(client, task_queue='q', activities=[one])\nprint(w.is_running)",
    ],
)
def test_worker_that_asks_for_more_keeps_the_program(migrate, body: str) -> None:
    done = migrate(program(body))
    assert not done.texts
    assert done.reasons
