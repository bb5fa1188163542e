"""What a body sees of a step is what a replay of its record would see."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the runtime reads annotations

from resonate_core import Resonate, step
from resonate_core.codec import Codec
from resonate_core.protocol.records import PromiseRecord, Value
from resonate_core.registry import Registry
from resonate_core.scheduler.environment import Environment
from resonate_core.scheduler.promises import Slot


@step
def due() -> dt.date:
    return "2024-01-02"


@step
def rate() -> float:
    return 3


def test_step_whose_annotation_makes_something_of_its_value_gives_that_at_once():
    def body(ctx):
        return [type((yield ctx.run(due))).__name__, type((yield ctx.run(rate))).__name__]

    with Resonate("memory:") as resonate:
        resonate.register(body, name="body")
        assert resonate.run("w", body) == ["date", "float"]


def test_attempts_of_a_failed_step_are_read_from_its_record():
    env = Environment(Codec(), Registry(), now_ms=lambda: 0, address=str)
    stored = env.codec.encode_error(ValueError("no"))
    headers = {**(stored.headers or {}), "resonate:attempts": "3", "resonate:retry-state": "maximum_attempts_reached"}
    record = PromiseRecord("w.1", "rejected", 10, 1, value=Value(headers, stored.data), settled_at=5)
    slot = Slot("w.1", "step", "charge")
    _, error = env.decode(slot, record)
    wrapped = env.wrap(slot, error)
    assert (wrapped.attempts, wrapped.retry_state) == (3, "maximum_attempts_reached")


def test_attempts_that_are_no_number_are_none():
    env = Environment(Codec(), Registry(), now_ms=lambda: 0, address=str)
    record = PromiseRecord("w.1", "rejected", 10, 1, value=Value({"resonate:attempts": "x"}, None), settled_at=5)
    slot = Slot("w.1", "step", "charge")
    env.decode(slot, record)
    assert slot.attempts == 0
