"""Every exception has a stored form and comes back as its class where that can be found."""

# ruff: noqa: N818 - errors have the names that users give them

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import decimal
import email.message
import io
import json
import queue
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import traceback
import urllib.error
import zipfile
from dataclasses import dataclass

import aiohttp
import pydantic
import pydantic_core
import pytest

from resonate_core import errors
from resonate_core.codec import TYPES_HEADER, Codec
from resonate_core.codec.error_write import CHAIN_MAX, ERRORS_MAX, TEXT_MAX
from resonate_core.errors import ApplicationError, DecodeError, RemoteError
from resonate_core.protocol.records import Value


class Simple(Exception):
    pass


class TwoArguments(Exception):
    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


class KeywordOnly(Exception):
    def __init__(self, *, order, amount=0):
        super().__init__()
        self.order, self.amount = order, amount

    def __str__(self):
        return f"order {self.order} over {self.amount}"


class NoSuper(Exception):
    def __init__(self, a):
        self.a = a


class Slotted(Exception):
    __slots__ = ("code",)

    def __init__(self, code):
        super().__init__(code)
        self.code = code


@dataclass
class Data(Exception):
    code: int
    items: tuple[int, ...] = ()


class Frozen(Exception):
    def __setattr__(self, name, value):
        raise TypeError("frozen")

    def __init__(self, code):
        super().__init__(code)
        self.__dict__["code"] = code


class WithNew(Exception):
    def __new__(cls, code, **_):
        self = super().__new__(cls, code)
        self.doubled = code * 2
        return self

    def __init__(self, code, extra):
        super().__init__(code)
        self.extra = extra


class DiskFull(OSError):
    def __init__(self, path):
        super().__init__(28, "no space", path)
        self.path = path


class TwoBases(KeyError, Simple):
    pass


class WithProperty(Exception):
    @property
    def code(self):
        return self._code


class Unreadable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Counted(Exception):
    made = 0

    def __init__(self):
        type(self).made += 1


class Wrapper(Exception):
    pass


class Group(ExceptionGroup):
    def derive(self, excs):
        return Group(self.message, excs)


class Model(pydantic.BaseModel):
    a: int
    b: int = 0

    @pydantic.field_validator("b")
    @classmethod
    def check(cls, value):
        if value > 5:
            raise ValueError("too big")
        if value == 5:
            raise pydantic_core.PydanticCustomError("five", "not {what}", {"what": "5"})
        return value


def with_property():
    error = WithProperty("x")
    error._code = 5
    return error


def raised(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error
    pytest.fail("nothing was raised")


def http_error():
    headers = email.message.Message()
    headers["Retry-After"] = "3"
    return urllib.error.HTTPError("http://x/", 404, "not found", headers, io.BytesIO(b"body"))


def chained(first, second, *, from_it):
    def both():
        try:
            raise first
        except type(first) as error:
            if from_it:
                raise second from error
            raise second  # noqa: B904 - the context is the test

    return raised(both)


ERRORS = [
    ValueError("no"),
    ValueError(),
    ValueError(1, (2, {3})),
    KeyError("k"),
    IndexError(1),
    StopIteration(5),
    StopAsyncIteration(),
    ZeroDivisionError("x"),
    AssertionError({"a": (1,)}),
    TimeoutError("late"),
    MemoryError(),
    OSError("text"),
    FileNotFoundError(2, "no such file", "a.txt"),
    OSError(18, "cross", "a", None, "b"),
    BlockingIOError(11, "again"),
    ConnectionResetError(104, "reset"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "bad"),
    ImportError("no", name="m", path="/p"),
    SyntaxError("bad", ("f.py", 1, 2, "x =")),
    NameError("n", name="n"),
    Simple("a", 1),
    TwoArguments(4, "why"),
    KeywordOnly(order="o", amount=decimal.Decimal("1.10")),
    NoSuper((1,)),
    Slotted(4),
    Data(3, (1, 2)),
    Frozen(4),
    WithNew(4, extra=(1,)),
    DiskFull("/d"),
    TwoBases("k"),
    with_property(),
    ExceptionGroup("several", [ValueError(1), Simple((2,)), ExceptionGroup("in", [KeyError("k")])]),
    Group("own", [TwoArguments(1, "x")]),
    http_error(),
    urllib.error.URLError("refused"),
    raised(json.loads, "{"),
    raised(decimal.Decimal, "x"),
    subprocess.CalledProcessError(2, ["a"], b"out", "err"),
    subprocess.TimeoutExpired("cmd", 3.5),
    sqlite3.IntegrityError("unique"),
    ssl.SSLError(1, "handshake"),
    socket.gaierror(-2, "unknown name"),
    queue.Empty(),
    zipfile.BadZipFile("bad"),
    asyncio.InvalidStateError("x"),
    asyncio.IncompleteReadError(b"ab", 5),
    concurrent.futures.BrokenExecutor("x"),
    aiohttp.ServerTimeoutError("late"),
    aiohttp.ClientPayloadError("cut"),
    ApplicationError("declined", {"code": 5}, (1,), type="Declined", non_retryable=True, next_retry_delay=2.5),
    errors.StepTimeoutError("late", kind="heartbeat"),
    errors.NondeterminismError("x", recorded="a", yielded="b"),
    errors.NotFoundError("x", kind="promise.get", id="p", status=404),
    errors.CanceledError("x"),
    errors.TimedOutError("x"),
    RemoteError("x", type="Other"),
]


def parts(error):
    state = {
        key: item for key, item in vars(error).items() if key not in ("__notes__", "hdrs", "fp", "file", "_closer")
    }
    return type(error), str(error), list(map(str, error.args)), list(map(str, state)), list(map(str, state.values()))


@pytest.fixture
def back(codec):
    return lambda error: codec.decode_error(codec.encode_error(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{str(error)[:20]}")
def test_error_comes_back_as_its_class_with_text_arguments_and_state(back, error):
    found = back(error)
    assert parts(found) == parts(error)
    assert not getattr(found, "__notes__", None)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{str(error)[:20]}")
def test_error_that_came_back_can_be_stored_and_printed_again(back, error):
    found = back(back(error))
    assert parts(found) == parts(error)
    assert traceback.format_exception(found)


def test_error_is_written_as_official_sdks_read_it(codec, wire):
    plain = wire(codec.encode_error(raised(int, "x")))
    assert plain["__type"] == "error"
    assert plain["message"] == "invalid literal for int() with base 10: 'x'"
    assert plain["name"] == "ValueError"
    assert "in raised" in plain["stack"]


def test_application_error_shows_its_own_type_name(codec, wire):
    assert wire(codec.encode_error(ApplicationError("x", type="Declined")))["name"] == "Declined"


def test_types_inside_arguments_and_state_come_back(back):
    found = back(KeywordOnly(order=(1, {2}), amount=decimal.Decimal("1.1")))
    assert (found.order, found.amount) == ((1, {2}), decimal.Decimal("1.1"))


def test_arguments_of_the_operating_system_come_back(back):
    found = back(OSError(18, "cross", "a", None, "b"))
    assert (found.errno, found.strerror, found.filename, found.filename2) == (18, "cross", "a", "b")


def test_http_error_keeps_code_and_headers(back):
    found = back(http_error())
    assert (found.code, found.reason, found.headers["Retry-After"], found.url) == (404, "not found", "3", "http://x/")


def test_part_that_cannot_be_stored_prints_as_before_and_explains_itself(back):
    lock = threading.Lock()
    found = back(Simple("held", lock))
    assert str(found) == f"('held', {lock!r})"
    with pytest.raises(
        AttributeError, match=r"'acquire' is not there: .* instance of _thread.lock, which cannot be stored"
    ):
        found.args[1].acquire()


def test_constructor_does_not_run_again(codec):
    error = Counted()
    before = Counted.made
    found = codec.decode_error(codec.encode_error(error))
    assert (type(found), Counted.made) == (Counted, before)


def test_cause_comes_back_and_suppresses_the_context(back):
    found = back(chained(KeyError("k"), TwoArguments(1, "x"), from_it=True))
    assert repr(found.__cause__) == "KeyError('k')"
    assert found.__suppress_context__


def test_context_comes_back(back):
    found = back(chained(KeyError("k"), Simple("x"), from_it=False))
    assert found.__cause__ is None
    assert repr(found.__context__) == "KeyError('k')"
    assert not found.__suppress_context__


def test_context_suppressed_by_from_none_stays_away(back):
    error = chained(KeyError("k"), Simple("x"), from_it=False)
    error.__suppress_context__ = True
    found = back(error)
    assert (found.__context__, found.__cause__, found.__suppress_context__) == (None, None, True)


def test_cause_and_another_context_both_come_back(back):
    error = Simple("x")
    error.__context__ = KeyError("context")
    error.__cause__ = KeyError("cause")
    error.__suppress_context__ = False
    found = back(error)
    assert [repr(found.__cause__), repr(found.__context__)] == ["KeyError('cause')", "KeyError('context')"]


def test_notes_come_back_in_order(back):
    error = Simple("x")
    error.add_note("one")
    error.add_note("two")
    assert back(error).__notes__ == ["one", "two"]


@pytest.mark.parametrize("make", [errors.StepError, errors.ChildError])
def test_cause_of_a_wrapper_is_one_object(back, make):
    found = back(make("failed", cause=TwoArguments(1, "x")))
    assert found.cause is found.__cause__
    assert type(found.cause) is TwoArguments


@pytest.mark.parametrize("from_it", [True, False])
def test_argument_that_is_the_cause_or_context_stays_one_object(back, from_it):
    inner = KeyError("k")
    found = back(chained(inner, Wrapper(inner), from_it=from_it))
    assert found.args[0] is (found.__cause__ if from_it else found.__context__)
    assert str(found) == "'k'"


@pytest.mark.parametrize("from_it", [True, False])
def test_chain_of_wrappers_around_their_cause_grows_by_one_each(codec, from_it):
    error = KeyError("k")
    for _ in range(CHAIN_MAX - 1):
        error = chained(error, Wrapper(error), from_it=from_it)
    assert len(codec.encode_error(error).data) < 20_000


def test_errors_that_share_causes_are_written_a_bounded_number_of_times(codec, wire):
    error = Simple("first")
    for number in range(CHAIN_MAX):
        other = Simple(f"level {number}")
        other.left, other.right = error, error
        error = other
    text = json.dumps(wire(codec.encode_error(error)))
    assert text.count('"class"') == ERRORS_MAX


def test_chain_that_bites_its_tail_is_cut(back):
    one, two = Simple("one"), Simple("two")
    one.__context__, two.__context__ = two, one
    found = back(one)
    assert str(found.__context__.__context__) == "one"
    assert found.__context__.__context__.__context__ is None


def test_error_that_holds_itself_is_cut(back):
    error = Simple("me")
    error.self = error
    assert str(back(error).self) == "me"


def test_chain_longer_than_the_limit_loses_the_innermost(back):
    error = Simple("0")
    for number in range(1, CHAIN_MAX + 10):
        error = chained(error, Simple(str(number)), from_it=True)
    found, length = back(error), 0
    while found is not None:
        found, length = found.__cause__, length + 1
    assert length == CHAIN_MAX + 1


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError("x"), errors.Cancelled("c")]
)
def test_control_signal_never_comes_out_of_a_record(back, error):
    found = back(error)
    assert (type(found), str(found), found.type) == (RemoteError, str(error), type(error).__name__)


def test_group_of_control_signals_comes_back_as_a_group_of_errors(back):
    found = back(BaseExceptionGroup("stop", [KeyboardInterrupt(), ValueError(1)]))
    assert type(found) is ExceptionGroup
    assert str(found) == "stop (2 sub-exceptions)"
    assert list(map(type, found.exceptions)) == [RemoteError, ValueError]


def test_local_class_comes_back_as_remote_error_with_its_name(back):
    class Local(Exception):
        pass

    found = back(Local("x"))
    assert (type(found), found.type, str(found)) == (RemoteError, "Local", "x")
    assert found.__notes__[0].startswith(f"was {__name__}:test_local_class")


def test_local_class_comes_back_as_itself_where_it_is_known(codec):
    class Local(Exception):
        def __init__(self, *, code):
            super().__init__(f"code {code}")
            self.code = code

    found = codec.decode_error(codec.encode_error(Local(code=3)), known=[Local])
    assert (type(found), found.code) == (Local, 3)


def test_class_that_is_gone_comes_back_as_remote_error(codec):
    plain = {"__type": "error", "message": "x", "name": "Gone", "class": "gone.errors:Gone", "args": ["x"]}
    found = codec.decode_error(codec.encode_value(plain))
    assert (type(found), found.type, str(found)) == (RemoteError, "Gone", "x")
    assert "'gone.errors:Gone' cannot be found" in found.__notes__[0]


def test_class_that_moved_comes_back_through_an_alias():
    codec = Codec(aliases={"gone.errors:Gone": TwoArguments})
    state = {"code": 1, "reason": "x"}
    plain = {"__type": "error", "message": "1: x", "class": "gone.errors:Gone", "args": ["1: x"], "state": state}
    found = codec.decode_error(codec.encode_value(plain))
    assert (type(found), found.code) == (TwoArguments, 1)


def test_error_with_a_part_whose_class_is_gone_keeps_its_own_class(codec):
    header = {TYPES_HEADER: '[null,{"state":[null,{"order":"gone:Order"}]}]'}
    plain = {
        "__type": "error",
        "message": "x",
        "class": f"{__name__}:Simple",
        "args": ["x"],
        "state": {"order": {"id": 1}},
    }
    found = codec.decode_error(Value(header, codec.encode_value(plain).data))
    assert type(found) is Simple
    assert found.order.plain == {"id": 1}
    with pytest.raises(AttributeError, match="'gone:Order' cannot be found"):
        found.order.id  # noqa: B018 - reading is the test


def test_text_that_prints_otherwise_does_not_change_the_class(codec):
    plain = {"__type": "error", "message": "{'b', 'a'}", "class": "builtins:ValueError", "args": ["{'a', 'b'}"]}
    found = codec.decode_error(codec.encode_value(plain))
    assert type(found) is ValueError
    assert found.__notes__ == ["its text was \"{'b', 'a'}\""]


def test_error_that_lacks_what_its_text_needs_comes_back_as_remote_error(codec):
    plain = {"__type": "error", "message": "order 1", "class": f"{__name__}:KeywordOnly", "args": []}
    found = codec.decode_error(codec.encode_value(plain))
    assert (type(found), str(found)) == (RemoteError, "order 1")


def test_error_that_cannot_print_itself_still_has_a_stored_form(codec, wire, back):
    assert wire(codec.encode_error(Unreadable(1)))["message"].startswith("<Unreadable whose text cannot be read")
    assert type(back(Unreadable(1))) is Unreadable


def test_long_text_is_cut_in_the_message_and_whole_in_the_arguments(codec, wire, back):
    error = ValueError("x" * (TEXT_MAX + 10))
    assert len(wire(codec.encode_error(error))["message"]) == TEXT_MAX
    assert str(back(error)) == str(error)


def test_error_too_large_for_the_store_keeps_name_and_text():
    codec = Codec(max_bytes=500)
    error = Simple("short", "x" * 1_000)
    error.__class__.__str__ = lambda self: self.args[0]
    try:
        found = codec.decode_error(codec.encode_error(error))
    finally:
        del Simple.__str__
    assert (type(found), str(found), found.type) == (RemoteError, "short", "Simple")


def test_stack_keeps_the_innermost_frames_only(codec, wire):
    def deep(count):
        return deep(count - 1) if count else int("x")

    stack = wire(codec.encode_error(raised(deep, 100)))["stack"].splitlines()
    assert len(stack) == 25
    assert stack[-1].endswith("deep")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Model(a="x", b="y"),
        lambda: Model(a=1, b=9),
        lambda: Model(a=1, b=5),
        lambda: Model.model_validate_json("{"),
    ],
    ids=["types", "raised", "custom", "json"],
)
def test_validation_error_of_pydantic_comes_back(back, make):
    error = raised(make)
    found = back(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert found.errors(include_url=False, include_context=False) == error.errors(
        include_url=False, include_context=False
    )


def test_error_that_is_a_value_comes_back_inside_it(there_and_back):
    found = there_and_back({"results": [1, TwoArguments(1, "x"), ApplicationError("y", type="T")]})["results"]
    assert list(map(type, found)) == [int, TwoArguments, ApplicationError]
    assert found[1].code == 1


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:eval", "subprocess:Popen", "builtins:int", "builtins:SystemExit", 5]
)
def test_name_of_anything_but_an_error_is_a_remote_error(codec, name):
    plain = {"__type": "error", "message": "x", "class": name, "args": ["echo"]}
    assert type(codec.decode_error(codec.encode_value(plain))) is RemoteError


def test_state_cannot_replace_methods_of_the_class(codec):
    plain = {
        "__type": "error",
        "message": "x",
        "class": "builtins:ValueError",
        "args": ["x"],
        "state": {"__class__": 1, "args": 2, "__traceback__": 3, "with_traceback": 4},
    }
    found = codec.decode_error(codec.encode_value(plain))
    assert (type(found), found.args, found.__traceback__) == (ValueError, ("x",), None)


def test_endless_chain_of_foreign_causes_is_a_decode_error_not_a_crash(codec):
    text = '{"__type":"error","message":"x","cause":' * 300 + "null" + "}" * 300
    payload = Value(None, base64.b64encode(text.encode()).decode())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(450)
    try:
        with pytest.raises(DecodeError, match=r"too long to be read|not JSON"):
            codec.decode_error(payload)
    finally:
        sys.setrecursionlimit(limit)
