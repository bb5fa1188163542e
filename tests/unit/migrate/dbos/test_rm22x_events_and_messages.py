from __future__ import annotations

import pytest

CASES = {
    "DBOS.set_event('k', n)": "yield ctx.set_event('k', n)",
    "DBOS.set_event(value=n, key='k')": "yield ctx.set_event('k', n)",
    "return DBOS.get_event(key, 'k')": "return (yield ctx.get_event(key, 'k', timeout=60))",
    "return DBOS.recv()": "return (yield ctx.recv(timeout=60))",
    "return DBOS.recv('t', 5)": "return (yield ctx.recv('t', timeout=5))",
    "return DBOS.recv(timeout_seconds=n, topic='t')": "return (yield ctx.recv(topic='t', timeout=n))",
    "DBOS.send(key, n)": "yield ctx.send(key, n)",
    "DBOS.send(key, n, topic='t')": "yield ctx.send(key, n, topic='t')",
    "while (m := DBOS.recv('t')) is not None:\n    act(m)": (
        "while (m := (yield ctx.recv('t', timeout=60))) is not None:\n    yield ctx.run(act, m)"
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_message_or_event_in_a_workflow_is_yielded(body, before: str, after: str) -> None:
    assert body(before) == after


def test_tier_of_a_workflow_with_messages_is_helper(migrate) -> None:
    result = migrate("from dbos import DBOS\n\n@DBOS.workflow()\ndef flow(): return DBOS.recv('t')\n")
    assert result.tiers == {"flow": "helper"}


@pytest.mark.parametrize(
    "before",
    [
        "DBOS.send(key, n, idempotency_key='x')",
        "DBOS.send(*items)",
        "DBOS.set_event('k', n, serialization_type=None)",
        "DBOS.get_event(key, 'k', shard_key='s')",
    ],
)
def test_option_without_a_counterpart_keeps_the_workflow(held, before: str) -> None:
    assert "arguments that have no counterpart" in held(before)


def test_event_set_in_a_step_keeps_the_step(migrate) -> None:
    result = migrate("from dbos import DBOS\n\n@DBOS.step()\ndef act(): DBOS.set_event('k', 1)\n")
    assert result.texts == {}
