"""One event at a time, in an order that replay repeats."""

from __future__ import annotations

import pytest

from resonate_core.errors import ApplicationError, CanceledError, NondeterminismError, UsageError
from resonate_core.scheduler.effects import Outcome


def work(x=None): ...


def other(x=None): ...


def test_sequential_steps_need_no_order_record(world):
    def body(ctx):
        first = yield ctx.run(work)
        second = yield ctx.run(work, first)
        return first + second

    w = world(body).finish_step("w.1", 1).finish_step("w.2", 2)
    assert w.value == 3
    assert w.order() == []
    assert set(w.records) == {"w.1", "w.2"}


def test_step_gets_its_arguments(world):
    def body(ctx):
        yield ctx.run(work, 1, x=2)

    start = world(body).steps["w.1"]
    assert (start.function, start.args, start.kwargs) == (work, (1,), {"x": 2})


def test_error_of_a_step_is_raised_at_its_yield(world):
    def body(ctx):
        try:
            yield ctx.run(work)
        except ApplicationError as error:
            return error.type

    assert world(body).finish_step("w.1", error=ApplicationError("no", type="Declined")).value == "Declined"


def test_replay_runs_no_recorded_step_again(world):
    def body(ctx):
        first = yield ctx.run(work)
        second = yield ctx.run(other)
        return first, second

    w = world(body).finish_step("w.1", 1)
    again = w.replayed()
    assert again.started == ["w.2"]
    assert again.finish_step("w.2", 2).value == (1, 2)


def race(ctx):
    a = yield ctx.begin_run(work)
    b = yield ctx.begin_run(other)
    return (yield ctx.select(a, b))


@pytest.mark.parametrize(("first", "second", "value"), [("w.1", "w.2", (0, 5)), ("w.2", "w.1", (1, 5))])
def test_choice_of_select_is_recorded_and_repeated(world, first, second, value):
    w = world(race).finish_step(first, 5)
    assert w.order() == [f"{first}="]
    assert w.ex.outcome is None  # the other one is awaited: it was begun and not abandoned
    w.finish_step(second, 6)
    assert w.value == value
    assert w.replayed().value == value


def test_select_between_what_has_settled_before_takes_the_first_to_settle(world):
    def body(ctx):
        a = yield ctx.begin_run(work)
        b = yield ctx.begin_run(other)
        yield ctx.run(work)
        return (yield ctx.select(a, b))

    w = world(body).finish_step("w.2", "b").finish_step("w.1", "a").finish_step("w.3")
    assert w.value == w.replayed().value


def test_select_raises_the_error_of_the_first(world):
    def body(ctx):
        a = yield ctx.begin_run(work)
        b = yield ctx.begin_run(other)
        try:
            yield ctx.select(a, b)
        except ValueError:
            return "caught"

    w = world(body).finish_step("w.2", error=ValueError()).finish_step("w.1")
    assert w.value == "caught"


def test_order_is_durable_before_a_step_that_follows_starts(world):
    def body(ctx):
        a = yield ctx.begin_run(work)
        b = yield ctx.begin_run(other)
        index, _ = yield ctx.select(a, b)
        yield ctx.run(work, index)

    w = world(body)
    w.is_eager = False
    w.finish_step("w.2")
    assert "w.4" in w.steps
    assert w.order() == ["w.2="]


def test_same_promise_in_select_twice_is_one_source(world):
    def body(ctx):
        a = yield ctx.begin_run(work)
        return (yield ctx.select(a, a))

    w = world(body).finish_step("w.1", 5)
    assert (w.value, w.order()) == ((0, 5), [])


def fan(ctx):
    commands = [ctx.run(work, i) for i in range(4)]
    return (yield ctx.gather(*commands, limit=2))


def test_gather_begins_no_more_than_its_limit(world):
    w = world(fan)
    assert sorted(w.steps) == ["w.1", "w.2"]
    w.finish_step("w.2", 20)
    assert sorted(w.steps) == ["w.1", "w.3"]
    w.finish_step("w.1", 10)
    w.finish_step("w.3", 30)
    assert w.finish_step("w.4", 40).value == [10, 20, 30, 40]
    assert w.order() == []


def test_gather_with_a_limit_is_the_same_on_replay(world):
    w = world(fan).finish_step("w.2", 20).finish_step("w.1", 10)
    again = w.replayed()
    assert sorted(again.steps) == ["w.3", "w.4"]
    assert again.finish_step("w.4", 40).finish_step("w.3", 30).value == [10, 20, 30, 40]


def test_gather_raises_the_first_error_and_names_it_in_the_order(world):
    def body(ctx):
        a = yield ctx.begin_run(work)
        b = yield ctx.begin_run(work)
        try:
            yield ctx.gather(a, b)
        except ValueError as error:
            return str(error)

    w = world(body).finish_step("w.2", error=ValueError("b"))
    w.finish_step("w.1", error=ValueError("a"))
    assert w.value == "b"
    assert w.replayed().value == "b"


@pytest.mark.parametrize("order", [("w.1", "w.2", "w.3"), ("w.3", "w.2", "w.1"), ("w.2", "w.1", "w.3")])
def test_first_error_of_a_gather_is_the_first_on_replay_too(world, order):
    def body(ctx):
        promises = []
        for _ in range(3):
            promises.append((yield ctx.begin_run(work)))
        try:
            yield ctx.gather(*promises)
        except ValueError as error:
            return str(error)

    w = world(body)
    for id in order:
        w.finish_step(id, error=ValueError(id))
    assert w.value == order[0]
    assert w.replayed().value == order[0]


def test_part_of_a_gather_that_had_begun_begins_again_although_another_failed(world):
    def body(ctx):
        yield ctx.gather(*[ctx.run(work, i) for i in range(3)])

    w = world(body).finish_step("w.1", error=ValueError())
    assert sorted(w.replayed().steps) == ["w.2", "w.3"]


def test_part_beyond_the_limit_never_begins_after_a_failure(world):
    w = world(fan).finish_step("w.1", error=ValueError())
    w.finish_step("w.2", 2)
    assert w.started == ["w.1", "w.2"]
    assert w.replayed().started == []


def test_error_of_a_remote_part_is_waited_for_on_replay(world):
    def body(ctx):
        try:
            yield ctx.gather(ctx.rpc("far"), ctx.run(work))
        except ValueError as error:
            yield ctx.run(other)
            return str(error)

    w = world(body).reject("w.1", ValueError("far"))
    again = w.replayed()
    assert sorted(again.steps) == ["w.2", "w.4"]
    assert again.finish_step("w.4").finish_step("w.2").value == "far"


def test_thing_that_cannot_be_gathered_is_named_on_replay_too(world):
    def body(ctx):
        yield ctx.begin_run(other)
        try:
            yield ctx.gather(ctx.run(work), 5)
        except UsageError as error:
            yield ctx.run(work)
            return str(error)

    w = world(body)
    again = w.replayed()
    for process in (w, again):
        for id in sorted(process.steps):
            process.finish_step(id)
        process.finish_step("w.4") if "w.4" in process.steps else None
        assert process.value == "gather takes commands and promises, got 5"


def test_gather_with_return_exceptions_waits_for_all(world):
    def body(ctx):
        found = yield ctx.gather(ctx.run(work), ctx.run(work), return_exceptions=True)
        return [str(part) for part in found]

    w = world(body).finish_step("w.1", error=ValueError("a"))
    assert w.ex.outcome is None
    assert w.finish_step("w.2", 2).value == ["a", "2"]


def test_gather_of_nothing_is_nothing(world):
    def body(ctx):
        return (yield ctx.gather())

    assert world(body).value == []


@pytest.mark.parametrize("limit", [0, -1, True, 1.5])
def test_gather_with_a_limit_that_is_none_is_refused(world, limit):
    def body(ctx):
        try:
            yield ctx.gather(ctx.run(work), limit=limit)
        except UsageError as error:
            return str(error)

    assert world(body).value == f"gather limit must be a whole number from 1, got {limit!r}"


def test_two_branches_are_one_order(world):
    def child(ctx, log, name):
        log.append((name, (yield ctx.run(work))))

    def body(ctx):
        log = []
        a = yield ctx.begin_run(child, log, "a")
        b = yield ctx.begin_run(child, log, "b")
        yield a
        yield b
        return log

    w = world(body).finish_step("w.2.1", 2).finish_step("w.1.1", 1)
    assert w.value == [("b", 2), ("a", 1)]
    assert w.replayed().value == [("b", 2), ("a", 1)]


def test_child_that_has_ended_is_recorded_with_its_name(world):
    def child(ctx):
        return (yield ctx.run(work))

    def body(ctx):
        return (yield ctx.run(child))

    w = world(body).finish_step("w.1.1", 5)
    assert w.value == 5
    assert w.env.recorded_name(w.records["w.1"]) == "child"


def test_deep_children_stand_under_their_parents(world):
    def down(ctx, depth):
        return (yield ctx.run(down, depth - 1)) if depth else (yield ctx.run(work))

    def body(ctx):
        return (yield ctx.run(down, 3))

    w = world(body)
    assert list(w.steps) == ["w.1.1.1.1.1"]
    assert w.finish_step("w.1.1.1.1.1", 7).value == 7


def test_remote_child_is_created_before_anything_else_and_found_again(world):
    def body(ctx):
        return (yield ctx.rpc("charge", 5))

    w = world(body)
    assert w.outside == ["w.1"]
    again = w.replayed()
    assert again.resolve("w.1", "ok").value == "ok"
    assert again.replayed().value == "ok"


def test_canceled_remote_child_is_a_canceled_error(world):
    def body(ctx):
        try:
            yield ctx.rpc("charge")
        except CanceledError as error:
            return str(error)

    w = world(body).reject("w.1", CanceledError("stopped"))
    assert w.value == "charge (w.1) was canceled: stopped"


def test_time_is_that_of_the_last_event_and_the_same_on_replay(world):
    def body(ctx):
        times = [ctx.now()]
        for _ in range(3):
            yield ctx.run(work)
            times.append(ctx.now())
        return times

    w = world(body).finish_step("w.1").finish_step("w.2").finish_step("w.3")
    assert len(set(w.value)) == 4
    assert w.replayed().value == w.value


def test_promise_yielded_twice_gives_its_value_twice(world):
    def body(ctx):
        promise = yield ctx.begin_run(work)
        return (yield promise), (yield promise)

    assert world(body).finish_step("w.1", 5).value == (5, 5)


@pytest.mark.parametrize(
    ("thing", "hint"),
    [
        ([1], r"yield ctx\.gather"),
        (5, "yield a call on ctx"),
        ((x for x in ()), "yield from"),
        (None, "yield a call on ctx"),
    ],
    ids=str,
)
def test_thing_that_is_no_command_is_thrown_back_with_a_hint(world, thing, hint):
    def body(ctx):
        yield thing

    with pytest.raises(UsageError, match=hint):
        _ = world(body).value


def test_promise_of_another_execution_is_refused(world):
    kept = []

    def owner(ctx):
        kept.append((yield ctx.begin_run(work)))
        yield ctx.run(work)

    def thief(ctx):
        yield kept[0]

    world(owner)
    with pytest.raises(UsageError, match=r"promise w\.1 belongs to another execution"):
        _ = world(thief).value


def test_one_id_for_two_functions_is_refused(world):
    def body(ctx):
        yield ctx.begin_run(work).options(id="same")
        yield ctx.begin_run(other).options(id="same")

    w = world(body)
    w.finish_step("same")
    with pytest.raises(UsageError, match="id 'same' is used for 'work' and for 'other'"):
        _ = w.value


def test_end_of_the_function_waits_for_what_it_began(world):
    def body(ctx):
        yield ctx.begin_run(work)
        return "done"

    w = world(body)
    assert w.ex.outcome is None
    assert w.finish_step("w.1").ex.outcome == Outcome("done")


def test_timer_left_behind_does_not_hold_the_end_up(world):
    def body(ctx):
        yield ctx.begin_sleep(60)
        return "done"

    assert world(body).value == "done"


@pytest.mark.parametrize("begin", [True, False])
def test_changed_code_at_a_recorded_step_is_refused_and_never_reaches_user_code(world, begin):
    cleaned = []

    def before(ctx):
        yield ctx.run(work)
        yield ctx.run(work)

    def after(ctx):
        try:
            yield (ctx.begin_run if begin else ctx.run)(other)
        finally:
            cleaned.append(1)

    w = world(before).finish_step("w.1")
    with pytest.raises(
        NondeterminismError, match=r"w\.1 was recorded as 'work', and the code now calls 'other'"
    ) as found:
        w.replayed(function=after)
    assert (found.value.recorded, found.value.yielded) == ("work", "other")
    assert cleaned == []


def test_changed_code_at_a_recorded_choice_is_refused(world):
    def after(ctx):
        yield ctx.run(work)
        yield ctx.run(other)
        yield ctx.run(work)

    w = world(race).finish_step("w.2")
    with pytest.raises(NondeterminismError, match=r"event 0 was recorded as 'w\.2', but the code does not wait for it"):
        w.replayed(function=after)


def test_changed_code_at_a_remote_child_is_refused(world):
    def before(ctx):
        yield ctx.rpc("charge")

    def after(ctx):
        yield ctx.rpc("refund")

    w = world(before).resolve("w.1", 1)
    with pytest.raises(NondeterminismError, match="recorded as 'charge', and the code now calls 'refund'"):
        w.replayed(function=after)


def test_body_that_never_yields_runs_as_a_step(world):
    def body(x):
        return x

    w = world(body, (5,))
    assert list(w.steps) == ["w"]


def test_arguments_that_do_not_fit_end_the_execution(world):
    def body(ctx, order):
        yield order

    with pytest.raises(UsageError, match="body takes order; the call does not fit"):
        _ = world(body, (1, 2)).value


def test_exit_in_a_body_is_an_error_and_no_exit(world):
    def body(ctx):
        yield ctx.run(work)
        raise SystemExit(3)

    with pytest.raises(Exception, match=r"a durable function raised SystemExit\(3\)"):
        _ = world(body).finish_step("w.1").value
