from __future__ import annotations

import functools
import math
import subprocess
import sys
from datetime import timedelta

import pytest

from resonate_core.errors import UsageError
from resonate_core.marks import (
    all_marked,
    durable,
    durable_mark,
    entry,
    handler_name,
    handlers_of,
    query,
    seconds_of,
    signal,
    step,
    step_mark,
    update,
)
from resonate_core.retry import Backoff, Never


def body(ctx):
    yield ctx


@durable(name="OrderWorkflow", version=2, timeout=60, tags={"a": "b"})
class Order:
    @entry
    def run(self, ctx):
        yield ctx

    @signal(name="yes")
    def approve(self, who): ...

    @query
    def status(self):
        return "waiting"

    @update
    def change(self, amount):
        return amount

    @change.validator
    def check(self, amount):
        if amount < 0:
            raise ValueError("negative")


def test_durable_attaches_name_version_and_options_and_returns_the_class():
    mark = durable_mark(Order)
    assert (mark.name, mark.version, mark.options) == ("OrderWorkflow", 2, {"timeout": 60, "tags": {"a": "b"}})
    assert Order().status() == "waiting"


@pytest.mark.parametrize("mark", [durable, durable(), durable(None)])
def test_durable_without_a_name_takes_the_functions_own(mark):
    def flow(ctx):
        yield ctx

    assert mark(flow) is flow
    assert (durable_mark(flow).name, durable_mark(flow).version) == ("flow", 1)


def test_durable_mark_is_not_inherited():
    class Special(Order):
        pass

    assert durable_mark(Special) is None


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None])
def test_durable_with_a_version_that_is_none_is_refused(version):
    with pytest.raises(UsageError, match=rf"version must be a whole number from 1, got {version!r}"):
        durable(version=version)


@pytest.mark.parametrize("name", [5, ["x"], b"x"])
@pytest.mark.parametrize("mark", [durable, step, signal, query, update, entry])
def test_name_that_is_no_text_is_refused(mark, name):
    with pytest.raises(UsageError, match=r"takes a name as text, got"):
        mark(name)


@pytest.mark.parametrize("thing", [len, functools.partial(body), "text", 5])
def test_durable_on_anything_but_a_function_or_class_is_refused(thing):
    with pytest.raises(UsageError, match="@durable marks a function or a class, got"):
        durable(name="x")(thing)


@pytest.mark.parametrize("wrapper", [staticmethod, classmethod])
@pytest.mark.parametrize("mark", [durable, step, signal])
def test_mark_above_staticmethod_would_be_lost_and_is_refused(mark, wrapper):
    with pytest.raises(UsageError, match=f"put @{wrapper.__name__} above the mark"):
        mark(name="x")(wrapper(lambda: 1))


def test_step_leaves_the_function_as_it_was():
    def charge(order, amount=1):
        return order, amount

    marked = step(name="pay", retry_policy=Backoff(1), attempt_timeout=timedelta(seconds=30), heartbeat_timeout=5)(
        charge
    )
    assert marked is charge
    assert marked("o", amount=2) == ("o", 2)
    mark = step_mark(charge)
    assert (mark.name, mark.retry_policy, mark.attempt_timeout, mark.heartbeat_timeout, mark.errors) == (
        "pay",
        Backoff(1),
        30.0,
        5.0,
        "raw",
    )


@pytest.mark.parametrize("mark", [step, step()])
def test_bare_step_is_one_attempt_without_limits(mark):
    @mark
    async def charge(): ...

    found = step_mark(charge)
    assert (found.name, found.retry_policy, found.attempt_timeout, found.errors) == ("charge", None, None, "raw")


def test_step_mark_is_seen_through_methods_and_partials():
    class Mailer:
        @step(name="send")
        def send(self, text): ...

    assert {step_mark(thing).name for thing in (Mailer.send, Mailer().send, functools.partial(Mailer().send, "x"))} == {
        "send"
    }


def test_step_on_a_callable_object_takes_the_name_of_its_class():
    class Charge:
        def __call__(self): ...

    charge = step(Charge())
    assert step_mark(charge).name == "Charge"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"errors": "loud"}, "errors must be 'raw' or 'wrapped', got 'loud'"),
        ({"attempt_timeout": -1}, "attempt_timeout must be finite and not negative, got -1"),
        ({"attempt_timeout": "5"}, "attempt_timeout must be seconds or a timedelta, got str '5'"),
        ({"heartbeat_timeout": True}, "heartbeat_timeout must be seconds or a timedelta, got bool True"),
        ({"retry_policy": 3}, "retry_policy must be None or have next"),
        ({"retry_policy": Never}, r"must be an instance, got the class Never; write Never\(\.\.\.\)"),
    ],
)
def test_step_with_an_option_it_cannot_honour_is_refused(options, text):
    with pytest.raises(UsageError, match=text):
        step(**options)


@pytest.mark.parametrize("thing", [5, "name", int])
def test_step_on_anything_but_a_function_is_refused(thing):
    with pytest.raises(UsageError, match="@step marks a function, got"):
        step(name="x")(thing)


def test_step_on_a_builtin_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"@step cannot mark <built-in function len>; .* write one around it"):
        step(len)


def test_step_on_a_generator_function_is_refused():
    with pytest.raises(UsageError, match=r"runs to its end, got the generator function .* mark it with @durable"):
        step(body)


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), (0, 0.0), (1.5, 1.5), (timedelta(minutes=1), 60.0), (10**9, 1e9)]
)
def test_duration_is_seconds_whatever_it_was_given_as(value, seconds):
    assert seconds_of(value, "x") == seconds


@pytest.mark.parametrize("value", [-1, -0.1, math.nan, math.inf, -math.inf, timedelta(seconds=-1)])
def test_duration_without_a_meaning_is_refused_by_name(value):
    with pytest.raises(UsageError, match=r"option timeout must be finite and not negative, got .*; leave it out"):
        seconds_of(value, "option timeout")


def test_handlers_are_found_by_kind_and_name():
    found = {key: attribute for key, (attribute, _) in handlers_of(Order).items()}
    assert found == {
        ("entry", "run"): "run",
        ("signal", "yes"): "approve",
        ("query", "status"): "status",
        ("update", "change"): "change",
    }


def test_validator_belongs_to_its_update():
    mark = handlers_of(Order)["update", "change"][1]
    with pytest.raises(ValueError, match="negative"):
        mark.validator(Order(), -1)


class Base:
    @signal
    def one(self): ...

    @signal(name="second")
    def two(self): ...

    @query
    def three(self): ...


class Derived(Base):
    def one(self): ...

    @signal(name="renamed")
    def two(self): ...

    three = None


def test_override_keeps_the_mark_of_what_it_overrides_and_may_replace_or_drop_it():
    assert set(handlers_of(Derived)) == {("signal", "one"), ("signal", "renamed")}
    assert set(handlers_of(Base)) == {("signal", "one"), ("signal", "second"), ("query", "three")}


def test_two_methods_for_one_name_are_refused():
    class Twice:
        @signal(name="x")
        def one(self): ...

        @signal(name="x")
        def two(self): ...

    with pytest.raises(
        UsageError, match=r"Twice has two methods for signal 'x': one and two; give one of them another"
    ):
        handlers_of(Twice)


def test_one_name_may_be_a_signal_and_a_query():
    class Both:
        @signal(name="x")
        def one(self): ...

        @query(name="x")
        def two(self): ...

    assert set(handlers_of(Both)) == {("signal", "x"), ("query", "x")}


def test_query_that_yields_is_refused():
    with pytest.raises(UsageError, match="must not yield: a query reads state"):
        query(body)


@pytest.mark.parametrize("mark", [signal, query, update])
def test_async_handler_would_never_be_awaited_and_is_refused(mark):
    async def handler(self): ...

    with pytest.raises(UsageError, match="is async, expected a plain method or a generator"):
        mark(handler)


@pytest.mark.parametrize(
    ("thing", "name"), [("yes", "yes"), (Order.approve, "yes"), (Order().approve, "yes"), (body, "body")]
)
def test_handler_is_named_by_text_method_or_function(thing, name):
    assert handler_name(thing) == name


def test_handler_named_by_anything_else_is_refused():
    with pytest.raises(UsageError, match="expected the name of a handler or a marked method, got 5"):
        handler_name(5)


def test_all_marked_lists_what_was_marked_in_order():
    def first(): ...

    def second(): ...

    step(first)
    step(second)
    assert all_marked()[-2:] == [first, second]


def test_mark_has_nothing_of_a_client():
    program = (
        "import sys, importlib.util as u\n"
        "import types\n"
        "package = types.ModuleType('resonate_core')\n"
        "package.__path__ = [u.find_spec('resonate_core').submodule_search_locations[0]] if False else PATH\n"
        "sys.modules['resonate_core'] = package\n"
        "import resonate_core.marks\n"
        "print(sorted(name for name in sys.modules if name.startswith('resonate_core.')))\n"
    )
    import resonate_core

    program = program.replace("PATH", repr(list(resonate_core.__path__)))
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['resonate_core.errors', 'resonate_core.marks', 'resonate_core.retry']"
