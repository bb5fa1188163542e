"""Notes about behaviour: each code has a text, and a rule that says it."""

from __future__ import annotations

import pytest

from migrate.rules.catalogue import rule

CHILD = """
@workflow.defn
class Child:
    @workflow.run
    async def run(self, n: int) -> int:
        return n
"""
CASES = {
    "RM503": "await workflow.execute_activity(act, n, cancellation_type=workflow.ActivityCancellationType.ABANDON)",
    "RM505": "await workflow.execute_child_workflow("
    "Child.run, n, id='x', id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)",
    "RM507": "await workflow.execute_child_workflow('C')",
    "RM508": "try:\n    await workflow.execute_child_workflow(Child.run, n)\nexcept Exception as e:\n    print(e)",
    "RM512": "await workflow.execute_activity(act, n, start_to_close_timeout=LIMIT, summary='x')",
}


@pytest.mark.parametrize(("code", "body"), CASES.items())
def test_change_of_behaviour_is_noted(workflow, code: str, body: str) -> None:
    imports = "from temporalio.common import WorkflowIDReusePolicy\n" if "ReusePolicy" in body else ""
    done = workflow(body, more=imports + CHILD)
    assert done.texts
    assert [one for one in done.codes if code == "RM503" or one != "RM503"] == [code]


@pytest.mark.parametrize("code", [*CASES, "RM506", "RM509", "RM515", "RM516", "RM517"])
def test_note_has_a_text(code: str) -> None:
    found = rule(code)
    assert found.family == "semantics"
    assert found.what
    assert found.why
    assert found.action


def test_pydantic_converter_is_noted(migrate) -> None:
    done = migrate("""
        from temporalio.client import Client
        from temporalio.contrib.pydantic import pydantic_data_converter


        async def main():
            client = await Client.connect("x", data_converter=pydantic_data_converter)
            print(client)
        """)
    assert done.codes == ["RM171", "RM516"]
    assert "pydantic" not in done.text


ACT = "await workflow.execute_activity(act, n, start_to_close_timeout=LIMIT)"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (f"try:\n    {ACT}\nexcept Exception:\n    {ACT}\n    raise", ["RM503"]),
        (f"try:\n    {ACT}\nexcept ActivityError:\n    {ACT}", ["RM503"]),
        (f"try:\n    {ACT}\nfinally:\n    {ACT}", []),
        (f"try:\n    {ACT}\nexcept Exception:\n    return 1", ["RM503"]),
        (f"try:\n    {ACT}\nexcept Exception:\n    n += 1\n    raise", []),
        (f"try:\n    {ACT}\nexcept BaseException:\n    {ACT}", ["RM509"]),
        (f"try:\n    {ACT}\nexcept:\n    return 1", ["RM509"]),
        ("try:\n    n = 1\nexcept BaseException:\n    return 1", []),
        (f"try:\n    await workflow.sleep(1)\nexcept Exception:\n    {ACT}", []),
    ],
)
def test_clean_up_that_a_cancellation_passes_by_is_noted(workflow, body: str, codes: list[str]) -> None:
    assert workflow(body).codes == codes


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("raise ValueError(n)", ["RM506"]),
        ("raise ApplicationError('x')", []),
        ("try:\n    raise ValueError(n)\nexcept ValueError:\n    return 1", []),
        ("raise", []),
    ],
)
def test_error_that_is_no_failure_is_noted(workflow, body: str, codes: list[str]) -> None:
    assert workflow(f"await workflow.sleep(1)\n{body}").codes == codes


def test_clean_up_that_a_cancellation_passes_by_is_marked(workflow) -> None:
    done = workflow(f"try:\n    {ACT}\nexcept Exception:\n    # undo\n    {ACT}\n    raise")
    marker = "# RM503: catch Cancelled too if this must run on a cancellation"
    assert f"        # undo\n        {marker}\n        yield ctx.run(act, n)" in done.text


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("SEEN.append(n)", ["RM517"]),
        ("SEEN[0] = n", ["RM517"]),
        ("del SEEN[0]", ["RM517"]),
        ("remember(n)", ["RM517"]),
        ("global SEEN\nSEEN = [n]", ["RM517"]),
        ("SEEN = [n]\nSEEN.append(n)", []),
        ("return len(SEEN)", []),
        ("list(SEEN).append(n)", []),
    ],
)
def test_module_state_that_workflow_code_changes_is_noted(workflow, body: str, codes: list[str]) -> None:
    more = "SEEN = []\n\n\ndef remember(n):\n    SEEN.append(n)\n"
    assert workflow(f"await workflow.sleep(1)\n{body}", more=more).codes == codes
