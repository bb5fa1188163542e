from __future__ import annotations

import ast

import pytest

from migrate.errors import FileProblem
from migrate.plan.fragments import Body, Whole, block, code, indented

CODE = "RM110"


def test_statement_becomes_several_with_holes_and_the_files_indent(edited):
    def record(file, find):
        node = find(ast.Assign, "x = ")
        loop = block("ps = []", code("for i in {}:", node.value), indented(code("ps.append({})", node.targets[0])))
        file.replace(node, loop, code=CODE)

    result = edited("def a():\n  # why\n  x = items()  # behind\n  return x\n", record)
    assert result == "def a():\n  # why\n  ps = []\n  for i in items():\n    ps.append(x)  # behind\n  return x\n"


def test_statement_removed_keeps_comments_above_and_behind(edited):
    result = edited(
        "# above\nx = 1  # behind\ny = 2  # noqa\nz = 3\n",
        lambda file, find: (
            file.remove(find(ast.Assign, "x"), code=CODE),
            file.remove(find(ast.Assign, "y"), code=CODE),
        ),
    )
    assert result == "# above\n# behind\nz = 3\n"


def test_body_that_becomes_empty_gets_pass(edited):
    result = edited("def a():\n    x = 1\n    y = 2\n", lambda file, find: (
        file.remove(find(ast.Assign, "x"), code=CODE), file.remove(find(ast.Assign, "y"), code=CODE)
    ))  # fmt: skip
    assert result == "def a():\n    pass\n"


def test_insertions_go_above_below_first_and_last(edited):
    def record(file, find):
        function, statement = find(ast.FunctionDef, "def"), find(ast.Return, "return")
        file.insert_before(statement, "before()", code=CODE)
        file.insert_after(statement, "after()", code=CODE)
        file.insert_start(function, "first()", code=CODE)
        file.insert_end(function, "last()", code=CODE)

    result = edited('def a():\n    """Doc."""\n    # about\n    return 1\n\n\nb()\n', record)
    assert result == (
        'def a():\n    """Doc."""\n    first()\n    # about\n'
        "    before()\n    return 1\n    after()\n    last()\n\n\nb()\n"
    )


def test_with_block_replaced_by_its_body_keeps_comments_and_blank_lines(edited):
    text = "with guard():\n    # group\n    import os\n\n    import sys  # needed\n\nprint(os, sys)\n"
    result = edited(
        text, lambda file, find: file.replace(find(ast.With, "with"), Body(find(ast.With, "with")), code=CODE)
    )
    assert result == "# group\nimport os\n\nimport sys  # needed\n\nprint(os, sys)\n"


def test_class_replaced_by_its_method_is_dedented_with_docstring_and_comments(edited):
    def record(file, find):
        klass, method = find(ast.ClassDef, "class"), find(ast.FunctionDef, "def run")
        file.replace(klass, Whole(method), code=CODE)
        file.remove(method.args.args[0], code=CODE)
        file.remove(method.decorator_list[0], code=CODE)
        file.rename(method, "greet", code=CODE)
        file.decorate(method, "durable()", code=CODE)

    result = edited(
        '''
        @defn
        class Greet:  # a class
            # the entry
            @run
            def run(self, name: str) -> str:
                """Say it.

                Twice.
                """
                text = """
            kept
                """
                # before return

                return text + name
        ''',
        record,
    )
    assert result == (
        "# a class\n"
        "# the entry\n"
        "@durable()\n"
        "def greet(name: str) -> str:\n"
        '    """Say it.\n'
        "\n"
        "    Twice.\n"
        '    """\n'
        '    text = """\n'
        "    kept\n"
        '        """\n'
        "    # before return\n"
        "\n"
        "    return text + name\n"
    )


def test_several_statements_on_one_line_are_a_problem(edited):
    with pytest.raises(FileProblem, match="several statements on one line"):
        edited("a = 1; b = 2\n", lambda file, find: file.insert_before(find(ast.Assign, "b"), "c = 3", code=CODE))
    with pytest.raises(FileProblem, match="several statements on one line"):
        edited("if x: b = 2\n", lambda file, find: file.replace(find(ast.Assign, "b"), block("c", "d"), code=CODE))


def test_marker_is_one_line_above_and_replaces_an_older_one(edited):
    mark = lambda file, find: file.mark(find(ast.Name, "y"), "look here", code="RM142")  # noqa: E731 - used twice
    once = edited("def a():\n    x = y\n", mark)
    assert once == "def a():\n    # RM142: look here\n    x = y\n"
    assert edited(once.replace("look here", "an older word"), mark) == once


def test_comment_of_code_that_goes_climbs_out_to_what_stays(edited):
    text = "def a():\n    if x:\n        y(\n            1,  # why\n        )\n"
    result = edited(text, lambda file, find: file.replace(find(ast.If, "if"), "z()", code=CODE))
    assert result == "def a():\n    # why\n    z()\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def a():\n    x = 1\n    x = 2\n\n    # then\n    z()\n", "def a():\n    # then\n    z()\n"),
        ("def a():\n    y()\n\n    x = 1\n\n    z()\n", "def a():\n    y()\n\n    z()\n"),
        ("def a():\n    y()\n    x = 1\n\n    z()\n", "def a():\n    y()\n\n    z()\n"),
        ("def a():\n    # about\n    x = 1\n\n    z()\n", "def a():\n    # about\n\n    z()\n"),
        ("y()\n\n\nx = 1\n\n\ndef a(): ...\n", "y()\n\n\ndef a(): ...\n"),
        ("y()\n\nx = 1\n", "y()\n"),
    ],
)
def test_removed_statements_take_the_blank_lines_along_that_would_be_left_over(edited, before, after):
    def record(file, find):
        for node in ast.walk(file.module.tree):
            if isinstance(node, ast.Assign):
                file.remove(node, code=CODE)

    assert edited(before, record) == after


def test_long_statement_on_a_shared_line_may_be_one_statement_over_several_lines(edited):
    def record(file, find):
        node = find(ast.Assign, "b")
        file.replace(node, code("{} = {}", node.targets[0], node.value), code=CODE)

    text = "if x: b = [\n    1,\n]; c = 2\n"
    assert edited(text, record) == text


def test_marker_of_code_that_goes_is_removed_with_it(edited):
    text = "def a():\n    # kept\n    # RM142: look here\n    # RM143: and here\n    x = 1\n"
    text += "    # RM150: stays\n    y = 2\n"
    result = edited(text, lambda file, find: file.remove(find(ast.Assign, "x"), code=CODE))
    assert result == "def a():\n    # kept\n    # RM150: stays\n    y = 2\n"


def test_what_goes_above_a_statement_is_no_part_of_a_hole_that_begins_it(edited):
    def record(file, find):
        statement, node = find(ast.Expr, "task.cancel()"), find(ast.Call, "task.cancel()")
        file.insert_before(statement, "first()", code=CODE)
        file.replace(node, code("cancel({})", node.func.value), code=CODE)

    assert edited("task.cancel()\n", record) == "first()\ncancel(task)\n"


def test_blank_lines_of_a_block_have_no_indentation(edited):
    def record(file, find):
        file.insert_start(find(ast.FunctionDef, "def a"), block("", "first()", "", "second()", ""), code=CODE)

    result = edited('def a():\n    """Text."""\n    last()\n', record)
    assert result == 'def a():\n    """Text."""\n\n    first()\n\n    second()\n\n    last()\n'
