from __future__ import annotations

import functools
from typing import Any

import pytest

from resonate_core.errors import AlreadyRegisteredError, NotRegisteredError, UsageError
from resonate_core.marks import durable, entry, signal, step
from resonate_core.registry import Registry, describe, is_generator_function, leads_with_context, name_of, takes_context


class Context:
    pass


@durable(name="OrderFlow", version=3, timeout=60)
def order_flow(ctx, order):
    yield order


@durable
class Approval:
    @entry
    def run(self, ctx, order):
        yield order

    @signal
    def approve(self): ...


@step(name="charge")
def charge(order): ...


def plain(order): ...


def twice(function):
    @functools.wraps(function)
    def wrapper(*args):
        return (yield from function(*args))

    return wrapper


class Mailer:
    @step(name="send")
    def send(self, text): ...

    def __call__(self, text): ...


class Unhashable(Mailer):
    __hash__ = None


# -- what a thing is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thing", "name", "version", "kind", "lead"),
    [
        (order_flow, "OrderFlow", 3, "generator", 1),
        (Approval, "Approval", 1, "class", 2),
        (charge, "charge", 1, "leaf", 0),
        (plain, "plain", 1, "leaf", 0),
        (Mailer().send, "send", 1, "leaf", 0),
        (Mailer(), "Mailer", 1, "leaf", 0),
        (functools.partial(plain, 1), "plain", 1, "leaf", 0),
        (twice(order_flow), "OrderFlow", 3, "generator", 1),
        (len, "len", 1, "leaf", 0),
    ],
    ids=str,
)
def test_thing_is_described_by_its_mark_or_by_itself(thing, name, version, kind, lead):
    found = describe(thing)
    assert (found.name, found.version, found.kind, found.lead) == (name, version, kind, lead)


def test_class_is_described_with_entry_handlers_and_options():
    found = describe(Approval)
    assert found.entry == "run"
    assert set(found.handlers) == {("entry", "run"), ("signal", "approve")}
    assert found.callable is Approval.run
    assert found.has_handlers
    assert describe(order_flow).options == {"timeout": 60}


def test_name_and_version_given_win_over_the_mark():
    found = describe(order_flow, name="other", version=9)
    assert (found.name, found.version) == ("other", 9)


class NoEntry:
    @signal
    def approve(self): ...


class TwoEntries:
    @entry
    def one(self, ctx): ...

    @entry
    def two(self, ctx): ...


class NoContext:
    @entry
    def run(self): ...


@durable(timout=3)
def misspelt(ctx):
    yield


@pytest.mark.parametrize(
    ("thing", "options", "text"),
    [
        (5, {}, "only functions, methods, classes and modules are registered, got 5"),
        (lambda: 1, {}, r"a lambda has no name of its own; write register\(\.\.\., name=\.\.\.\)"),
        (NoEntry, {}, "class NoEntry has 0 methods marked @entry, expected exactly one"),
        (TwoEntries, {}, "class TwoEntries has 2 methods marked @entry, expected exactly one"),
        (NoContext, {}, "@entry NoContext.run must take ctx after self, before the arguments of the call"),
        (plain, {"version": 0}, "version must be a whole number from 1, got 0"),
        (misspelt, {}, "@durable of 'misspelt': unknown option 'timout'; known are"),
    ],
    ids=str,
)
def test_thing_that_cannot_be_registered_is_refused(thing, options, text):
    with pytest.raises(UsageError, match=text):
        describe(thing, **options)


def test_lambda_with_a_name_is_registered():
    assert describe(lambda: 1, name="one").name == "one"


@pytest.mark.parametrize(
    ("thing", "answer"),
    [
        (order_flow, True),
        (functools.partial(functools.partial(order_flow), 1), True),
        (twice(order_flow), True),
        (functools.lru_cache(order_flow), True),
        (Approval().run, True),
        (plain, False),
        (len, False),
        (Mailer(), False),
    ],
    ids=str,
)
def test_generator_function_is_seen_through_what_wraps_it(thing, answer):
    assert is_generator_function(thing) is answer


def test_name_of_a_partial_of_a_marked_step_is_that_of_the_mark():
    assert name_of(functools.partial(charge, 1)) == "charge"


# -- who takes the context --------------------------------------------------------------------------------------------


def by_name(ctx, x): ...
def by_annotation(c: Context, x): ...
def by_text(first: Context, x): ...
def by_union(first: Context | None, x): ...
def any_context(ctx: Any, x): ...
def celsius(c: float): ...
def render(context: dict): ...
def underscore(_, x): ...
def nothing(): ...
def variadic(*ctx): ...
def keyword(*, ctx): ...
def other_context(ctx: RequestContext): ...  # noqa: F821 - of the user's framework


class TakesContext:
    def __call__(self, ctx, x): ...


by_object = TakesContext()


@pytest.mark.parametrize(
    ("function", "args", "answer"),
    [
        (by_name, (1,), True),
        (by_annotation, (1,), True),
        (by_text, (1,), True),
        (by_union, (1,), True),
        (any_context, (1,), True),
        (by_object, (1,), True),
        (underscore, (1,), True),
        (celsius, (20.0,), False),
        (render, ({},), False),
        (other_context, ({},), False),
        (other_context, (), True),
        (plain, ("o",), False),
        (plain, (), True),
        (nothing, (), False),
        (nothing, (1, 2), False),
        (variadic, (1,), False),
        (keyword, (), False),
        (len, ("x",), False),
        (dict.get, ({}, 1), False),
    ],
    ids=str,
)
def test_plain_function_takes_the_context_by_annotation_name_or_fit(function, args, answer):
    assert takes_context(function, args, {}) is answer


@pytest.mark.parametrize(
    ("function", "args", "answer"),
    [
        (by_name, (1,), True),
        (by_annotation, (1,), True),
        (celsius, (20.0,), False),
        (render, ({},), False),
        (underscore, (1,), True),
        (underscore, (1, 2), False),
        (plain, (), False),
        (plain, ("o",), False),
    ],
    ids=str,
)
def test_marked_step_keeps_the_signature_it_had(function, args, answer):
    @functools.wraps(function)
    def copied(*given): ...

    assert takes_context(step(copied), args, {}) is answer


def test_keyword_arguments_count_for_the_fit():
    assert takes_context(plain, (), {"order": 1}) is False
    assert takes_context(underscore, (), {"x": 1}) is True


def test_top_level_leaf_leads_with_context_only_if_it_says_so():
    assert leads_with_context(by_name)
    assert not leads_with_context(plain)
    assert not leads_with_context(Unhashable())


# -- the table --------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry():
    return Registry()


def test_newest_version_answers_where_none_is_asked_for(registry):
    old, new = describe(plain, version=2), describe(charge, name="plain", version=10)
    for item in (new, old):
        registry.add(item)
    assert registry.get("plain") is new
    assert registry.get("plain", 2) is old
    assert registry.find("plain", 3) is None


def test_same_thing_registered_again_changes_nothing(registry):
    registry.add(describe(plain))
    registry.add(describe(plain))
    assert registry.names() == ["plain"]


def test_two_things_of_one_name_and_version_are_refused_with_both(registry):
    registry.add(describe(plain))
    with pytest.raises(
        AlreadyRegisteredError, match=r"'plain' version 1 is registered as .*plain.*, refused for .*charge"
    ):
        registry.add(describe(charge, name="plain"))
    assert registry.get("plain").thing is plain


def test_bound_method_registered_again_on_the_same_instance_is_the_same(registry):
    mailer = Mailer()
    registry.add(describe(mailer.send))
    registry.add(describe(mailer.send))
    with pytest.raises(AlreadyRegisteredError):
        registry.add(describe(Mailer().send))


def test_thing_is_found_by_itself_under_the_name_it_was_first_given(registry):
    registry.add(describe(plain, name="first"))
    registry.add(describe(plain, name="second"))
    assert registry.find_thing(plain).name == "first"
    assert registry.find_thing(charge) is None


def test_thing_that_cannot_be_hashed_is_found_by_its_name(registry):
    thing = Unhashable()
    registry.add(describe(thing))
    assert registry.find_thing(thing).thing is thing


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        ("charg", 0, r"charg is not registered here; registered are: charge, plain\. Call register\(\.\.\.\)"),
        ("charge", 7, "charge version 7 is not registered here; registered are: charge, plain"),
    ],
)
def test_name_that_nobody_registered_is_an_error_that_lists_the_others(registry, name, version, text):
    registry.add(describe(plain))
    registry.add(describe(charge))
    with pytest.raises(NotRegisteredError, match=text):
        registry.get(name, version)


def test_empty_registry_says_that_it_is_empty(registry):
    with pytest.raises(NotRegisteredError, match="registered are: nothing"):
        registry.get("x")
