"""A worker by URL whose steps leave a line each: steps, a child with its own id, a plain one, a sleep, a message."""

import sys

from resonate_core import Resonate, durable, step


@step()
def mark(path, what):
    with open(path, "a") as file:  # noqa: PTH123 - one write, so that lines of two processes do not mix
        file.write(f"{what}\n")
    return 1


@durable()
def leaf(ctx, path, what):
    yield ctx.run(mark, path, what)
    yield ctx.sleep(0.2)
    return 1


@durable()
def tree(ctx, path):
    total = 0
    for number in range(3):
        total += yield ctx.run(mark, path, f"step {number}")
    named = yield ctx.begin_rpc(leaf, path, "named").options(id=f"named-{ctx.id}")
    plain = yield ctx.begin_rpc(leaf, path, "plain")
    total += yield named
    total += yield plain
    total += yield ctx.recv("go")
    yield ctx.run(mark, path, "end")
    return total


if __name__ == "__main__":
    url, group = sys.argv[1:]
    resonate = Resonate(url, group=group, ttl=1.0)
    resonate.register(mark, leaf, tree)
    resonate.serve()
