from __future__ import annotations

from pathlib import Path

import pytest

from migrate.source import decode
from migrate.suppress import find


def found(text):
    return [(one.line, one.target, sorted(one.codes)) for one in find(decode("a.py", Path("a.py"), text.encode()))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1  # resonate-migrate: ignore[RM130] why\n", [(1, 1, ["RM130"])]),
        ("x = 1  #resonate-migrate:ignore[rm130, RM120]\n", [(1, 1, ["RM120", "RM130"])]),
        ("x = 1  # resonate-migrate: ignore\n", [(1, 1, [])]),
        ("# resonate-migrate: ignore[RM130]\n# more words\n\nx = 1\n", [(1, 4, ["RM130"])]),
        ("def f():\n    # resonate-migrate: ignore[RM130]\n    x = 1\n", [(2, 3, ["RM130"])]),
        ("x = '# resonate-migrate: ignore[RM130]'\n", []),
        ("# resonate-migrate: something else\n", []),
    ],
)
def test_suppression_comment_is_found_with_its_target(text, expected):
    assert found(text) == expected
