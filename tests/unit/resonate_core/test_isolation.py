"""What passes between a durable function and a step is shared by nobody."""

from __future__ import annotations

import collections
import dataclasses

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_core import Backoff, durable, step
from resonate_core.isolation import isolated, isolated_call
from resonate_core.testing import VirtualResonate

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.sets(st.integers())
    ),
    max_leaves=12,
)


@dataclasses.dataclass
class Order:
    items: list[str]
    total: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    items: list[str]


class Struct(msgspec.Struct):
    items: list[str]


class Model(pydantic.BaseModel):
    items: list[str]


class Client:
    def __init__(self):
        self.calls = []


def containers(value):
    if isinstance(value, (list, dict, set)):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for one in inner:
        yield from containers(one)


@given(VALUES)
def test_copy_is_equal_and_shares_no_container(value):
    made = isolated(value)
    assert made == value
    assert type(made) is type(value)
    assert not {id(one) for one in containers(value)} & {id(one) for one in containers(made)}


@pytest.mark.parametrize("kind", [Order, Fixed, Struct, lambda items: Model.model_construct(items=items)])
def test_record_is_copied_with_its_fields(kind):
    given_items = ["a"]
    value = kind(given_items)
    made = isolated(value)
    assert type(made) is type(value)
    assert made.items == ["a"]
    made.items.append("b")
    assert given_items == ["a"]


@pytest.mark.parametrize(
    "value",
    [
        collections.deque([[1]], 3),
        collections.OrderedDict(a=[1]),
        collections.defaultdict(list, a=[1]),
        bytearray(b"x"),
    ],
)
def test_containers_of_the_standard_library_are_copied(value):
    made = isolated(value)
    assert made == value
    assert made is not value
    assert type(made) is type(value)


def test_what_cannot_be_recorded_is_passed_on():
    client = Client()
    assert isolated(client) is client
    assert isolated([client])[0] is client
    assert isolated(Client) is Client


def test_tuple_without_containers_stays_the_same_object():
    value = (1, ("a", None))
    assert isolated(value) is value


def test_circle_is_copied_once():
    value: list[object] = []
    value.append(value)
    made = isolated(value)
    assert made is not value
    assert made[0] is made


def test_record_that_refuses_to_be_copied_is_passed_on():
    class Stubborn(Order):
        def __copy__(self):
            raise TypeError("no")

    value = Stubborn([])
    assert isolated(value) is value


def test_arguments_that_share_something_go_on_sharing_it():
    shared = [1]
    (first, second), named = isolated_call((shared, shared), {"third": shared})
    assert first is second is named["third"]
    assert first is not shared


def test_arguments_without_containers_stay_as_they_are():
    args, kwargs = (1, "a"), {"b": None}
    assert isolated_call(args, kwargs) == (args, kwargs)
    assert isolated_call(args, kwargs)[0] is args


SEEN = []
KEPT = ["kept"]


@step(retry_policy=Backoff(1, max_attempts=3))
def adds(items):
    SEEN.append(list(items))
    items.append("changed by the step")
    if len(SEEN) < 3:
        raise ValueError("again")
    return KEPT


@durable()
def holds(ctx):
    items = ["own"]
    found = yield ctx.run(adds, items)
    found.append("changed by the function")
    return items


def test_step_does_not_change_the_function_nor_its_own_next_attempt_nor_the_other_way_round():
    client = VirtualResonate()
    client.register(holds, adds)
    SEEN.clear()
    assert client.run("h", holds) == ["own"]
    assert SEEN == [["own"]] * 3
    assert KEPT == ["kept"]
