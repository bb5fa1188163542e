"""Starting durable functions and what comes back."""

from __future__ import annotations

import asyncio
import dataclasses
import threading

import pytest

from resonate_core import (
    ApplicationError,
    Backoff,
    NotFoundError,
    NotRegisteredError,
    StepError,
    UsageError,
    durable,
    step,
)


@dataclasses.dataclass
class Order:
    id: str
    items: list[str]


@step()
def price(item: str) -> int:
    return len(item)


@step()
async def price_async(item: str) -> int:
    await asyncio.sleep(0)
    return len(item)


@step()
def refuse() -> None:
    raise ValueError("refused")


@durable()
def total(ctx, order: Order):
    amount = 0
    for item in order.items:
        amount += yield ctx.run(price, item)
    return amount


@durable()
def fan_out(ctx, items):
    promises = []
    for item in items:
        promises.append((yield ctx.begin_run(price_async, item)))
    amount = 0
    for promise in promises:
        amount += yield promise
    return amount


def test_run_of_a_loop_of_steps_returns_the_value(resonate):
    resonate.register(total)
    assert resonate.run("order-1", total, Order("1", ["tea", "cup"])) == 6


def test_run_decodes_arguments_by_annotation(resonate):
    seen = []

    @durable(name="look")
    def look(ctx, order: Order):
        seen.append(order)
        yield ctx.run(price, "x")

    resonate.register(look)
    resonate.run("look-1", look, Order("1", ["tea"]))
    assert seen == [Order("1", ["tea"])]


def test_async_steps_in_a_fan_out_are_awaited(resonate):
    resonate.register(fan_out)
    assert resonate.run("fan-1", fan_out, ["a", "bb", "ccc"]) == 6


def test_second_run_of_an_id_returns_the_first_result_and_runs_nothing(resonate):
    count = []

    @step()
    def note():
        count.append(1)

    @durable(name="once")
    def once(ctx):
        yield ctx.run(note)
        return len(count)

    resonate.register(once)
    assert [resonate.run("once-1", once), resonate.run("once-1", once)] == [1, 1]
    assert count == [1]


def test_id_of_another_function_is_refused_by_name(resonate):
    resonate.register(total, fan_out)
    resonate.run("one", total, Order("1", []))
    with pytest.raises(UsageError, match="'one' belongs to an execution of 'total', refused for 'fan_out'"):
        resonate.run("one", fan_out, [])


def test_error_of_a_step_arrives_as_itself(resonate):
    @durable(name="fails")
    def fails(ctx):
        yield ctx.run(refuse)

    resonate.register(fails)
    with pytest.raises(ValueError, match="refused"):
        resonate.run("fails-1", fails)


def test_compensation_runs_in_the_except_block(resonate):
    undone = []

    @step()
    def undo(what):
        undone.append(what)

    @durable(name="saga")
    def saga(ctx):
        done = []
        try:
            yield ctx.run(price, "hotel")
            done.append("hotel")
            yield ctx.run(refuse)
        except ValueError:
            for what in reversed(done):
                yield ctx.run(undo, what)
            raise ApplicationError("trip refused", type="Refused") from None

    resonate.register(saga)
    with pytest.raises(ApplicationError) as caught:
        resonate.run("saga-1", saga)
    assert (caught.value.type, undone) == ("Refused", ["hotel"])


def test_wrapped_errors_say_step_attempts_and_cause(resonate):
    @step(retry_policy=Backoff(0, max_attempts=3))
    def always_fails():
        raise KeyError("k")

    @durable(name="wraps")
    def wraps(ctx):
        try:
            yield ctx.run(always_fails).options(errors="wrapped")
        except StepError as error:
            return error.step, error.attempts, error.retry_state, type(error.cause).__name__

    resonate.register(wraps)
    assert resonate.run("w", wraps) == ("always_fails", 3, "maximum_attempts_reached", "KeyError")


def test_child_by_rpc_returns_value_and_raises_its_error(resonate):
    @durable(name="child")
    def child(ctx, fails):
        yield ctx.run(price, "a")
        if fails:
            raise LookupError("child failed")
        return "fine"

    @durable(name="parent")
    def parent(ctx):
        first = yield ctx.rpc(child, False)
        try:
            yield ctx.rpc("child", True)
        except LookupError as error:
            return first, str(error)

    resonate.register(child, parent)
    assert resonate.run("p", parent) == ("fine", "child failed")


def test_a_body_without_a_yield_runs_as_a_step(resonate):
    thread = []

    @durable(name="plain")
    def plain(ctx, x):
        thread.append(threading.current_thread().name)
        return x + 1

    resonate.register(plain)
    assert resonate.run("plain-1", plain, 1) == 2
    assert thread != ["resonate-worker"]


def test_registered_substitute_takes_the_place_of_a_step(resonate):
    @step(name="price")
    def fake(item):
        return 100

    resonate.register(total, fake)
    assert resonate.run("order-1", total, Order("1", ["tea"])) == 100


@pytest.mark.parametrize("own", [False, True])
def test_substitute_is_tried_as_often_as_the_step_unless_it_says_so_itself(resonate, own):
    tries = []

    def fake(item):
        tries.append(item)
        raise ValueError("out of stock")

    resonate.register(total)
    resonate.register(step(retry_policy=Backoff(0.001, max_attempts=2))(fake) if own else fake, name="price")
    with pytest.raises(ValueError, match="out of stock"):
        resonate.run("order-1", total, Order("1", ["tea"]))
    assert len(tries) == (2 if own else 1)


def test_bound_method_is_called_on_its_instance(resonate):
    class Mailer:
        def __init__(self, host):
            self.host = host

        @step()
        def send(self, text):
            return f"{self.host}: {text}"

    @durable(name="mails")
    def mails(ctx):
        return (yield ctx.run(Mailer.send, "hello"))

    resonate.register(mails, Mailer("smtp").send)
    assert resonate.run("m", mails) == "smtp: hello"


@pytest.mark.parametrize("bad", ["", "a\x00b", "x" * 300, "order~1"])
def test_bad_id_is_refused_by_name(resonate, bad):
    resonate.register(total)
    with pytest.raises(UsageError):
        resonate.run(bad, total, Order("1", []))


def test_wrong_arguments_are_refused_before_anything_is_stored(resonate):
    resonate.register(total)
    with pytest.raises(UsageError, match="total takes order; the call does not fit"):
        resonate.run("order-1", total)
    with pytest.raises(NotFoundError):
        resonate.get("order-1")


def test_unregistered_function_is_refused_with_what_to_do(resonate):
    with pytest.raises(NotRegisteredError, match=r"register\(total\)"):
        resonate.run("order-1", total, Order("1", []))


def test_yielding_a_list_says_gather(resonate):
    @durable(name="yields_list")
    def yields_list(ctx):
        try:
            yield [ctx.run(price, "a")]
        except UsageError as error:
            return str(error)

    resonate.register(yields_list)
    assert "yield ctx.gather(*...)" in resonate.run("y", yields_list)


@pytest.mark.parametrize("seconds", [float("nan"), "5"])
def test_sleep_of_no_duration_is_refused(resonate, seconds):
    @durable(name="sleeps")
    def sleeps(ctx, value):
        try:
            yield ctx.sleep(float(value) if value == "nan" else value)
        except UsageError as error:
            return str(error)

    resonate.register(sleeps)
    assert "seconds or a timedelta" in resonate.run("s", sleeps, "nan" if isinstance(seconds, float) else seconds)


def test_negative_sleep_goes_on_at_once(resonate):
    @durable(name="sleeps")
    def sleeps(ctx):
        yield ctx.sleep(-1)
        return "woke"

    resonate.register(sleeps)
    assert resonate.run("s", sleeps) == "woke"


def test_step_that_returns_what_cannot_be_stored_fails_by_name(resonate):
    @step()
    def gives_lock():
        return threading.Lock()

    @durable(name="locks")
    def locks(ctx):
        try:
            yield ctx.run(gives_lock)
        except Exception as error:
            return type(error).__name__

    resonate.register(locks)
    assert resonate.run("l", locks) == "EncodeError"


def test_exit_in_a_step_is_an_error_and_the_process_lives(resonate):
    @step()
    def leaves():
        raise SystemExit(3)

    @durable(name="leaver")
    def leaver(ctx):
        try:
            yield ctx.run(leaves)
        except Exception as error:
            return type(error).__name__

    resonate.register(leaver)
    assert resonate.run("l", leaver) == "StepCrashedError"


def test_blocking_call_in_a_body_is_refused(resonate):
    @durable(name="blocks")
    def blocks(ctx):
        yield ctx.run(price, "a")
        try:
            resonate.run("other", total, Order("1", []))
        except UsageError as error:
            return str(error)

    resonate.register(blocks, total)
    assert "ctx.rpc" in resonate.run("b", blocks)


def test_free_values_are_the_same_on_replay(resonate):
    values = []

    @durable(name="free")
    def free(ctx):
        values.append((ctx.now(), ctx.uuid4(), ctx.rng.random()))
        yield ctx.run(price, "a")
        return str(values[-1][1])

    resonate.register(free)
    assert resonate.run("f", free) == str(values[0][1])
    assert values[0][0].tzinfo is not None


def test_plain_decorator_registers_and_gives_a_function_that_starts(resonate):
    @resonate.register
    def greet(ctx, name):
        yield ctx.run(price, name)
        return f"hello {name}"

    assert greet.run("g", "ann") == "hello ann"
    assert greet.name == "greet"


def test_aio_runs_the_same_programs(url):
    from resonate_core import Resonate

    async def main():
        async with Resonate(url) as client:
            client.register(total, fan_out)
            handle = await client.aio.begin_run("a", fan_out, ["x"])
            return await handle, await client.aio.rpc("b", total, Order("1", ["tea"]))

    assert asyncio.run(main()) == (1, 3)


def test_async_step_runs_on_the_programs_loop(url):
    from resonate_core import Resonate

    loops = []

    @step()
    async def which():
        loops.append(asyncio.get_running_loop())

    @durable(name="loops")
    def on_loop(ctx):
        yield ctx.run(which)

    async def main():
        async with Resonate(url) as client:
            client.register(on_loop)
            await client.aio.run("a", on_loop)
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert loops == [loop]
