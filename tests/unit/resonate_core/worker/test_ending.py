"""A message that is accepted while its execution is about to end is not lost: the function sees what it changes."""

from __future__ import annotations

from resonate_core import durable, entry, signal, step
from resonate_core.protocol.requests import FulfillIfRead
from resonate_core.testing import VirtualResonate


@step()
def same(value):
    return value


class Inbox:
    def __init__(self):
        self.queue = []
        self.is_over = False
        self.seen = []

    @signal
    def add(self, what):
        self.queue.append(what)

    @signal
    def end(self):
        self.is_over = True

    def work_off(self):
        self.seen += self.queue
        self.queue.clear()


@durable(name="Drains")
class Drains(Inbox):
    @entry
    def run(self, ctx):
        while True:
            yield ctx.wait_until(lambda: self.queue or self.is_over)
            self.work_off()
            if self.is_over:
                return self.seen


@durable(name="DrainsAfterWork")
class DrainsAfterWork(Inbox):
    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: self.is_over)
        yield ctx.run(same, 1)
        self.work_off()
        return self.seen


@durable(name="ActsLast")
class ActsLast(Inbox):
    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: self.is_over)
        yield ctx.detached(Drains).options(id="left-behind")
        return self.queue


def send_while_ending(client, handle, *messages):
    """Slip messages in just before the worker's request to end the execution reaches the server."""
    network = client._engine.network
    submit_all, waiting = network.submit_all, list(messages)

    def late(series):
        if any(isinstance(requests[-1], FulfillIfRead) for requests, _ in series):
            for message in [waiting.pop(0) for _ in range(len(waiting))]:
                client._messages.signal(handle.id, "add", (message,))
        submit_all(series)

    network.submit_all = late


def ended(cls, *messages):
    client = VirtualResonate()
    client.register(Drains, DrainsAfterWork, ActsLast)
    handle = client.begin_run("x", cls)
    send_while_ending(client, handle, *messages)
    handle.signal("end")
    return client, handle


def test_message_beside_the_last_message_is_seen_by_the_function():
    _, handle = ended(Drains, "late")
    assert handle.result() == ["late"]


def test_messages_beside_the_last_step_are_seen_by_the_function():
    _, handle = ended(DrainsAfterWork, "one", "two")
    assert handle.result() == ["one", "two"]


def test_function_that_acted_since_keeps_its_result_and_the_handler_runs():
    client, handle = ended(ActsLast, "late")
    assert handle.result() == ["late"]
    assert client.get("left-behind").done() is False


def test_no_message_ends_in_one_request():
    client = VirtualResonate()
    client.register(Drains)
    handle = client.begin_run("x", Drains)
    handle.signal("add", 1)
    handle.signal("end")
    assert handle.result() == [1]
