"""A lock: one holder at a time, in order, handed over when it expires."""

from __future__ import annotations

import pytest

from resonate_core import Mutex, UsageError, durable, step
from resonate_core.testing import VirtualResonate

LOCK = Mutex("till", expiry=60)


@step()
def same(value):
    return value


@pytest.fixture
def client():
    client = VirtualResonate()
    client.register(locked, patient)
    LOG.clear()
    return client


LOG: list[tuple[str, str, float]] = []


@durable()
def locked(ctx, name, seconds, releases=True):
    ticket = yield ctx.run(LOCK.acquire)
    LOG.append((name, "in", ctx.now().timestamp()))
    yield ctx.sleep(seconds)
    LOG.append((name, "out", ctx.now().timestamp()))
    if releases:
        yield ctx.run(LOCK.release, ticket)
    return ticket


@durable()
def patient(ctx, seconds):
    return (yield ctx.run(LOCK.acquire, seconds)) is not None


def test_mutex_has_one_holder_at_a_time_in_order_of_asking(client):
    handles = [client.begin_run(f"w{number}", locked, f"w{number}", 10) for number in range(4)]
    for handle in handles:
        handle.result()
    names = [name for name, _, _ in LOG]
    assert names == ["w0", "w0", "w1", "w1", "w2", "w2", "w3", "w3"]


def test_mutex_of_a_holder_that_does_not_release_is_handed_over(client):
    client.begin_run("lazy", locked, "lazy", 1, False).result()
    client.begin_run("next", locked, "next", 1).result()
    waited = next(at for name, what, at in LOG if (name, what) == ("next", "in")) - LOG[0][2]
    assert waited == pytest.approx(60, abs=2)


def test_mutex_acquire_gives_none_when_the_time_is_over(client):
    client.begin_run("holder", locked, "holder", 30)
    assert client.run("waits", patient, 5) is False
    assert client.run("waits-longer", patient, 50) is True


def test_mutex_survives_many_grants(client):
    for number in range(120):
        client.run(f"w{number}", locked, f"w{number}", 0)
    assert len(LOG) == 240


def test_mutex_without_expiry_is_refused():
    with pytest.raises(UsageError, match="expiry of a Mutex"):
        Mutex("x", expiry=0)
