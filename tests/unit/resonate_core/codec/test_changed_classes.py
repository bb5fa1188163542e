"""What happens to stored values when the classes they were made of change: the next release of the same program."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

import attrs
import msgspec
import pydantic
import pytest

from resonate_core.codec import TYPES_HEADER, Codec
from resonate_core.errors import DecodeError
from resonate_core.protocol.records import Value


@dataclass
class Old:
    a: int


@dataclass
class Gained:
    a: int
    b: str = "default"
    c: list[int] = field(default_factory=lambda: [7])


@dataclass
class GainedRequired:
    a: int
    b: str


@dataclass(slots=True)
class Lost:
    c: int = 3


@dataclass
class LostWithDict:
    c: int = 3


@attrs.define
class GainedAttrs:
    a: int
    b: list[int] = attrs.field(factory=lambda: [7])


class GainedStruct(msgspec.Struct):
    a: int
    b: str = "default"


class RequiredStruct(msgspec.Struct):
    a: int
    b: str


class GainedModel(pydantic.BaseModel):
    a: int
    b: list[int] = pydantic.Field(default_factory=lambda: [7])


class RequiredModel(pydantic.BaseModel):
    a: int
    b: str


class Pair(NamedTuple):
    a: int
    b: int = 9


class Single(NamedTuple):
    a: int


class Status(enum.Enum):
    DRAFT = 1
    PENDING = 2
    PAID = 3


class Text(enum.Enum):
    PAID = "paid"


def stored(text, tag):
    return Value({TYPES_HEADER: tag}, Codec().encode_value(text).data)


def named(cls, suffix=""):
    return f'"{cls.__module__}:{cls.__qualname__}{suffix}"'


@pytest.mark.parametrize("cls", [Gained, GainedAttrs, GainedStruct, GainedModel])
def test_field_added_with_default_takes_it(codec, cls):
    assert codec.decode_value(stored({"a": 1}, named(cls))) == cls(a=1)


def test_default_factory_of_an_added_field_gives_each_value_its_own(codec):
    payload = stored({"a": 1}, named(Gained))
    codec.decode_value(payload).c.append(8)
    assert codec.decode_value(payload).c == [7]


@pytest.mark.parametrize("cls", [GainedRequired, RequiredStruct, RequiredModel])
def test_field_added_without_default_is_a_decode_error_that_names_it(codec, cls):
    with pytest.raises(DecodeError, match=rf"stored .*{cls.__name__} .*[`']b[`']"):
        codec.decode_value(stored({"a": 1}, named(cls)))


def test_added_field_of_a_model_does_not_count_as_set(codec):
    assert codec.decode_value(stored({"a": 1}, named(GainedModel))).model_fields_set == {"a"}


@pytest.mark.parametrize("cls", [Lost, GainedStruct, GainedModel])
def test_field_removed_is_dropped_where_the_class_has_no_place_for_it(codec, cls):
    found = codec.decode_value(stored({"a": 1, "c": 4, "gone": 5}, named(cls)))
    assert not hasattr(found, "gone")


def test_field_removed_stays_as_attribute_where_there_is_place(codec):
    found = codec.decode_value(stored({"c": 4, "gone": 5}, named(LostWithDict)))
    assert (found, found.gone) == (LostWithDict(4), 5)


def test_named_tuple_that_grew_takes_defaults(codec):
    assert codec.decode_value(stored([1], named(Pair))) == Pair(1, 9)


@pytest.mark.parametrize(("members", "cls"), [([1, 2], Single), ([], Pair)])
def test_named_tuple_of_another_length_is_a_decode_error(codec, members, cls):
    with pytest.raises(DecodeError, match=f"has {len(members)} members, the class has a"):
        codec.decode_value(stored(members, named(cls)))


def test_member_whose_number_moved_is_found_by_its_name(codec):
    assert codec.decode_value(stored(1, named(Status, "#PENDING"))) is Status.PENDING


def test_member_that_was_renamed_is_found_by_its_value(codec):
    assert codec.decode_value(stored(3, named(Status, "#SETTLED"))) is Status.PAID


@pytest.mark.parametrize(("plain", "tag"), [(9, named(Status, "#gone")), ("gone", named(Text))])
def test_member_that_is_gone_is_a_decode_error_that_lists_the_others(codec, plain, tag):
    with pytest.raises(DecodeError, match=r"is '?gone'?, the class has only .*PAID; keep members that were stored"):
        codec.decode_value(stored(plain, tag))


def test_moved_class_is_a_decode_error_that_says_what_to_do(codec):
    with pytest.raises(DecodeError, match=r"'gone.models:Old' cannot be found: .* is not loaded.*aliases"):
        codec.decode_value(stored({"a": 1}, '"gone.models:Old"'))


def test_moved_class_is_read_through_an_alias():
    codec = Codec(aliases={"gone.models:Old": Old})
    assert codec.decode_value(stored({"a": 1}, '"gone.models:Old"')) == Old(1)


@pytest.mark.parametrize("cls", [Old, Gained, GainedAttrs, GainedStruct, GainedModel])
def test_moved_class_is_read_by_the_annotation_of_the_reader(codec, cls):
    payload = stored([{"a": 1}], '[null,{"0":"gone.models:Old"}]')
    assert codec.decode_value(payload, list[cls]) == [cls(a=1)]


@dataclass
class Outer:
    inner: Old


class OuterStruct(msgspec.Struct):
    inner: Old


class OuterModel(pydantic.BaseModel):
    inner: Old


@pytest.mark.parametrize("cls", [Outer, OuterStruct, OuterModel])
def test_moved_class_inside_a_moved_class_is_read_by_annotation(codec, cls):
    payload = stored({"inner": {"a": 1}}, '["gone:Outer",{"inner":"gone:Old"}]')
    assert codec.decode_value(payload, cls) == cls(inner=Old(1))


@pytest.mark.parametrize("cls", [Outer, OuterStruct, OuterModel])
def test_moved_class_inside_a_known_one_never_comes_out_as_a_marker(codec, cls):
    payload = stored({"inner": {"a": 1}}, f'[{named(cls)},{{"inner":"gone:Old"}}]')
    with pytest.raises(DecodeError, match="'gone:Old' cannot be found"):
        codec.decode_value(payload, cls)


@pytest.mark.parametrize(
    "tag",
    [
        '["tuple",{"0":"gone:Old"}]',
        '["deque",{"0":"gone:Old"}]',
        '["set",{"0":"gone:Old"}]',
        '[null,{"0":[null,{"0":"gone:Old"}]}]',
    ],
)
def test_moved_class_inside_a_container_never_comes_out_as_a_marker(codec, tag):
    with pytest.raises(DecodeError, match="'gone:Old' cannot be found"):
        codec.decode_value(stored([[{"a": 1}]] if "null" in tag else [{"a": 1}], tag), object)


def test_class_that_became_something_else_is_never_called(codec):
    with pytest.raises(DecodeError, match="expected a class that declares data"):
        codec.decode_value(stored({"args": "x"}, '"subprocess:Popen"'))
