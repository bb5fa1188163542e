from __future__ import annotations

import base64
import collections.abc
import datetime as dt
import functools
import gc
import json
import typing
import weakref
from dataclasses import dataclass

import pytest

from resonate_core.codec import TYPES_HEADER, return_hint
from resonate_core.errors import DecodeError, EncodeError
from resonate_core.marks import durable, entry, step
from resonate_core.protocol.records import Value

if typing.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

    from nowhere import Context

DAY = dt.date(2024, 1, 2)
ISO = "2024-01-02"


@dataclass
class Order:
    id: str
    due: dt.date | None = None


def foreign(call):
    return Value(None, base64.b64encode(json.dumps(call).encode()).decode())


def charge(ctx: Context, order: Order, *rest: dt.date, at: dt.date = DAY, **more: dt.date):
    return ctx, order, rest, at, more


class Mailer:
    def send(self, ctx: Context, due: dt.date): ...

    @classmethod
    def make(cls, due: dt.date): ...

    @staticmethod
    def plain(due: dt.date): ...

    def __call__(self, due: dt.date): ...


class Unhashable(Mailer):
    __hash__ = None


def untyped(a, b=1): ...


def test_call_is_written_as_official_sdks_write_it(codec):
    payload = codec.encode_invocation("charge", ("c-7",), {"cents": 1250}, 2, {})
    call = {"func": "charge", "args": ["c-7"], "kwargs": {"cents": 1250}, "version": 2}
    assert json.loads(base64.b64decode(payload.data)) == call
    assert payload.headers is None


def test_example_call_of_the_protocol_is_read(codec):
    data = "eyJmdW5jIjoiY2hhcmdlIiwiYXJncyI6WyJjLTciXSwia3dhcmdzIjp7ImNlbnRzIjoxMjUwfSwidmVyc2lvbiI6Mn0="
    call = codec.decode_invocation(Value(None, data))
    assert (call.func, call.args, call.kwargs, call.version, call.extra) == (
        "charge",
        ("c-7",),
        {"cents": 1250},
        2,
        {},
    )


def test_arguments_of_any_stored_type_come_back(codec):
    payload = codec.encode_invocation("f", (Order("a", DAY), (1,)), {"when": DAY, "n": 1}, 1, {})
    call = codec.decode_invocation(payload)
    assert call.args == (Order("a", DAY), (1,))
    assert call.kwargs == {"when": DAY, "n": 1}


def test_further_keys_travel_and_never_replace_the_call(codec):
    payload = codec.encode_invocation("f", (1,), {}, 1, {"retry": {"type": "never"}, "func": "evil", "args": [2]})
    call = codec.decode_invocation(payload)
    assert (call.func, call.args, call.extra) == ("f", (1,), {"retry": {"type": "never"}})


@pytest.mark.parametrize(
    ("call", "args", "kwargs", "version"),
    [
        ({"func": "f"}, (), {}, 1),
        ({"func": "f", "args": [1], "version": 3}, (1,), {}, 3),
        ({"func": "f", "args": None, "kwargs": None, "version": None}, (), {}, 1),
        ({"func": "f", "args": [], "version": 0}, (), {}, 0),
    ],
)
def test_call_of_foreign_writers_has_defaults(codec, call, args, kwargs, version):
    found = codec.decode_invocation(foreign(call))
    assert (found.args, found.kwargs, found.version) == (args, kwargs, version)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (5, "expected a call .* found 5"),
        (None, "expected a call .* found None"),
        ([], "expected a call"),
        ({"args": []}, "with func of type str"),
        ({"func": 5}, "with func of type str"),
        ({"func": "f", "args": {}}, "with args of type list"),
        ({"func": "f", "kwargs": []}, "with kwargs of type dict"),
        ({"func": "f", "version": "2"}, "version is a whole number, found '2'"),
        ({"func": "f", "version": True}, "version is a whole number, found True"),
    ],
    ids=str,
)
def test_payload_that_is_no_call_is_a_decode_error(codec, call, text):
    with pytest.raises(DecodeError, match=text):
        codec.decode_invocation(foreign(call))


@pytest.mark.parametrize(
    "header", ["5", '"tuple"', "[1]", "[null,5]", '[null,{"args":5}]', '[null,{"args":[null,{}]}]']
)
def test_damaged_annotation_of_a_call_is_a_decode_error(codec, header):
    with pytest.raises(DecodeError):
        codec.decode_invocation(Value({TYPES_HEADER: header}, foreign({"func": "f", "args": [1]}).data))


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1, object()), {}, r"argument 2 of 'f' cannot be stored: an instance of builtins\.object"),
        ((), {"x": [object()]}, r"argument 'x' of 'f'\[0\] cannot be stored"),
    ],
)
def test_argument_that_cannot_be_stored_is_named(codec, args, kwargs, text):
    with pytest.raises(EncodeError, match=text):
        codec.encode_invocation("f", args, kwargs, 1, {})


def test_arguments_are_read_by_annotation_of_the_parameters(codec):
    call = codec.decode_invocation(
        foreign({"func": "f", "args": [{"id": "a"}, ISO, ISO], "kwargs": {"at": ISO, "other": ISO}})
    )
    assert codec.decode_arguments(call, charge, skip=1) == (
        (Order("a"), DAY, DAY),
        {"at": DAY, "other": DAY},
    )


def test_named_argument_is_read_by_annotation_of_its_parameter(codec):
    call = codec.decode_invocation(foreign({"func": "f", "kwargs": {"order": {"id": "a", "due": ISO}}}))
    assert codec.decode_arguments(call, charge, skip=1) == ((), {"order": Order("a", DAY)})


@pytest.mark.parametrize(
    ("function", "skip"),
    [
        (Mailer().send, 1),
        (Mailer.send, 2),
        (Mailer.make, 0),
        (Mailer.plain, 0),
        (Mailer(), 0),
        (Unhashable(), 0),
        (functools.partial(Mailer.plain), 0),
        (functools.wraps(Mailer.plain)(lambda *a: a), 0),
    ],
    ids=["method", "function of a class", "classmethod", "static", "object", "unhashable", "partial", "wrapped"],
)
def test_anything_callable_gives_its_annotations(codec, function, skip):
    call = codec.decode_invocation(foreign({"func": "f", "args": [ISO]}))
    assert codec.decode_arguments(call, function, skip=skip) == ((DAY,), {})


@pytest.mark.parametrize("function", [untyped, len, dict.get, print])
def test_function_without_annotations_gets_plain_values(codec, function):
    call = codec.decode_invocation(foreign({"func": "f", "args": [ISO, {"a": 1}]}))
    assert codec.decode_arguments(call, function) == ((ISO, {"a": 1}), {})


def test_argument_that_does_not_fit_is_named(codec):
    call = codec.decode_invocation(foreign({"func": "pay", "args": [{"id": "a", "due": "soon"}]}))
    with pytest.raises(DecodeError, match=r"argument 1 of 'pay': value\.due: .*expected date, found 'soon'"):
        codec.decode_arguments(call, charge, skip=1)


def test_more_arguments_than_parameters_stay_plain_for_the_call_to_refuse(codec):
    call = codec.decode_invocation(foreign({"func": "f", "args": [1, 2, 3]}))
    assert codec.decode_arguments(call, untyped) == ((1, 2, 3), {})


def test_each_reading_of_arguments_gives_objects_of_its_own(codec):
    call = codec.decode_invocation(codec.encode_invocation("f", ([1, (2,)],), {"k": {"d": DAY}}, 1, {}))
    call.args[0].append(3)
    assert call.args == ([1, (2,)],)
    assert codec.decode_arguments(call, untyped) == (([1, (2,)],), {"k": {"d": DAY}})


def test_reading_for_a_bound_method_does_not_keep_its_instance(codec):
    mailer = Mailer()
    gone = weakref.ref(mailer)
    codec.decode_arguments(codec.decode_invocation(foreign({"func": "f"})), mailer.send, skip=1)
    return_hint(mailer.send)
    del mailer
    gc.collect()
    assert gone() is None


def plain() -> Order: ...
def body(ctx: Context) -> Generator[typing.Any, typing.Any, Order]: ...
def old_body(ctx) -> typing.Generator[typing.Any, typing.Any, Order]: ...
def body_with_iterator() -> Iterator[Order]: ...
async def asynchronous(x: Context) -> Order: ...
def waits() -> Awaitable[Order]: ...
def coroutine() -> Coroutine[typing.Any, typing.Any, Order]: ...
def calls() -> Callable[[], Order]: ...
def unresolvable() -> Context: ...
def silent(): ...


@durable
class Flow:
    @entry
    def run(self, ctx: Context) -> Generator[typing.Any, typing.Any, Order]: ...


@step
def marked() -> list[Order]: ...


# Generator and its kin are imported for the type checker only, as users do; these resolve them at run time.
for kin in ("Generator", "Awaitable", "Coroutine", "Iterator"):
    globals()[kin] = getattr(collections.abc, kin)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (plain, Order),
        (body, Order),
        (old_body, Order),
        (asynchronous, Order),
        (waits, Order),
        (coroutine, Order),
        (marked, list[Order]),
        (Flow, Order),
        (Flow().run, Order),
        (functools.partial(plain), Order),
        (Order, typing.Any),
        (unresolvable, typing.Any),
        (silent, typing.Any),
        (len, typing.Any),
        (Unhashable(), typing.Any),
    ],
    ids=str,
)
def test_return_hint_is_what_comes_out_at_the_end(function, hint):
    assert return_hint(function) == hint
