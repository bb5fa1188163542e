"""``register_all``: what the program has marked, and nothing of the runtime's own."""

from resonate_core import Context, Resonate, durable, step


@step()
def double(number):
    return number * 2


@durable()
def doubled(ctx: Context, number):
    return (yield ctx.run(double, number))


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
