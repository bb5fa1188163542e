from __future__ import annotations

import ast

import pytest

from migrate.rules.dbos.handles import follow


@pytest.fixture
def uses(project):
    def run(text: str):
        body = "".join(f"    {line}\n" for line in text.split("\n"))
        indexed = project({"flow.py": f"from sdk import start\n\n\ndef f(a, b):\n{body}"})
        module = next(iter(indexed.modules.values()))
        start = next(node for node in module.sites if isinstance(node, ast.Call) and ast.unparse(node.func) == "start")
        return follow(module, start)

    return run


@pytest.mark.parametrize(
    ("text", "results", "ids"),
    [
        ("h = start()\nh.get_result()", 1, 0),
        ("h = start()\nprint(h.workflow_id, h.get_workflow_id())", 0, 2),
        ("a = [start() for _ in b]\nfor i, h in enumerate(a):\n    h.get_result()", 1, 0),
        ("a = []\na.append(start())\nreturn [h.get_result() for h in reversed(a)]", 1, 0),
        ("a = {}\na[b] = start()\nfor h in a.values():\n    h.get_result()", 1, 0),
        ("h = start()\nc = h\nc.get_result()", 1, 0),
        ("(h := start()).get_result()\nh.get_result()", 2, 0),
        ("h = start()\nif h is not None and len(a):\n    h.get_result()", 1, 0),
        ("h, c = start(), 1\nc.get_result()", 0, 0),
    ],
)
def test_handle_is_followed_to_its_uses(uses, text: str, results: int, ids: int) -> None:
    found = uses(text)
    assert (len(found.results), len(found.ids)) == (results, ids)


@pytest.mark.parametrize(
    "text",
    ["return start()", "h = start()\nsave(h)", "a.h = start()", "h = start()\nlambda: h", "h = start()\nh.cancel()"],
)
def test_handle_that_is_handed_on_escapes(uses, text: str) -> None:
    assert uses(text).escapes
