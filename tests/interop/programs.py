"""Durable functions that use what servers differ in: children, ids of their own, deadlines, messages, leases."""

from __future__ import annotations

import time

from resonate_core import Cancelled, Mutex, Queue, durable, entry, query, signal, step, update


@step()
def add(a, b):
    return a + b


@step()
def refuse():
    raise ValueError("no")


@step()
def rest(seconds):
    time.sleep(seconds)


#: What steps that can be looked at only from outside have left.
NOTES: list[str] = []


@step(name="note")
def note(text):
    NOTES.append(text)


@durable()
def total(ctx, count):
    number = 0
    for summand in range(count):
        number = yield ctx.run(add, number, summand)
    return number


@durable()
def plus_one(ctx, number):
    return (yield ctx.run(add, number, 1))


@durable()
def fan_out(ctx, count):
    children = []
    for number in range(count):
        children.append((yield ctx.begin_rpc(plus_one, number)))
    numbers = []
    for child in children:
        numbers.append((yield child))
    return sum(numbers)


@durable()
def slow_child(ctx, seconds):
    yield ctx.sleep(seconds)
    return "late"


@durable()
def leaves_a_child(ctx, seconds):
    yield ctx.begin_rpc(slow_child, seconds)
    return "left"


@durable()
def awaits_named_child(ctx, child_id, seconds):
    return (yield ctx.rpc(slow_child, seconds).options(id=child_id))


@durable()
def approval(ctx, seconds):
    approved = yield ctx.promise(id=f"{ctx.id}/approve").options(timeout=seconds)
    try:
        return (yield approved)
    except TimeoutError:
        return "nobody"


@durable()
def own_deadline(ctx, seconds):
    promise = yield ctx.promise().options(timeout=seconds)
    try:
        return (yield promise)
    except TimeoutError:
        return "nobody"


@durable()
class Basket:
    def __init__(self):
        self.things = []
        self.is_closed = False

    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: self.is_closed)
        return self.things

    @signal
    def put(self, thing):
        self.things.append(thing)

    @signal
    def close(self):
        self.is_closed = True

    @query
    def content(self):
        return list(self.things)

    @update
    def put_counted(self, thing):
        self.things.append(thing)
        return len(self.things)


@durable()
def receiver(ctx):
    first = yield ctx.recv("news", timeout=20)
    yield ctx.set_event("heard", first)
    second = yield ctx.recv("news", timeout=0.2)
    return [first, second]


@durable()
def in_rounds(ctx, number):
    yield ctx.run(add, number, 1)
    if number < 3:
        yield ctx.continue_as_new(number + 1)
    return number


@durable()
def works(ctx, seconds):
    yield ctx.run(rest, seconds)
    return "done"


@durable()
def fails(ctx):
    yield ctx.run(refuse)


@durable()
def first_of_two(ctx, short, long):
    quick = yield ctx.begin_sleep(short)
    slow = yield ctx.begin_sleep(long)
    index, _ = yield ctx.select(slow, quick)
    return index


@durable()
def gathers(ctx, count):
    commands = [ctx.begin_run(add, number, 1) for number in range(count)]
    commands += [ctx.begin_rpc(plus_one, number) for number in range(count)]
    return (yield ctx.gather(*commands))


@durable()
def undoes(ctx, seconds):
    done = yield ctx.run(add, 1, 1)
    try:
        yield ctx.sleep(seconds)
    except Cancelled:
        with ctx.shielded():
            undone = yield ctx.run(add, done, -2)
        return ["undone", undone]
    return ["slept", done]


@durable()
def locks(ctx, name):
    lock = Mutex(name)
    ticket = yield ctx.run(lock.acquire)
    try:
        yield ctx.run(note, f"{name} in")
        yield ctx.sleep(0.1)
        yield ctx.run(note, f"{name} out")
    finally:
        yield ctx.run(lock.release, ticket)


def overlaps(name):
    """Return what holders of a lock have left, in the order in which they did."""
    return [text.removeprefix(f"{name} ") for text in NOTES if text.startswith(f"{name} ")]


QUEUE = Queue("interop", concurrency=1)


@durable()
def queued(ctx, name):
    family = name.rpartition("-")[0]
    yield ctx.run(note, f"q-{family} {name} in")
    yield ctx.sleep(0.1)
    yield ctx.run(note, f"q-{family} {name} out")


@durable()
def enqueues(ctx, names):
    for name in names:
        yield ctx.enqueue(QUEUE, queued, name).options(id=name)


ALL = (
    *(total, plus_one, fan_out, slow_child, leaves_a_child, awaits_named_child, approval, own_deadline),
    *(Basket, receiver, in_rounds, works, fails),
    *(first_of_two, gathers, undoes, locks, queued, enqueues),
    *(add, refuse, rest, note),
)
