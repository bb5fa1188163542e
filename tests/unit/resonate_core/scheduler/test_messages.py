"""Messages: to handlers, to ``recv``, before and after the end; none lost, none doubled, in one order for ever."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from resonate_core.context_info import ContextInfo
from resonate_core.errors import UsageError
from resonate_core.marks import durable, entry, query, signal, update
from resonate_core.protocol.requests import PromiseSettle
from tests.unit.resonate_core.scheduler.world import CODEC


def work(x=None): ...


def other(x=None): ...


@durable
class Approval:
    def __init__(self):
        self.seen = []

    @entry
    def run(self, ctx):
        first = yield ctx.run(work)
        yield ctx.wait_until(lambda: len(self.seen) >= 2)
        return first, self.seen

    @signal
    def approve(self, who):
        self.seen.append(who)

    @signal
    def slow(self, ctx, who):
        yield ctx.run(other, who)
        self.seen.append(who)

    @update
    def change(self, amount):
        self.seen.append(amount)
        return amount * 2

    @change.validator
    def check(self, amount):
        if amount < 0:
            raise ValueError("negative")

    @query
    def status(self):
        return self.seen


def test_handler_runs_at_once_where_the_entry_waits(world):
    w = world(Approval).message("signal", "approve", "ann")
    assert w.ex.instance.seen == ["ann"]
    w.finish_step("w.1", 1).message("signal", "approve", "bob")
    assert w.value == (1, ["ann", "bob"])


def test_message_before_a_step_has_ended_is_before_it_on_replay(world):
    w = world(Approval).message("signal", "approve", "ann").finish_step("w.1", 1)
    assert w.order() == ["inbox="]
    again = w.replayed()
    assert again.ex.instance.seen == ["ann"]
    assert again.message("signal", "approve", "bob").value == (1, ["ann", "bob"])


def test_message_after_the_only_source_does_not_overtake_it_on_replay(world):
    def body(ctx):
        yield ctx.run(work)
        times = [ctx.now()]
        yield ctx.recv()
        yield ctx.run(work)
        return times

    w = world(body).finish_step("w.1").message("send", None, 1).finish_step("w.3")
    assert w.replayed().value == w.value


@durable
class Caller:
    def __init__(self):
        self.seen = 0

    @entry
    def run(self, ctx):
        yield ctx.rpc("first")
        before = self.seen
        yield ctx.wait_until(lambda: self.seen > before)
        yield ctx.rpc("second" if before == 0 else "third")

    @signal
    def poke(self):
        self.seen += 1


def test_message_does_not_overtake_the_result_of_a_child_that_is_all_there_is(world):
    w = world(Caller).resolve("w.1", 1).message("signal", "poke")
    assert w.env.recorded_name(w.records["w.3"]) == "second"
    again = w.replayed()
    assert again.resolve("w.3", 2).value is None


def test_repeated_message_is_handled_once(world):
    w = world(Approval).message("signal", "approve", "ann")
    w.records["w.inbox.1"] = msgspec.structs.replace(w.records["w.inbox.0"], id="w.inbox.1")
    w.notice()
    assert w.look().ex.instance.seen == ["ann"]
    assert w.replayed().ex.instance.seen == ["ann"]


def test_signal_that_yields_is_waited_for_before_the_end(world):
    w = world(Approval).finish_step("w.1", 1)
    w.message("signal", "approve", "a").message("signal", "slow", "b").message("signal", "approve", "c")
    assert w.ex.closing
    assert w.ex.outcome is None
    w.finish_step("w.inbox.1.1")
    assert w.value == (1, ["a", "c", "b"])
    assert w.replayed().value == w.value


@durable
class Closing:
    @entry
    def run(self, ctx):
        yield ctx.begin_run(work)
        return "done"

    @signal
    def later(self, ctx, who):
        yield ctx.run(other, who)
        yield ctx.run(work, who)


def test_signal_that_came_while_children_were_waited_for_is_finished_on_replay(world):
    w = world(Closing).message("signal", "later", "ann").finish_step("w.inbox.0.1").finish_step("w.1")
    again = w.replayed()
    assert list(again.steps) == ["w.inbox.0.2"]
    assert again.finish_step("w.inbox.0.2").value == "done"


def test_failing_signal_ends_the_execution_and_no_message_takes_that_back(world):
    w = world(Approval).message("signal", "approve")
    with pytest.raises(TypeError):
        _ = w.value
    assert not w.ex.may_reopen


def test_end_of_the_function_can_be_taken_back_for_messages(world):
    w = world(Closing).finish_step("w.1")
    assert w.ex.may_reopen
    w.ex.reopen()
    w.message("signal", "later", "ann")
    assert w.ex.outcome is None
    w.finish_step("w.inbox.0.1").finish_step("w.inbox.0.2")
    assert w.value == "done"
    assert w.replayed().value == "done"


def test_update_answers_its_sender(world):
    w = world(Approval)
    w.is_eager = False
    written = []
    w._apply = written.append
    w.message("update", "change", 5, reply="r.1").flush()
    settles = [request for request in written if isinstance(request, PromiseSettle)]
    assert [(s.id, s.state, CODEC.decode_value(s.value)) for s in settles] == [("r.1", "resolved", 10)]


@durable()
class Depot:
    def __init__(self):
        self.key = False

    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: False)

    @signal
    def bring(self):
        self.key = True

    @update
    def unlock(self, ctx):
        yield ctx.wait_until(lambda: self.key)
        return "open"


def test_update_whose_handler_waits_is_accepted_before_it_answers(world):
    w = world(Depot)
    written = []
    w._apply = written.append
    w.message("update", "unlock", reply="r.1", accepted="r.1.accepted").flush()
    assert [request.id for request in written if isinstance(request, PromiseSettle)] == ["r.1.accepted"]
    w.message("signal", "bring").flush()
    assert [request.id for request in written if isinstance(request, PromiseSettle)] == ["r.1.accepted", "r.1"]


@pytest.mark.parametrize(
    ("topic", "amount", "error"), [("change", -1, ValueError), ("chang", 1, UsageError)], ids=["validator", "name"]
)
def test_update_that_is_refused_tells_its_sender_and_changes_nothing(world, topic, amount, error):
    w = world(Approval)
    written = []
    w._apply = written.append
    w.message("update", topic, amount, reply="r.1")
    settle = next(request for request in written if isinstance(request, PromiseSettle))
    assert settle.state == "rejected"
    assert isinstance(CODEC.decode_error(settle.value), error)
    assert w.ex.instance.seen == []


def receive(ctx, *topics):
    found = []
    for topic in topics:
        found.append((yield ctx.recv(topic)))
    return found


def test_recv_takes_the_first_message_of_its_topic(world):
    def body(ctx):
        return (yield from receive(ctx, "b", "a", None))

    w = world(body).message("send", "a", 1).message("send", "b", 2).message("send", None, 3)
    assert w.value == [2, 1, 3]
    assert w.replayed().value == [2, 1, 3]


def test_two_receivers_of_one_topic_get_a_message_each(world):
    def child(ctx):
        return (yield ctx.recv("t"))

    def body(ctx):
        a = yield ctx.begin_run(child)
        b = yield ctx.begin_run(child)
        return (yield a), (yield b)

    w = world(body).message("send", "t", 1)
    assert w.ex.outcome is None
    w.message("send", "t", 2)
    assert w.value == (1, 2)
    assert w.replayed().value == (1, 2)


@pytest.mark.parametrize("first", ["message", "timer"])
def test_recv_with_a_deadline_gives_what_comes_first(world, first):
    def body(ctx):
        return (yield ctx.recv("t", timeout=5))

    w = world(body)
    w.message("send", "t", 1) if first == "message" else w.resolve("w.1")
    assert w.value == (1 if first == "message" else None)
    w.message("send", "t", 2)
    assert w.replayed().value == w.value


def test_wait_until_raises_when_its_time_is_over(world):
    def body(ctx):
        try:
            yield ctx.wait_until(lambda: False, timeout=5)
        except TimeoutError as error:
            return str(error)

    w = world(body).resolve("w.1")
    assert w.value == "wait_until: the deadline passed before the condition was true"
    assert w.replayed().value == w.value


def test_wait_until_of_something_true_waits_for_nothing(world):
    def body(ctx):
        yield ctx.wait_until(lambda: True, timeout=5)
        return "ok"

    w = world(body)
    assert (w.value, w.records) == ("ok", {})


def test_predicate_that_fails_fails_at_its_yield(world):
    def body(ctx):
        try:
            yield ctx.wait_until(lambda: 1 / 0)
        except ZeroDivisionError:
            return "caught"

    assert world(body).value == "caught"


@durable
class Drained:
    def __init__(self):
        self.seen = []

    @entry
    def run(self, ctx):
        yield ctx.run(work)
        count = yield ctx.drain()
        yield ctx.run(other)
        return count, list(self.seen)

    @signal
    def poke(self, who):
        self.seen.append(who)


def test_drain_waits_for_handlers_of_all_that_has_arrived(world):
    w = world(Drained).message("signal", "poke", 1).finish_step("w.1")
    assert [ask.kind for ask in w.asks] == ["drain"]
    w.asks[0].arguments  # noqa: B018 - the worker reads the inbox and answers with its end
    ask = w.asks.pop()
    ask.then(2, None)
    w.look()
    assert "w.3" not in w.steps
    w.message("signal", "poke", 2)
    assert w.finish_step("w.3").value == (2, [1, 2])
    assert w.replayed().value == (2, [1, 2])


def test_message_is_posted_once_and_its_answer_recorded(world):
    def body(ctx):
        yield ctx.send("other", 5, "t")
        return (yield ctx.run(work))

    w = world(body)
    assert [(ask.kind, ask.arguments) for ask in w.asks] == [
        ("post", ("other", {"kind": "send", "topic": "t", "args": [5], "id": "w.1"}))
    ]
    w.answer(None)
    again = w.replayed()
    assert again.asks == []
    assert again.finish_step("w.2", 1).value == 1


def test_events_are_numbered_and_not_published_twice(world):
    def body(ctx):
        yield ctx.set_event("k", 1)
        yield ctx.set_event("k", 2)
        yield ctx.run(work)

    w = world(body)
    assert [id for id in w.records if ".event." in id] == ["w.event.k.0", "w.event.k.1"]
    again = w.replayed()
    assert len(again.moments) == 1  # the start of the step, no write


@durable
class AsksItself:
    def __init__(self, ctx, amount):
        self.made = (ctx.id, amount)

    @entry
    def run(self, ctx, amount):
        yield ctx.run(work)
        yield ctx.wait_until(ctx.all_handlers_finished)
        return self.made, self.told

    @signal
    def tell(self, ctx):
        yield ctx.run(other)
        self.told = (ctx.info.execution_id, ctx.info.run_id, ctx.info.history_length)


def test_constructor_that_takes_the_context_gets_it_before_the_arguments(world):
    w = world(AsksItself, (5,))
    assert w.ex.instance.made == ("w", 5)


def test_wait_for_all_handlers_lasts_until_the_slow_one_is_done(world):
    w = world(AsksItself, (5,)).message("signal", "tell")
    w.finish_step("w.1", 1)
    assert not w.ex.has_ended
    w.finish_step("w.inbox.0.1", 1)
    assert w.value == (("w", 5), ("w", "w", 3))


def test_long_history_suggests_to_continue_as_new(world):
    info = ContextInfo.of(world(AsksItself, (5,)).ex, "w")
    assert not info.is_continue_as_new_suggested
    assert dataclasses.replace(info, history_length=5_000).is_continue_as_new_suggested
