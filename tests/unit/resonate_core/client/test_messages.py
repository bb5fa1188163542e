"""Signals, updates, queries, send and recv, events: one ordered inbox."""

from __future__ import annotations

import threading
import time

import pytest

from resonate_core import (
    ExecutionClosedError,
    NotFoundError,
    Resonate,
    UsageError,
    durable,
    entry,
    query,
    signal,
    step,
    update,
)


@step()
def add(a: int, b: int) -> int:
    return a + b


@durable(name="Account")
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.is_closed = False

    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: self.is_closed)
        return self.balance

    @signal
    def deposit(self, amount: int) -> None:
        self.balance += amount

    @signal
    def slow_deposit(self, ctx, amount: int):
        self.balance += yield ctx.run(add, amount, 0)

    @signal
    def close(self) -> None:
        self.is_closed = True

    @query
    def current(self) -> int:
        return self.balance

    @update
    def withdraw(self, ctx, amount: int):
        self.balance = yield ctx.run(add, self.balance, -amount)
        return self.balance

    @withdraw.validator
    def check(self, amount: int) -> None:
        if amount > self.balance:
            raise ValueError(f"only {self.balance} left")


@durable(name="collect")
def collect(ctx, count, topic=None):
    found = []
    for _ in range(count):
        found.append((yield ctx.recv(topic, timeout=20)))
    return found


@pytest.fixture
def account(resonate):
    resonate.register(Account, collect)
    return resonate.begin_run("acc", Account)


def test_signals_of_one_sender_are_handled_once_and_in_order(account):
    for amount in range(50):
        account.signal(Account.deposit, amount)
    account.signal(Account.close)
    assert account.result(10) == sum(range(50))


def test_signals_of_many_senders_are_neither_lost_nor_doubled(account):
    threads = [threading.Thread(target=lambda: [account.signal("deposit", 1) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account.signal("close")
    assert account.result(10) == 200


def test_handler_that_yields_finishes_before_the_execution_does(account):
    account.signal(Account.slow_deposit, 5)
    account.signal(Account.close)
    assert account.result(10) in (0, 5)
    assert account.query(Account.current) == 5


def test_update_answers_with_the_handlers_value(account):
    account.signal(Account.deposit, 10)
    assert account.update(Account.withdraw, 4, timeout=10) == 6


def test_update_refused_by_its_validator_raises_and_changes_nothing(account):
    with pytest.raises(ValueError, match="only 0 left"):
        account.update(Account.withdraw, 4, timeout=10)
    assert account.query(Account.current) == 0


def test_update_of_an_unknown_name_says_which_there_are(account):
    with pytest.raises(UsageError, match="no update 'steal'; it has: withdraw"):
        account.update("steal", timeout=10)


def test_query_of_a_finished_execution_sees_the_last_state(account):
    account.signal(Account.deposit, 3)
    account.signal(Account.close)
    account.result(10)
    assert account.query("current") == 3


def test_query_sees_a_signal_while_the_function_waits_for_a_promise_that_is_not_made_yet(tmp_path):
    def waits(how):
        @durable(name="Waits")
        class Waits:
            def __init__(self) -> None:
                self.count = 0

            @entry
            def run(self, ctx):
                yield ctx.run(add, 1, 2)
                yield from how(ctx)

            @signal
            def count_up(self) -> None:
                self.count += 1

            @query
            def get(self) -> int:
                return self.count

        return Waits

    def for_ever(ctx):
        yield ctx.wait_until(lambda: False)

    def for_an_hour(ctx):
        yield ctx.sleep(3600)

    url = f"sqlite:///{tmp_path}/r.db"
    with Resonate(url) as worker:  # records the step and nothing after it
        worker.register(waits(for_ever))
        handle = worker.begin_run("w", "Waits")
        while not worker.promises.search(state="resolved"):
            time.sleep(0.001)
    with Resonate(url, group="elsewhere") as client:
        client.register(waits(for_an_hour))
        handle = client.get("w")
        handle.signal("count_up")
        assert handle.query("get") == 1


def test_query_of_an_unknown_name_says_which_there_are(account):
    with pytest.raises(UsageError, match="no query 'total'; it has: current"):
        account.query("total")


def test_query_from_a_client_without_the_code_is_answered_by_a_worker(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    with Resonate(url) as worker:
        worker.register(Account)
        worker.begin_run("acc", Account).signal("deposit", 7)
        client = Resonate(url)
        assert client.query("acc", "current", timeout=20) == 7
        client.stop()


def test_message_to_a_finished_execution_is_refused(account):
    account.signal(Account.close)
    account.result(10)
    with pytest.raises(ExecutionClosedError, match="'acc' has finished"):
        account.signal(Account.deposit, 1)


def test_message_to_an_unknown_execution_is_refused(resonate):
    with pytest.raises(NotFoundError, match="no execution 'nobody'"):
        resonate.signal("nobody", "deposit", 1)


def test_recv_takes_messages_of_its_topic_in_order(resonate):
    resonate.register(collect)
    handle = resonate.begin_run("c", collect, 2, "paid")
    resonate.send("c", "other", "elsewhere")
    resonate.send("c", 1, "paid")
    resonate.send("c", 2, "paid")
    assert handle.result(10) == [1, 2]


def test_recv_gives_none_when_the_time_is_over(resonate):
    @durable(name="waits")
    def waits(ctx):
        return (yield ctx.recv("never", timeout=0.02))

    resonate.register(waits)
    assert resonate.run("w", waits) is None


def test_send_with_the_same_key_is_one_message(resonate):
    resonate.register(collect)
    handle = resonate.begin_run("c", collect, 2)
    resonate.send("c", "a", idempotency_key="k1")
    resonate.send("c", "a", idempotency_key="k1")
    resonate.send("c", "b", idempotency_key="k2")
    assert handle.result(10) == ["a", "b"]


def test_messages_between_executions_arrive_once(resonate):
    @durable(name="sends")
    def sends(ctx, to):
        for number in range(3):
            yield ctx.send(to, number)

    resonate.register(collect, sends)
    handle = resonate.begin_run("c", collect, 3)
    resonate.run("s", sends, "c")
    assert handle.result(10) == [0, 1, 2]


def test_events_are_read_by_clients_and_executions(resonate):
    @durable(name="publishes")
    def publishes(ctx):
        yield ctx.set_event("state", "one")
        yield ctx.set_event("state", "two")

    @durable(name="reads")
    def reads(ctx, source):
        first = yield ctx.get_event(source, "state", timeout=10)
        none = yield ctx.get_event(source, "missing", timeout=0.02)
        return first, none

    resonate.register(publishes, reads)
    resonate.run("p", publishes)
    assert resonate.run("r", reads, "p") == ("two", None)
    assert resonate.get_event("p", "state") == "two"
    assert resonate.get_event("p", "missing", timeout=0.02) is None


def test_drain_lets_handlers_run_before_state_is_read(resonate):
    started, go_on = threading.Event(), threading.Event()

    @step()
    def work():
        started.set()
        go_on.wait(10)

    @durable(name="Job")
    class Job:
        def __init__(self):
            self.is_cancelled = False

        @entry
        def run(self, ctx):
            yield ctx.run(work)
            yield ctx.drain()
            return "cancelled" if self.is_cancelled else "done"

        @signal
        def stop(self):
            self.is_cancelled = True

    resonate.register(Job)
    handle = resonate.begin_run("j", Job)
    started.wait(10)
    handle.signal(Job.stop)
    go_on.set()
    assert handle.result(10) == "cancelled"


def test_wait_until_raises_timeout_error_when_nothing_comes(resonate):
    @durable(name="impatient")
    def impatient(ctx):
        try:
            yield ctx.wait_until(lambda: False, timeout=0.02)
        except TimeoutError:
            return "late"

    resonate.register(impatient)
    assert resonate.run("i", impatient) == "late"


def test_failing_signal_handler_fails_the_execution(resonate):
    @durable(name="Fragile")
    class Fragile:
        @entry
        def run(self, ctx):
            yield ctx.sleep(60)

        @signal
        def hit(self):
            raise LookupError("broken")

    resonate.register(Fragile)
    handle = resonate.begin_run("f", Fragile)
    handle.signal("hit")
    with pytest.raises(LookupError, match="broken"):
        handle.result(10)
