from __future__ import annotations

import pytest

CASES = {
    "act()\nreturn DBOS.workflow_id": "yield ctx.run(act)\nreturn ctx.id",
    "DBOS.logger.info('x')\nact()": "ctx.logger.info('x')\nyield ctx.run(act)",
    "act()\nx = time.time()": "yield ctx.run(act)\nx = ctx.now().timestamp()",
    "act()\nx = datetime.now(timezone.utc)": "yield ctx.run(act)\nx = ctx.now()",
    "act()\nx = datetime.now(tz)": "yield ctx.run(act)\nx = ctx.now().astimezone(tz)",
    "act()\nx = datetime.now()": "yield ctx.run(act)\nx = ctx.now().astimezone().replace(tzinfo=None)",
    "act(str(uuid.uuid4()))": "yield ctx.run(act, str(ctx.uuid4()))",
    "act(random.randint(1, 6))": "yield ctx.run(act, ctx.rng.randint(1, 6))",
    "act([random.random() for _ in items])": "yield ctx.run(act, [ctx.rng.random() for _ in items])",
    "time.sleep(n)\nact()": "yield ctx.sleep(n)\nyield ctx.run(act)",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_identity_logger_and_clock_come_from_the_context(body, before: str, after: str) -> None:
    assert body(before) == after


def test_clock_of_a_body_that_runs_as_one_step_is_left_alone(body) -> None:
    assert body("time.sleep(1)\nreturn time.time()") == "time.sleep(1)\nreturn time.time()"


def test_own_random_generator_is_left_alone(body) -> None:
    text = "dice = random.Random(key)\nact(dice.random())"
    assert body(text) == "dice = random.Random(key)\nyield ctx.run(act, dice.random())"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("for x in items:\n        child(x)", "in a loop"),
        ("helper(n)", "starts no workflow"),
        ("f = lambda: child(n)\n    f()", "runs later"),
        ("if n:\n        child(1)\n    child(2)", "depends on a condition"),
    ],
)
def test_id_whose_start_is_not_plain_to_see_keeps_the_workflow(held, block: str, reason: str) -> None:
    assert reason in held(f"with SetWorkflowID(key):\n    {block}")


def test_id_serves_only_the_first_start(body) -> None:
    assert body("with SetWorkflowID(key):\n    a = child(1)\n    b = child(2)") == (
        "a = yield ctx.rpc(child, 1).options(id=key)\nb = yield ctx.rpc(child, 2)"
    )


def test_timeout_of_none_keeps_the_workflow(held) -> None:
    assert "SetWorkflowTimeout" in held("with SetWorkflowTimeout(None):\n    child(n)")


def test_workflow_id_in_a_step_names_its_workflow(migrate) -> None:
    result = migrate("from dbos import DBOS\n\n@DBOS.step()\ndef act(): return DBOS.workflow_id\n")
    assert "return step_info().root_id" in result.text
