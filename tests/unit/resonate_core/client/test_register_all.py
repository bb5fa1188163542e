"""``register_all``: what the program has marked, and nothing of the runtime's own."""

import pytest

from resonate_core import Context, Resonate, durable, marks, step


@step()
def double(number):
    return number * 2


@durable()
def doubled(ctx: Context, number):
    return (yield ctx.run(double, number))


@pytest.fixture(autouse=True)
def only_this_program(monkeypatch):
    """Other tests of this process have marked functions of the same names."""
    ours = [thing for thing in marks.all_marked() if thing.__module__ in (__name__, "resonate_core.mutex")]
    monkeypatch.setattr(marks, "_marked", ours)


def test_register_all_before_start_leaves_the_runtimes_own_to_the_worker():
    with Resonate.local() as resonate:
        resonate.register_all()
        resonate.start()
        assert resonate.run("doubled-1", doubled, 4) == 8
        resonate.register_all()


def test_register_all_without_start_takes_nothing_of_the_runtime():
    resonate = Resonate.local()
    resonate.register_all()
    names = resonate._engine.registry.names()
    assert "double" in names
    assert [name for name in names if name.startswith("resonate.")] == []
