"""Programs whose outcome tells whether anything was lost, doubled or changed."""

from __future__ import annotations

import itertools

from resonate_core import Backoff, Queue, durable, entry, signal, step

_tokens = itertools.count()
#: Every execution of a step, by name: more than recorded results, never fewer.
executed: list[tuple[str, int]] = []


@step(retry_policy=Backoff(1, max_attempts=20))
def token(label: str) -> int:
    """Give a number that no other execution of any step has given."""
    number = next(_tokens)
    executed.append((label, number))
    return number


@step(retry_policy=Backoff(1, factor=1))
def flaky(label: str) -> int:
    """Fail two times in three."""
    number = next(_tokens)
    executed.append((label, number))
    if number % 3:
        raise ConnectionError(label)
    return number


@step()
def refuse() -> None:
    """Fail for good."""
    raise LookupError("after all")


@durable()
def sequence(ctx, count):
    found = []
    for index in range(count):
        found.append((yield ctx.run(token, f"{ctx.id}/{index}")))
    return found


@durable()
def fan_out(ctx, count):
    promises = []
    for index in range(count):
        promises.append((yield ctx.begin_run(flaky, f"{ctx.id}/{index}")))
    found = []
    for promise in promises:
        found.append((yield promise))
    return found


@durable()
def family(ctx, depth):
    own = yield ctx.run(token, ctx.id)
    if depth == 0:
        return [own]
    below = yield ctx.gather(ctx.rpc(family, depth - 1), ctx.run(family, depth - 1))
    return [own, *below[0], *below[1]]


@durable()
def race(ctx, rounds):
    won = []
    for index in range(rounds):
        work = yield ctx.begin_rpc(sequence, 2)
        timer = yield ctx.begin_sleep(1 + index)
        which, _ = yield ctx.select(work, timer)
        won.append((which, (yield ctx.run(token, f"{ctx.id}/{index}"))))
        won.append((yield work))
    return won


@durable()
def saga(ctx, count):
    done = []
    try:
        for index in range(count):
            done.append((yield ctx.run(token, f"{ctx.id}/{index}")))
        yield ctx.sleep(30)
        yield ctx.run(refuse)
    except LookupError:
        undone = []
        for number in reversed(done):
            undone.append((number, (yield ctx.run(token, f"{ctx.id}/undo"))))
        return undone


@durable()
def chain(ctx, number, found):
    found = [*found, (yield ctx.run(token, f"{ctx.id}/{number}"))]
    if number:
        yield ctx.continue_as_new(number - 1, found)
    return found


@durable(name="Ledger")
class Ledger:
    """Adds up what it is sent, doing work between, and ends when told how many there were."""

    def __init__(self):
        self.seen = []
        self.expected = None

    @entry
    def run(self, ctx):
        worked = []
        while self.expected is None or len(self.seen) < self.expected:
            before = len(self.seen)
            worked.append((yield ctx.run(token, f"{ctx.id}/{before}")))
            yield ctx.wait_until(lambda: len(self.seen) > before or self.expected == len(self.seen))  # noqa: B023
        return self.seen, worked

    @signal
    def add(self, what):
        self.seen.append(what)

    @signal
    def end(self, expected):
        self.expected = expected


@durable()
def teller(ctx, to, name, count):
    for index in range(count):
        yield ctx.signal(to, "add", [name, index])
        yield ctx.run(token, f"{ctx.id}/{index}")
    return count


@durable()
def bank(ctx, tellers, count):
    """Let several senders talk to one ledger, then tell it how many messages there were."""
    yield ctx.detached(Ledger).options(id=f"{ctx.id}-ledger")
    yield ctx.gather(*[ctx.rpc(teller, f"{ctx.id}-ledger", str(index), count) for index in range(tellers)])
    yield ctx.signal(f"{ctx.id}-ledger", "end", tellers * count)


@durable()
def listener(ctx, count):
    found = []
    while len(found) < count:
        message = yield ctx.recv("news", timeout=3)
        if message is not None:
            found.append(message)
        else:
            yield ctx.run(token, f"{ctx.id}/idle")
    return found


@durable()
def reporter(ctx, to, count):
    for index in range(count):
        yield ctx.sleep(index)
        yield ctx.send(to, index, "news")


COUNTER = Queue("simulated", concurrency=1)


@durable()
def served(ctx):
    began = yield ctx.run(token, f"{ctx.id}/began")
    yield ctx.sleep(1)
    return [began, (yield ctx.run(token, f"{ctx.id}/ended"))]


@durable()
def customers(ctx, count):
    """Let several executions stand in a queue that serves one at a time."""
    return (yield ctx.gather(*[ctx.enqueue(COUNTER, served) for _ in range(count)]))


PROGRAMS = (
    *(token, flaky, sequence, fan_out, family, race, saga, chain, Ledger, teller, bank, listener, reporter),
    *(served, customers),
)


def restart() -> None:
    """Count from the beginning again: two runs of one seed give the same numbers."""
    global _tokens  # noqa: PLW0603 - the counter is the world outside
    _tokens = itertools.count()
