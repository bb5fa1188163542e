"""Drivers take promises and messages in one recorded order; replay hands them the same."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from resonate_core.driver import Driver, driver
from tests.unit.resonate_core.scheduler.world import World

quick = settings(
    deadline=None,
    max_examples=int(os.environ.get("RESONATE_REPLAY_EXAMPLES", "40")),
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
plans = st.lists(st.sampled_from(["step", "rpc", "sleep", "latent", "run", ""]), min_size=1, max_size=8).map(tuple)


def work(x=None): ...


def driven(plan, trace):
    @driver
    def drive(ctx):
        driver_of = Driver(ctx)
        promises = []
        for number, what in enumerate(plan):
            begin = {"step": lambda: ctx.begin_run(work), "rpc": lambda: ctx.begin_rpc("far"), "latent": ctx.promise}
            begin["sleep"] = lambda: ctx.begin_sleep(1)
            if what in begin:
                promises.append((yield begin[what]()))
            elif what == "run":
                trace.append(("run", (yield ctx.run(work))))
            event = yield driver_of.next_event(*promises)
            if event.index >= 0:
                promises.pop(event.index)
            seen = event.message.slot if event.message is not None else (event.value, repr(event.error))
            trace.append((number, event.index, seen, ctx.now().timestamp()))
            trace.extend(("with it", message.slot) for message in (yield driver_of.messages()))
        return len(trace)

    return drive


def begin(plan, **more):
    trace = []
    return World(driven(plan, trace), trace=trace, **more)


def again(world, plan, records, version=2):
    return begin(plan, records=dict(records), now=world.now + 1_000, version=version, is_eager=world.is_eager)


def happen(world, draw):
    if world.ex.outcome is not None:
        return False
    if draw.random() < 0.5:
        world.notice()
        world.look()
    news = [*(("step", id) for id in sorted(world.steps)), *(("outside", id) for id in sorted(world.outside))]
    news += [("message", ""), ("late", "")]
    kind, id = draw.choice(news)
    match kind:
        case "step":
            world.finish_step(id, draw.randrange(99))
        case "outside":
            world.resolve(id, draw.randrange(99))
        case "message":
            world.message("signal", "any", 1)
        case "late":
            world.store_message("send", None, 1)
    return world.ex.outcome is None


def end(world, plan):
    """Do what the worker does when a driver has ended: look for messages before the end is written."""
    while world.ex.outcome is not None and world.ex.may_reopen:
        world.flush()
        world.notice()
        count = world.ex.unread_count
        if not count or world.ex.has_acted:
            break
        world.waiting.append((world.ex.glue_record(count), 0))
        world.flush()
        world = again(world, plan, world.records, world.version)
    return world


@quick
@given(plans, st.integers(0, 2**32), st.booleans())
def test_replay_of_any_moment_hands_a_driver_the_same(plan, seed, is_eager):
    draw = random.Random(seed)
    world = begin(plan, is_eager=is_eager)
    for _ in range(60):
        if not happen(world, draw):
            break
    note(f"seed {seed}, trace {world.trace}")
    for moment in world.moments:
        replay = again(world, plan, moment.records)
        assert replay.trace[: moment.seen] == world.trace[: moment.seen]
        assert not replay.ex.history


@quick
@given(plans, st.integers(0, 2**32))
def test_driver_that_has_ended_ends_the_same_on_replay_and_gets_each_message_once(plan, seed):
    draw = random.Random(seed)
    world = begin(plan)
    for _ in range(200):
        if not happen(world, draw):
            break
    if world.ex.outcome is None:
        return
    world = end(world, plan)
    note(f"seed {seed}, trace {world.trace}")
    replay = end(again(world, plan, world.records), plan)  # the end was not written: later messages may be seen
    assert replay.trace[: len(world.trace)] == world.trace
    assert replay.started == []
    slots = [seen[2] for seen in world.trace if seen[1] == -1] + [
        seen[1] for seen in world.trace if seen[0] == "with it"
    ]
    assert len(slots) == len(set(slots))
