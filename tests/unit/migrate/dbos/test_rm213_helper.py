from __future__ import annotations

HEAD = """
from dbos import DBOS

@DBOS.step()
def act(n): return n

def inner(n): return act(n)

def outer(n): return inner(n) + 1

@DBOS.workflow()
def flow(n): return outer(n)
"""


def test_helpers_over_two_levels_become_generators(migrate) -> None:
    text = migrate(HEAD).text
    assert "def inner(ctx: Context, n): return (yield ctx.run(act, n))" in text
    assert "def outer(ctx: Context, n): return (yield from inner(ctx, n)) + 1" in text
    assert "def flow(ctx: Context, n): return (yield from outer(ctx, n))" in text


def test_helper_called_by_a_script_keeps_its_workflows(migrate) -> None:
    result = migrate(HEAD + "\nprint(inner(1))\n")
    assert result.texts == {}
    assert any("called from" in reason for reason in result.reasons)


def test_helper_called_by_a_step_keeps_its_workflows(migrate) -> None:
    result = migrate(HEAD + "\n@DBOS.step()\ndef other(n): return inner(n)\n")
    assert result.tiers == {"flow": "held"}
    assert "@DBOS.step()\ndef act(n)" in result.text
    assert "def inner(n): return act(n)" in result.text


def test_helper_used_as_a_value_keeps_its_workflows(migrate) -> None:
    assert migrate(HEAD + "\nTABLE = [outer]\n").texts == {}


def test_helper_without_durable_calls_is_left_alone(body) -> None:
    assert body("def plain(x):\n    return x + 1\nreturn plain(act(n))") == (
        "def plain(x):\n    return x + 1\nreturn plain((yield ctx.run(act, n)))"
    )


def test_nested_helper_becomes_a_generator(body) -> None:
    assert body("def inner(x):\n    return act(x)\nreturn inner(n)") == (
        "def inner(ctx: Context, x):\n    return (yield ctx.run(act, x))\nreturn (yield from inner(ctx, n))"
    )
