"""Every public name of the installed dbos is here or refused by name, and takes what it takes there."""

from __future__ import annotations

import inspect

import dbos as original
import pytest
from dbos import error as original_error

from compat import dbos as ours
from compat.dbos import error
from compat.dbos.missing import INSTEAD
from compat.unsupported import UnsupportedFeatureError

METHODS = sorted(name for name in dir(original.DBOS) if not name.startswith("_"))
#: What 2.x took and 3.x does not.
OLD = {"launch": {"debug_mode"}, "register_queue": {"priority_enabled", "partition_queue"}}


def positional(function) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds]


def keywords(function) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", original.__all__)
def test_name_of_the_package_is_here_or_refused(name):
    if name in INSTEAD:
        with pytest.raises(UnsupportedFeatureError, match=name):
            getattr(ours, name)
    else:
        assert name in ours.__all__
        assert getattr(ours, name) is not None


@pytest.mark.parametrize("name", METHODS)
def test_name_of_the_class_is_here_or_refused(name):
    if name in INSTEAD:
        with pytest.raises(UnsupportedFeatureError, match=name):
            getattr(ours.DBOS, name)
    else:
        assert name in dir(ours.DBOS)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in INSTEAD])
def test_method_takes_what_it_takes_in_dbos(name):
    there, here = inspect.getattr_static(original.DBOS, name), inspect.getattr_static(ours.DBOS, name)
    if not isinstance(there, (classmethod, staticmethod)):
        assert not isinstance(here, (classmethod, staticmethod))
        return
    there, here = getattr(original.DBOS, name), getattr(ours.DBOS, name)
    assert inspect.iscoroutinefunction(here) == inspect.iscoroutinefunction(there)
    if name.endswith("_async") and not positional(here):
        return  # a twin passes on what its plain form takes
    assert positional(here) == positional(there)
    takes_more = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in inspect.signature(there).parameters.values())
    assert takes_more or not set(keywords(here)) - set(keywords(there)) - OLD.get(name, set())
    for parameter in set(keywords(here)) & set(keywords(there)):
        assert keywords(here)[parameter].default == keywords(there)[parameter].default, parameter


@pytest.mark.parametrize(
    "name", [name for name, kind in vars(original_error).items() if inspect.isclass(kind) and name.startswith("DBOS")]
)
def test_error_has_its_name_and_the_same_kind_of_base(name):
    if name == "DBOSErrorCode":
        return
    is_plain = issubclass(getattr(original_error, name), Exception)
    assert issubclass(getattr(error, name), Exception) is is_plain
