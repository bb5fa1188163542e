from __future__ import annotations

import pytest

from migrate.errors import FileProblem
from migrate.verify import check_text, comments, sdk_imports


@pytest.mark.parametrize(
    "new",
    [
        "def f(:\n",
        "x = [(yield y) for y in z]\n",
        "async def f():\n    yield 1\n    return 2\n",
        "def f():\n    await g()\n",
        "return 1\n",
    ],
)
def test_text_that_does_not_compile_is_a_problem(new):
    with pytest.raises(FileProblem, match="would not compile") as caught:
        check_text("a.py", "x = 1\n", new)
    assert caught.value.code == "RM003"


def test_text_that_lost_a_comment_is_a_problem():
    with pytest.raises(FileProblem, match="'# two' would be lost"):
        check_text("a.py", "x = 1  # one\n# two\n# two\n", "x = 2  # one\n# two\n")


def test_text_may_lose_markers_and_words_for_linters():
    check_text("a.py", "import os  # noqa: F401\n# RM142: look\nx = 1  # type: ignore[a]\n", "x = 1\n")


def test_comments_are_those_of_the_tokenizer():
    assert comments("x = '# no'  # yes\r\ny = 1 # too \n") == ["# yes", "# too"]


def test_sdk_imports_are_found_wherever_they_stand():
    text = "import os, sdk.flow\n\n\ndef f():\n    from sdk import x\n    from .sdk import y\n    import sdkother\n"
    assert sorted(sdk_imports(text, ["sdk"])) == [(1, "sdk.flow"), (5, "sdk")]
    assert sdk_imports("x = 1\n", ["sdk"]) == []
