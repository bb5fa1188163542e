from __future__ import annotations

import pytest

from resonate_core import commands as c
from resonate_core.errors import InvalidIdError, UsageError

COMMANDS = [
    c.Call("E.1", "run", len, ("x",), {}, begin=False),
    c.Latent("E.1", {"a": 1}),
    c.Sleep("E.1", 5.0, begin=True),
    c.Select("E.1", ()),
    c.Gather("E.1", (), return_exceptions=False, limit=None),
    c.WaitUntil("E.1", lambda: True, None),
    c.Drain("E.1"),
    c.Receive("E.1", "topic", 5.0),
    c.Post("E.1", "other", {"kind": "send"}),
    c.Cancellation("E.1", "other", {"kind": "cancel"}),
    c.SetEvent("E.1", "key", 1),
    c.GetEvent("E.1", "other", "key", None),
    c.Continue("E.1", (1,), {}),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_command_takes_options_and_returns_itself(command):
    changed = type(command).__new__(type(command))
    for name in ("id", "opts"):
        setattr(changed, name, getattr(command, name))
    assert changed.options(timeout=5).options(version=2) is changed
    assert (changed.opts.timeout, changed.opts.version, changed.id) == (5.0, 2, "E.1")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_command_has_no_place_for_a_misspelt_attribute(command):
    with pytest.raises(AttributeError):
        command.tiemout = 5


def test_option_id_becomes_the_id_of_the_command():
    command = c.Call("E.1", "rpc", "charge", (), {}, begin=False)
    assert command.options(id="order-1").id == "order-1"


def test_options_of_one_command_do_not_reach_another():
    one, other = c.Drain("E.1"), c.Drain("E.2")
    one.options(timeout=5, tags={"a": "b"})
    assert (other.opts, other.opts.timeout) == (c.DEFAULTS, None)


@pytest.mark.parametrize(("changes", "error"), [({"timout": 5}, UsageError), ({"id": ""}, InvalidIdError)])
def test_refused_option_leaves_the_command_as_it_was(changes, error):
    command = c.Drain("E.1")
    with pytest.raises(error):
        command.options(**changes)
    assert (command.id, command.opts) == ("E.1", c.DEFAULTS)


def test_select_and_gather_keep_lists_of_their_own():
    given = ["p1", "p2"]
    select = c.Select("E.1", given)
    gather = c.Gather("E.2", given, return_exceptions=True, limit=2)
    given.append("p3")
    assert select.promises == gather.items == ["p1", "p2"]
