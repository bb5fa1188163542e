from __future__ import annotations

import ast
from pathlib import Path

import pytest

from migrate.errors import FileProblem
from migrate.rewrite.concrete import Concrete, alignment
from migrate.source import decode, parse


def concrete(text):
    source = decode("a.py", Path("a.py"), text.encode())
    tree = parse(source)
    return Concrete(source, tree), tree


def texts(text, kind):
    found, tree = concrete(text)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kind)]
    return [text[slice(*found.span(node))] for node in nodes]


def test_span_counts_characters_not_bytes():
    assert texts("'\u2603' + name\n", ast.Name) == ["name"]


def test_span_of_names_inside_f_strings_is_exact():
    assert sorted(texts('f"""\n{ a.b } {c!r}"""\nf"{c}" f"{d}"\n', ast.Name)) == ["a", "c", "c", "d"]


def test_outer_span_takes_the_parentheses_of_the_expression_only():
    text = "f((  (a) ), b)\n"
    found, tree = concrete(text)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert [text[slice(*found.outer_span(node))] for node in names] == ["f", "((  (a) )"[1:], "b"]
    assert [found.is_parenthesized(node) for node in names] == [False, True, False]


def test_element_of_a_tuple_is_not_taken_for_parenthesized():
    found, tree = concrete("x = (a, b)\ny = (a)\n")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in "ab"]
    assert [found.is_parenthesized(node) for node in names] == [True, False, False]


def test_closing_bracket_skips_strings_and_comments():
    text = 'f(")", [1], # )\n  2)\n'
    found, _ = concrete(text)
    assert found.closing_bracket(1) == text.rindex(")")


def test_form_feeds_that_libcst_drops_are_put_back():
    text = "x = 1\n\x0cyy = 2\n\x0c\n\x0c# c\nzz = 3\n"
    assert texts(text, ast.Name) == ["x", "yy", "zz"]
    found, _ = concrete(text)
    assert [text[slice(*span)] for span in found.comments] == ["# c"]


def test_file_that_prints_back_differently_is_a_problem():
    assert [alignment("a b", "a  \x0cb")(place) for place in range(3)] == [0, 1, 4]
    for printed in ("ax", "a b c", "a"):
        with pytest.raises(FileProblem) as caught:
            alignment(printed, "a b")
        assert caught.value.code == "RM002"
