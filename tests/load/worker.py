"""A worker under load: five steps that each leave a line of what they were given and what they gave."""

from __future__ import annotations

import os
import sys
from uuid import uuid4

from resonate_core import Resonate, durable, step

STEP_COUNT = 5


@step()
def mark(path, execution, number, before):
    """Append one line, in one write, so that lines of several processes do not mix; return a token of this run."""
    token = uuid4().hex
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, f"{execution} {number} {before} {token}\n".encode())
    finally:
        os.close(file)
    return token


@durable()
def five(ctx, path):
    tokens = ["start"]
    for number in range(STEP_COUNT):
        tokens.append((yield ctx.run(mark, path, ctx.id, number, tokens[-1])))
    return tokens[1:]


if __name__ == "__main__":
    url, group = sys.argv[1:]
    resonate = Resonate(url, group=group, ttl=2)
    resonate.register(mark, five)
    resonate.serve()
