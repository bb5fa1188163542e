"""Cancellation comes at a yield, lets clean-up run, and decides the same on replay."""

from __future__ import annotations

import pytest

from resonate_core.errors import CanceledError, Cancelled, ContinueAsNew, UsageError


def work(x=None): ...


def clean(x=None): ...


def guarded(ctx):
    try:
        yield ctx.run(work)
    except Cancelled as error:
        yield ctx.run(clean)
        return f"cancelled: {error}"


def test_cancel_is_raised_at_the_yield_and_clean_up_may_yield(world):
    w = world(guarded).message("cancel", None, "stop")
    assert list(w.steps) == ["w.2"]
    assert w.records["w.1"].state == "rejected_canceled"
    assert w.finish_step("w.2").value == "cancelled: stop"
    assert w.replayed().value == "cancelled: stop"


def test_cancel_nobody_catches_is_how_the_execution_ends(world):
    def body(ctx):
        yield ctx.run(work)

    with pytest.raises(Cancelled, match="stop"):
        _ = world(body).message("cancel", None, "stop").value


def test_cancel_waits_outside_a_shielded_section(world):
    def body(ctx):
        with ctx.shielded():
            first = yield ctx.run(work)
        try:
            yield ctx.run(work)
        except Cancelled:
            return first

    w = world(body).message("cancel", None, "stop")
    assert list(w.steps) == ["w.1"]
    assert w.finish_step("w.1", 5).value == 5
    assert w.started == ["w.1"]
    assert w.replayed().value == 5


def test_cancel_of_a_branch_reaches_what_it_waits_for(world):
    def child(ctx):
        try:
            yield ctx.run(work)
        except Cancelled:
            return "child cancelled"

    def body(ctx):
        promise = yield ctx.begin_run(child)
        yield ctx.run(clean)
        yield ctx.cancel(promise)
        return (yield promise)

    w = world(body).finish_step("w.2")
    assert w.value == "child cancelled"
    assert w.records["w.1.1"].state == "rejected_canceled"
    assert w.replayed().value == w.value


def test_cancelled_step_is_an_error_of_whoever_awaits_it(world):
    def body(ctx):
        promise = yield ctx.begin_run(work)
        yield ctx.cancel(promise)
        try:
            yield promise
        except Cancelled as error:
            return str(error)

    w = world(body)
    assert w.value == w.replayed().value == "cancelled by ctx.cancel"
    assert w.steps == {}


def test_step_that_had_ended_when_it_was_cancelled_keeps_its_value(world):
    def body(ctx):
        promise = yield ctx.begin_run(work)
        yield ctx.run(clean)
        yield ctx.cancel(promise)
        return (yield promise)

    w = world(body)
    w.is_eager = False
    start = w.steps["w.1"]
    w.records["w.1"] = w.settle_elsewhere(start, "kept")
    assert w.finish_step("w.2").value == "kept"
    assert w.replayed().value == "kept"


def test_latent_promise_that_is_cancelled_is_rejected_for_all(world):
    def body(ctx):
        promise = yield ctx.promise()
        yield ctx.cancel(promise)
        try:
            yield promise
        except CanceledError as error:
            return str(error)

    w = world(body)
    assert w.records["w.1"].state == "rejected_canceled"
    assert w.value == w.replayed().value == "promise (w.1) was canceled: cancelled by ctx.cancel"


def test_latent_promise_settled_before_it_was_cancelled_keeps_its_value(world):
    def body(ctx):
        promise = yield ctx.promise()
        yield ctx.run(work)
        yield ctx.cancel(promise)
        return (yield promise)

    w = world(body)
    w.settle("w.1", "resolved", w.env.codec.encode_value("first"))
    assert w.finish_step("w.2").value == "first"
    assert w.replayed().value == "first"


def test_timer_that_is_cancelled_wakes_whoever_waits(world):
    def body(ctx):
        timer = yield ctx.begin_sleep(60)
        yield ctx.cancel(timer)
        yield timer
        return ctx.now()

    w = world(body)
    assert w.value == w.replayed().value


def test_remote_child_is_asked_to_cancel_and_decides_itself(world):
    def body(ctx):
        child = yield ctx.begin_rpc("far")
        yield ctx.cancel(child, "enough")
        return (yield child)

    w = world(body)
    destination, message = w.asks[0].arguments
    assert (destination, message["kind"]) == ("w.1", "cancel")
    assert w.answer(None).resolve("w.1", "finished anyway").value == "finished anyway"


def test_end_of_a_parent_cancels_children_that_asked_for_it(world):
    def body(ctx):
        yield ctx.begin_run(work).options(parent_close="cancel")
        return "done"

    w = world(body)
    assert w.value == "done"
    assert w.records["w.1"].state == "rejected_canceled"


def test_end_of_a_parent_leaves_abandoned_children_alone(world):
    def body(ctx):
        yield ctx.begin_run(work).options(parent_close="abandon")
        return "done"

    assert world(body).value == "done"


def test_shielded_in_a_context_of_no_branch_is_refused(world):
    def body(ctx):
        yield ctx.run(work)

    w = world(body)
    from resonate_core.context import Context

    with (
        pytest.raises(UsageError, match="works in a durable function or handler, not in a step"),
        Context(w.ex, "x").shielded(),
    ):
        pass


def test_continue_as_new_leaves_through_finally_with_new_arguments(world):
    log = []

    def body(ctx, n):
        try:
            yield ctx.run(work)
            yield ctx.continue_as_new(n + 1)
        except Exception:
            log.append("caught")
        finally:
            log.append("left")

    w = world(body, (1,)).finish_step("w.1")
    assert (w.ex.outcome.new_args, log) == (((2,), {}), ["left"])
    assert not issubclass(ContinueAsNew, Exception)


def test_continue_as_new_with_arguments_that_do_not_fit_is_refused_at_the_line(world):
    def body(ctx, n):
        try:
            yield ctx.continue_as_new(1, 2, 3)
        except UsageError as error:
            return str(error)

    assert "the call does not fit" in world(body, (1,)).value
