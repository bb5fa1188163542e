"""How an execution ends when messages come at its last moment, on both embedded stores."""

from __future__ import annotations

import pytest

from resonate_core import Resonate, durable, entry, signal, step
from resonate_core.errors import ExecutionClosedError


@step
def work(x=None):
    return x


@durable
class Immediate:
    def __init__(self):
        self.seen = []

    @entry
    def run(self, ctx):
        if False:
            yield
        return self.seen

    @signal
    def poke(self, who):
        self.seen.append(who)


@durable
class LeafEntry:
    seen = []  # noqa: RUF012 - what all instances saw

    @entry
    def run(self, ctx):
        return "done"

    @signal
    def poke(self, who):
        self.seen.append(who)


@durable
class Failing:
    @entry
    def run(self, ctx):
        yield ctx.recv("never")

    @signal
    def poke(self, who):
        raise ValueError(who)


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path):
    return f"memory:{tmp_path.name}" if request.param == "memory" else f"sqlite:///{tmp_path}/resonate.db"


@pytest.fixture
def resonate(url):
    client = Resonate(url if url.startswith("sqlite") else "memory:", synchronous="NORMAL")
    yield client
    client.stop(timeout=1)


def test_signal_that_was_there_before_the_function_began_is_seen_by_it(resonate):
    handle = resonate.begin_rpc("w", "Immediate")
    handle.signal("poke", "ann")
    resonate.register(Immediate)
    resonate.start()
    assert handle.result(timeout=5) == ["ann"]


def test_signal_to_a_class_whose_entry_never_yields_does_not_keep_it_from_ending(resonate):
    handle = resonate.begin_rpc("w", "LeafEntry")
    handle.signal("poke", "ann")
    resonate.register(LeafEntry)
    resonate.start()
    assert handle.result(timeout=5) == "done"
    assert LeafEntry.seen[-1] == "ann"


def test_failed_handler_ends_the_execution_although_more_messages_wait(resonate):
    handle = resonate.begin_rpc("w", "Failing")
    for who in ("ann", "bob", "eve"):
        handle.signal("poke", who)
    resonate.register(Failing)
    resonate.start()
    with pytest.raises(ValueError, match="ann"):
        handle.result(timeout=5)
    with pytest.raises(ExecutionClosedError):
        handle.signal("poke", "late")
