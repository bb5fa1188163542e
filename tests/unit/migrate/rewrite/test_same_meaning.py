"""Edits that change nothing but the layout must not change the meaning: random ones over this project's own code."""

from __future__ import annotations

import ast
import random
from collections import Counter
from pathlib import Path

import pytest

from migrate.index.build import build_module
from migrate.index.order import in_order
from migrate.plan.edits import FileEdits, FilePlan
from migrate.plan.fragments import Whole, block, call, code
from migrate.rewrite.change import Change
from migrate.rewrite.rewriter import rewrite
from migrate.source import decode, parse
from migrate.verify import comments

FOLDER = Path(__file__).parents[4] / "migrate"
FILES = sorted([*FOLDER.glob("*/*.py"), *FOLDER.glob("*.py")])


def record(file, tree, chance):
    """Replace calls, expressions, statements and functions by templates that say the same."""
    inside = {one for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for one in ast.walk(text)}
    for node in ast.walk(tree):
        if node in inside or chance.random() < 0.5:
            continue
        if isinstance(node, ast.Call) and not any(isinstance(one, ast.GeneratorExp) for one in node.args):
            file.replace(node, call(node.func, *in_order(node.args, node.keywords)), code="RM120")
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.Attribute)):
            file.replace(node, code("({})", node), code="RM120")
        elif isinstance(node, (ast.Assign, ast.Return, ast.Expr)):
            file.replace(node, block(node), code="RM120")
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            file.replace(node, Whole(node), code="RM120")


@pytest.mark.parametrize("seed", range(8))
def test_rewrite_to_the_same_meaning_keeps_tree_and_comments(seed):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for path in chance.sample(FILES, 3):
        source = decode(path.name, path, path.read_bytes())
        tree = parse(source)
        plan = FilePlan(build_module(source, tree, "code", is_package=False))
        record(FileEdits(plan, "group"), tree, chance)
        text = rewrite(plan.module, Change(plan.edits, [], [], line_length=chance.choice([60, 88, 120])))
        assert ast.dump(ast.parse(text)) == ast.dump(tree), path
        assert Counter(comments(text)) == Counter(comments(source.text)), path
