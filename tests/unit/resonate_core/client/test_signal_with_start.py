"""A signal that starts what it is for: in one step, first of all messages, never twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from resonate_core import AesGcmEncryptor, Resonate, durable, entry, query, signal


@dataclass
class Item:
    name: str


@durable
class Cart:
    def __init__(self, owner):
        self.owner = owner
        self.items = []
        self.is_paid = False

    @entry
    def run(self, ctx, owner):
        yield ctx.wait_until(lambda: self.is_paid)
        return [owner, *self.items]

    @signal
    def add(self, item: Item):
        self.items.append(item.name)

    @signal
    def pay(self):
        self.is_paid = True

    @query
    def seen(self):
        return list(self.items)


@durable
def hops(ctx, count):
    if count:
        yield ctx.continue_as_new(count - 1)
    return (yield ctx.recv("news", timeout=5))


@pytest.fixture(params=["memory:", "sqlite", "encrypted"])
def client(request, tmp_path):
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/r.db"
    key = AesGcmEncryptor({"1": bytes(32)}, "1") if request.param == "encrypted" else None
    found = Resonate(url, encryptor=key)
    found.register(Cart)
    found.register(hops)
    found.start()
    yield found
    found.stop()


def test_signal_starts_what_does_not_run(client):
    handle = client.signal_with_start("cart", Cart.add, [Item("lamp")], Cart, "ann")
    assert client.query("cart", "seen") == ["lamp"]
    client.signal("cart", "pay")
    assert handle.result() == ["ann", "lamp"]
    assert client.query("cart", "seen") == ["lamp"]


def test_signal_goes_to_what_runs(client):
    client.begin_rpc("cart", Cart, "ann")
    for name in ("lamp", "chair"):
        handle = client.signal_with_start("cart", "add", [Item(name)], Cart, "bob")
    client.signal("cart", "pay")
    assert handle.result() == ["ann", "lamp", "chair"]


def test_what_has_finished_is_started_again(client):
    client.signal_with_start("cart", "pay", [], Cart, "ann").result()
    again = client.signal_with_start("cart", "add", [Item("lamp")], Cart, "bob")
    client.signal("cart", "pay")
    assert again.result() == ["bob", "lamp"]


def test_first_signal_follows_continue_as_new_unread(client):
    assert client.signal_with_start("hops", "news", ["hello"], "hops", 2).result() == "hello"


def test_worker_that_takes_over_has_the_first_signal(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    with Resonate(url) as sender:
        sender.signal_with_start("cart", "add", [Item("lamp")], "Cart", "ann")
    for _ in range(2):
        with Resonate(url) as worker:
            worker.register(Cart)
            worker.start()
            worker.signal("cart", "add", Item("chair"))
            assert worker.query("cart", "seen")[0] == "lamp"
    with Resonate(url) as worker:
        worker.register(Cart)
        worker.start()
        worker.signal("cart", "pay")
        assert worker.get("cart").result() == ["ann", "lamp", "chair", "chair"]


def test_signal_is_first_however_many_follow(client):
    async def go():
        handle = await client.aio.signal_with_start("cart", "add", [Item("first")], Cart, "ann")
        for number in range(5):
            await client.aio.signal("cart", "add", Item(str(number)))
        await client.aio.signal("cart", "pay")
        return await handle

    assert asyncio.run(go()) == ["ann", "first", "0", "1", "2", "3", "4"]


def test_senders_that_race_lose_nothing(client):
    async def go():
        calls = [client.aio.signal_with_start("cart", "add", [Item(str(n))], Cart, "ann") for n in range(20)]
        handles = await asyncio.gather(*calls)
        await client.aio.signal("cart", "pay")
        return await handles[0]

    owner, *items = asyncio.run(go())
    assert (owner, sorted(items, key=int)) == ("ann", [str(n) for n in range(20)])


def test_arguments_that_do_not_fit_start_nothing(client):
    with pytest.raises(Exception, match="argument"):
        client.signal_with_start("cart", "pay", [], Cart)
    assert client.list() == []
