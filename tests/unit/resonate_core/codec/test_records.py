from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import functools
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from resonate_core.codec import TYPES_HEADER
from resonate_core.errors import EncodeError

T = TypeVar("T")
DAY = dt.date(2024, 1, 1)


@dataclass
class Item:
    sku: str
    due: dt.date = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    items: tuple[Item, ...]
    total: decimal.Decimal


@dataclass
class Parent:
    a: int
    kind: ClassVar[str] = "parent"


@dataclass
class Child(Parent):
    b: set[int] = field(default_factory=set)
    hidden: int = field(default=3, repr=False, compare=False)


@dataclass
class Page(Generic[T]):
    items: list[T]


class Noted:
    __slots__ = ("note",)


@dataclass(slots=True)
class Slotted(Noted):
    a: int


@dataclass
class Priced:
    net: int
    gross: int = field(init=False)
    rate: InitVar[int] = 2

    def __post_init__(self, rate):
        self.net *= rate
        self.gross = self.net + 1

    @functools.cached_property
    def big(self):
        return object()


@dataclass
class Lazy:
    a: int
    later: int = field(init=False)


@dataclass
class Guarded:
    a: int

    def __setattr__(self, name, value):
        super().__setattr__(name, value if isinstance(value, list) else [value])


class WithProperty:
    @property
    def a(self):
        return self._a

    @a.setter
    def a(self, value):
        self._a = value


@dataclass
class Shadowed(WithProperty):
    a: int


@attrs.define(cache_hash=True, frozen=True)
class Attrs:
    name: str
    when: dt.date = DAY
    tags: list[str] = attrs.field(factory=list, eq=False, hash=False)
    _secret: int = 4


@attrs.define(slots=False)
class AttrsWithDict:
    a: Any
    b: int = attrs.field(default=2, validator=attrs.validators.gt(1), converter=lambda x: x * 2)


class Struct(msgspec.Struct, tag="struct", rename="camel"):
    line_items: list[Item]
    on_day: dt.date | None = None


class FrozenStruct(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    a: int
    b: tuple[int, ...] = ()


class OpenStruct(msgspec.Struct, dict=True):
    a: int


class Doubling(msgspec.Struct):
    a: int
    b: int | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self):
        self.a *= 2


class Model(pydantic.BaseModel):
    item: Item
    when: dt.datetime = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    count: int = pydantic.Field(default=1, alias="n")
    secret: str = pydantic.Field(default="none", exclude=True)
    _private: int = pydantic.PrivateAttr(default=5)


class OpenModel(pydantic.BaseModel, extra="allow", frozen=True):
    a: int

    @pydantic.field_validator("a")
    @classmethod
    def double(cls, value):
        return value * 2


class Tree(pydantic.RootModel[list[Item]]):
    pass


class GenericModel(pydantic.BaseModel, Generic[T]):
    items: list[T]


class ItemModel(GenericModel[Item]):
    more: int = 0


class Lossy(pydantic.BaseModel):
    a: int = pydantic.Field(exclude=True)


@pydantic.dataclasses.dataclass
class Checked:
    a: int
    b: list[Item] = field(default_factory=list)


class Status(enum.Enum):
    NEW = enum.auto()
    PAID = enum.auto()


class Odd(enum.Enum):
    A = (1, 2)
    B = None
    C = 1.5


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    R = 1
    W = 2


class Bits(enum.IntFlag):
    X = 1


class Color(str, enum.Enum):  # noqa: UP042 - the spelling of Python 3.10
    RED = "red"


class Planet(enum.Enum):
    EARTH = (1.0, 2)

    def __init__(self, mass, radius):
        self.mass, self.radius = mass, radius


VALUES = [
    Item("a"),
    Frozen(items=(Item("a"), Item("b")), total=decimal.Decimal("1.10")),
    Child(1, {2}, 4),
    Page[Item]([Item("a")]),
    Page([Page([1]), Page([(2,)])]),
    Slotted(1),
    Priced(5),
    Guarded(1),
    Shadowed(3),
    Attrs("n", tags=["x"], secret=9),
    AttrsWithDict((1,), 3),
    Struct([Item("a")], DAY),
    FrozenStruct(a=1, b=(2,)),
    Doubling(3),
    Doubling(3, 4),
    Model(item=Item("a"), n=3),
    OpenModel(a=1, b=Item("x"), c=[(1,)]),
    Tree([Item("a")]),
    ItemModel(items=[Item("a")]),
    Checked(1, [Item("a")]),
    Status.PAID,
    Odd.A,
    Odd.B,
    Odd.C,
    Level.LOW,
    Mode.R | Mode.W,
    Mode(0),
    Bits.X,
    Color.RED,
    Planet.EARTH,
    {"a": [Status.NEW, Status.PAID, Item("x"), {Level.LOW: Status.NEW}]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:30])
def test_record_comes_back_equal_and_of_its_class(there_and_back, value):
    found = there_and_back(value)
    assert type(found) is type(value)
    assert found == value
    assert repr(found) == repr(value)


def test_record_is_written_as_an_object_of_its_fields(codec, wire):
    value = Struct([Item("a")], DAY)
    assert wire(codec.encode_value(value)) == {
        "lineItems": [{"sku": "a", "due": "2024-01-01"}],
        "onDay": "2024-01-01",
        "type": "struct",
    }


def test_value_beside_a_record_needs_no_annotation(codec):
    payload = codec.encode_value({"plain": {"a": [1]}, "item": Item("a")})
    assert payload.headers[TYPES_HEADER].count(":") == payload.headers[TYPES_HEADER].count('":') + 1


def test_constructor_and_post_init_do_not_run_again(there_and_back, monkeypatch):
    value = Priced(5)
    monkeypatch.setattr(Priced, "__init__", lambda *_: pytest.fail("constructor ran"))
    found = there_and_back(value)
    assert (found.net, found.gross) == (10, 11)


def test_cached_property_is_left_out(there_and_back):
    value = Priced(5)
    assert value.big
    assert "big" not in vars(there_and_back(value))


def test_attribute_set_beside_the_fields_is_kept(there_and_back):
    value = Item("a")
    value.note = {"at": DAY}
    assert there_and_back(value).note == {"at": DAY}


def test_slot_of_a_base_that_is_no_field_is_kept(there_and_back):
    value = Slotted(1)
    value.note = (1,)
    assert there_and_back(value).note == (1,)


def test_attribute_of_an_open_struct_is_kept(there_and_back):
    value = OpenStruct(1)
    value.note = (1,)
    assert there_and_back(value).note == (1,)


def test_field_that_was_never_set_stays_so(there_and_back):
    found = there_and_back(Lazy(1))
    assert found.a == 1
    assert not hasattr(found, "later")


def test_cached_hash_of_attrs_does_not_travel(codec, wire, there_and_back):
    value = Attrs("n")
    assert hash(value)
    assert hash(value) not in list(wire(codec.encode_value(value)).values())
    assert hash(there_and_back(value)) == hash(value)


def test_private_and_unset_state_of_a_model_is_kept(there_and_back):
    value = Model(item=Item("a"))
    value._private = 6
    found = there_and_back(value)
    assert found._private == 6
    assert found.model_fields_set == {"item"}


def test_excluded_field_of_a_model_is_not_stored(codec, wire, there_and_back):
    value = Model(item=Item("a"), secret="hush")
    assert "hush" not in str(wire(codec.encode_value(value)))
    assert there_and_back(value).secret == "none"


def test_excluded_field_without_default_is_refused(codec):
    with pytest.raises(EncodeError, match="field 'a' of Lossy is excluded and required"):
        codec.encode_value(Lossy(a=1))


def test_secret_text_is_refused_because_it_would_be_readable(codec):
    with pytest.raises(EncodeError, match="it would be stored readable"):
        codec.encode_value({"s": pydantic.SecretStr("x")})


def test_parametrised_model_comes_back_as_the_model_it_was_made_of(there_and_back):
    found = there_and_back(GenericModel[Item](items=[Item("a")]))
    assert type(found) is GenericModel
    assert found == GenericModel[Item](items=[Item("a")])


def test_validated_value_is_not_validated_again(there_and_back):
    assert there_and_back(OpenModel(a=2)).a == 4


def test_member_of_an_enum_comes_back_as_the_same_object(there_and_back):
    assert there_and_back([Status.PAID])[0] is Status.PAID


def test_part_of_a_record_that_cannot_be_stored_is_named(codec):
    with pytest.raises(EncodeError, match=r"value\.items\[1\]\.due cannot be stored"):
        codec.encode_value(Page([Item("a"), Item("b", object())]))


def test_cycle_through_records_is_refused(codec):
    page = Page([])
    page.items.append(page)
    with pytest.raises(EncodeError, match="contains itself"):
        codec.encode_value(page)


def test_local_class_without_annotation_is_refused(codec):
    @dataclass
    class Local:
        a: int

    with pytest.raises(EncodeError, match=r"defined inside a function.*annotate the function that returns it"):
        codec.encode_value([Local(1)])


def test_local_class_with_annotation_comes_back(there_and_back):
    @dataclass
    class Local:
        day: dt.date

    found = there_and_back([Local(DAY)], list[Local])
    assert found == [Local(DAY)]


Renamed = dataclasses.make_dataclass("Hidden", ["a"])


def test_class_that_its_name_does_not_find_is_refused(codec):
    with pytest.raises(EncodeError, match="class 'Hidden' is not found under its name in module"):
        codec.encode_value(Renamed(1))


def test_name_that_leads_to_another_kind_of_class_is_refused(codec):
    @dataclass
    class Impostor:
        a: int

    Impostor.__qualname__ = "Status"
    with pytest.raises(EncodeError, match="is not found under its name"):
        codec.encode_value(Impostor(1))


class Mapping(dict):
    pass


@dataclass
class OverDict(Mapping):
    a: int


def test_dataclass_over_a_builtin_is_refused(codec):
    with pytest.raises(EncodeError, match="OverDict has no stored form"):
        codec.encode_value(OverDict(1))


@dataclass
class Failing:
    a: int

    def __getattribute__(self, name):
        if name == "a":
            raise KeyError("no database")
        return super().__getattribute__(name)


def test_record_that_cannot_be_read_is_an_encode_error(codec):
    with pytest.raises(EncodeError, match="value cannot be stored: reading it failed with KeyError: 'no database'"):
        codec.encode_value(Failing(1))


class Plain:
    pass


def test_class_that_declares_no_data_is_refused_with_advice(codec):
    with pytest.raises(EncodeError, match=r"Plain has no stored form; return a dataclass, msgspec Struct, pydantic"):
        codec.encode_value(Plain())
