"""What is not edited is the same bytes: encodings, line ends, tabs, form feeds, missing line ends."""

from __future__ import annotations

import ast

import pytest

from migrate.plan.fragments import block, call, code, indented


def record(file, find):
    node = find(ast.Call, "old(")
    file.replace(node, call("new", *node.args), code="RM120")


@pytest.mark.parametrize(
    "before",
    [
        b"x = old(1)\r\ny = 2\r\n",
        b"\xef\xbb\xbfx = old(1)\n",
        b"# -*- coding: latin-1 -*-\nname = '\xe9'; x = old(1)  # \xfc\n",
        b"def a():\n\tif b:\n\t\tx = old(1)\n",
        b"x = 1\n\x0c\ndef a():\n    x = old(1)\n",
        b"x = 1\n\x0cx = old(1)\n",
        b"x = old(1)",
        b"x = old(1)  # no line end",
        b"try:\n    x = old(1)\nexcept ValueError :\n    pass\n",
        b"x = (  old(1)   ,2)\ny  =  3 ;  z=4\n\n\n\n",
        "x = '\u2603\U0001f600', old(1), '\u2603'\n".encode(),
        b"x = \\\n    old(1)\n",
        b"x = 1\ry = old(1)\rz = 2\n",
        b"s = '''\r\n  text\r\n'''\r\nx = old(1)\r\n",
    ],
)
def test_everything_but_the_edit_stays_the_same_bytes(edited, before):
    assert edited(before, record) == before.replace(b"old(1)", b"new(1)")


def test_new_lines_take_the_files_line_ends_and_indent(edited):
    def grow(file, find):
        node = find(ast.Expr, "old(")
        file.replace(node, block("for x in y:", indented(code("{}", node.value), "done()")), code="RM120")
        file.name("core.new")

    before = b"def a():\r\n\told(1)\r\n"
    assert edited(before, grow) == b"def a():\r\n\tfor x in y:\r\n\t\told(1)\r\n\t\tdone()\r\n"


def test_edit_inside_an_f_string_lands_in_its_place(edited):
    text = 'x = f"{a} {old(1)!r:>{width}} {old(1)}"\n'

    def both(file, find):
        for node in ast.walk(file.module.tree):
            if isinstance(node, ast.Call):
                file.replace(node, call("new", *node.args), code="RM120")

    assert edited(text, both) == 'x = f"{a} {new(1)!r:>{width}} {new(1)}"\n'


def test_edit_inside_an_f_string_over_several_lines_lands_in_its_place(edited):
    text = 'x = (\n    f"{a}"\n    f"""\n  {b} {old(1)}\n"""\n)\n'
    assert edited(text, record) == text.replace("old(1)", "new(1)")
