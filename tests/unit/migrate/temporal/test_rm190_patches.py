from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if workflow.patched('a'):\n    n = 1\nelse:\n    n = 2", "n = 1"),
        ("if workflow.patched('a'):\n    n = 1", "n = 1"),
        ("if n:\n    pass\nelif workflow.patched('a'):\n    n = 1", "if n:\n    pass\nelif True:\n    n = 1"),
        ("n = 1 if workflow.patched('a') else 2", "n = 1"),
        ("n = 1 if not workflow.patched('a') else 2", "n = 2"),
        ("if not workflow.patched('a'):\n    n = 1", ""),
        ("if not workflow.patched('a'):\n    n = 1\nelse:\n    # new\n    n = 2\n    n += 1", "# new\nn = 2\nn += 1"),
        ("if workflow.patched('a') and n:\n    n = 1", "if n:\n    n = 1"),
        ("new = workflow.patched('a')", "new = True"),
        ("old = not workflow.patched('a')", "old = False"),
        ("workflow.deprecate_patch('a')\nn = 1", "n = 1"),
    ],
)
def test_new_branch_is_kept(body, before: str, after: str) -> None:
    expected = f"yield ctx.sleep(1)\n{after}\nreturn n" if after else "yield ctx.sleep(1)\nreturn n"
    assert body(f"await workflow.sleep(1)\n{before}\nreturn n") == expected


def test_old_code_behind_a_new_branch_that_leaves_goes_too(body) -> None:
    text = body("if workflow.patched('a'):\n    await workflow.sleep(1)\n    return 1\nn += 1\nreturn n")
    assert text == "yield ctx.sleep(1)\nreturn 1"


def test_branch_that_goes_is_reported(workflow) -> None:
    assert workflow("if workflow.patched('a'):\n    n = 1\nreturn n").codes == ["RM190"]
