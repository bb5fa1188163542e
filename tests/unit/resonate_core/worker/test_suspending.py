from __future__ import annotations

import pytest

from resonate_core import Context, durable
from resonate_core.limits import LINGER_MS
from resonate_core.testing.virtual import VirtualResonate


@durable
def naps(ctx: Context, seconds: float):
    for _ in range(3):
        yield ctx.sleep(seconds)
    return "awake"


@pytest.mark.parametrize("late_ms", [-1, 0, 1])
def test_suspension_at_the_moment_of_the_awaited_event_does_not_lose_it(late_ms: int) -> None:
    with VirtualResonate() as resonate:
        resonate.register(naps)
        assert resonate.begin_run("naps", naps, (LINGER_MS + late_ms) / 1000).result(10) == "awake"
