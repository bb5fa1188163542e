from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if workflow.patched('a'):\n    n = 1\nelse:\n    n = 2", "n = 1"),
        ("if workflow.patched('a'):\n    n = 1", "n = 1"),
        ("if n:\n    pass\nelif workflow.patched('a'):\n    n = 1", "if n:\n    pass\nelif True:\n    n = 1"),
        ("n = 1 if workflow.patched('a') else 2", "n = 1 if True else 2"),
        ("workflow.deprecate_patch('a')\nn = 1", "n = 1"),
    ],
)
def test_new_branch_is_kept(body, before: str, after: str) -> None:
    assert body(f"await workflow.sleep(1)\n{before}\nreturn n") == f"yield ctx.sleep(1)\n{after}\nreturn n"


def test_branch_that_goes_is_reported(workflow) -> None:
    assert workflow("if workflow.patched('a'):\n    n = 1\nreturn n").codes == ["RM190"]
