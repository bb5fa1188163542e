"""Random programs, random orders of news, and a crash after every durable write: replay decides as before.

The law: whatever an execution did that others can see (a record, the start of a step) follows from what it had seen
until then; so a replay of the records that were durable at that moment must see the same, in the same order, and it
must find a use for every record.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from resonate_core.errors import ApplicationError, CanceledError
from tests.unit.resonate_core.scheduler.programs import handlers, programs, workflow
from tests.unit.resonate_core.scheduler.world import CODEC, World

EXAMPLES = int(os.environ.get("RESONATE_REPLAY_EXAMPLES", "40"))
quick = settings(
    deadline=None,
    max_examples=EXAMPLES,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NEWS_MAX = 60


def begin(program, handler, **more):
    trace = []
    return World(workflow(program, handler, trace), trace=trace, **more)


def again(world, program, handler, records=None, version=2):
    trace = []
    return World(
        workflow(program, handler, trace),
        trace=trace,
        records=dict(world.records if records is None else records),
        now=world.now + 1_000,
        version=version,
        is_eager=world.is_eager,
    )


def happen(world, draw):  # noqa: C901, PLR0912 - a table of what can happen
    """Let one thing happen, whichever is possible; return whether there was any."""
    if world.ex.outcome is not None:
        return False
    if draw.random() < 0.5:
        world.notice()
        world.look()
        if world.ex.outcome is not None:
            return True
    kinds = [("step", id) for id in sorted(world.steps)]
    kinds += [("outside", id) for id in sorted(world.outside)]
    kinds += [("ask", "")] * bool(world.asks)
    kinds += [("signal", ""), ("message", ""), ("late", "")] * (len(world.records) < 40)
    if draw.random() < 0.03:
        kinds = [("cancel", "")]
    if not kinds:
        return False
    kind, id = draw.choice(kinds)
    value = draw.randrange(1000)
    match kind:
        case "step":
            world.finish_step(id, value, ApplicationError(f"e{value}") if value % 5 == 0 else None)
        case "outside" if value % 7 == 0 and world.records[id].tags.get("resonate:timer") != "true":
            world.reject(id, CanceledError(f"c{value}") if value % 2 else ApplicationError(f"e{value}"))
        case "outside":
            world.resolve(id, value)
        case "ask":
            ask = world.asks[0]
            world.answer(world.ex.inbox.next_slot if ask.kind == "drain" else value)
        case "signal":
            world.message("signal", "poke", value)
        case "late":
            world.store_message("signal", "poke", value)
        case "message":
            world.message("send", "t", value)
        case "cancel":
            world.message("cancel", None, f"stop {value}")
    return True


def drive(world, draw, most=NEWS_MAX):
    for _ in range(most):
        if not happen(world, draw):
            break
    return world


def end(world, program, handler):
    """Do what the worker does when a function has ended: look for messages before the end is written."""
    while world.ex.outcome is not None and world.ex.may_reopen:
        world.flush()
        world.notice()
        count = world.ex.unread_count
        if not count:
            break
        if world.ex.has_acted:
            world.ex.reopen()
            world.look()
        else:
            world.waiting.append((world.ex.glue_record(count), 0))
            world.flush()
            world = again(world, program, handler, version=world.version)
    return world


def check_replays(first, program, handler, moments):
    """Replay every moment of a run; see that it decides the same."""
    for moment in moments:
        replay = again(first, program, handler, moment.records)
        assert replay.trace[: moment.seen] == first.trace[: moment.seen]
        assert not replay.ex.history, f"nobody asked for {sorted(replay.ex.history)}"
        assert replay.ex.order.is_past_record


@quick
@given(programs, handlers, st.integers(0, 2**32), st.booleans())
def test_replay_of_any_moment_decides_as_before(program, handler, seed, is_eager):
    first = drive(begin(program, handler, is_eager=is_eager), random.Random(seed))
    note(f"seed {seed}, trace {first.trace}")
    check_replays(first, program, handler, first.moments)


@quick
@given(programs, handlers, st.integers(0, 2**32), st.booleans())
def test_run_that_crashes_again_and_again_never_contradicts_itself(program, handler, seed, is_eager):
    draw = random.Random(seed)
    world = begin(program, handler, is_eager=is_eager)
    for version in range(2, 9):
        drive(world, draw, 4)
        if not world.moments or world.ex.outcome is not None:
            break
        moment = draw.choice(world.moments[-4:])
        note(f"seed {seed}: crash {version} with {sorted(moment.records)}")
        seen = world.trace[: moment.seen]
        world = again(world, program, handler, moment.records | kept(world), version)
        assert world.trace[: len(seen)] == seen
    check_replays(world, program, handler, world.moments)


def kept(world):
    """Return what others have stored: it does not vanish with the process that crashes."""
    return {id: record for id, record in world.records.items() if ".inbox." in id and id.rpartition(".")[2].isdigit()}


def is_signal(record):
    return record.id[8:].isdigit() and CODEC.decode_value(record.value)["kind"] == "signal"


@quick
@given(programs, handlers, st.integers(0, 2**32))
def test_finished_run_has_handled_each_signal_once_and_ends_the_same_on_replay(program, handler, seed):
    draw = random.Random(seed)
    first = begin(program, handler)
    for _ in range(20):
        first = end(drive(first, draw, 200), program, handler)
    if first.ex.outcome is None:
        return
    note(f"seed {seed}, trace {first.trace}")
    signals = [r for r in first.records.values() if r.id.startswith("w.inbox.") and is_signal(r)]
    assert len([seen for seen in first.trace if "signal" in seen]) == len(signals)
    replay = again(first, program, handler)
    assert replay.trace == first.trace
    assert repr(replay.ex.outcome) == repr(first.ex.outcome)
    assert replay.started == []
    assert set(replay.records) == set(first.records)
