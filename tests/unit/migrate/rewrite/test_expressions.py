from __future__ import annotations

import ast

import pytest

from migrate.plan.fragments import call, code

CODE = "RM120"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = await f(1)", "x = yield run(1)"),
        ("await f(1)", "yield run(1)"),
        ("x += await f(1)", "x += yield run(1)"),
        ("x: int = await f(1)", "x: int = yield run(1)"),
        ("g(await f(1))", "g((yield run(1)))"),
        ("g(key=await f(1))", "g(key=(yield run(1)))"),
        ("return await f(1)", "return (yield run(1))"),
        ("return (await f(1))", "return (yield run(1))"),
        ("x = [await f(1), 2]", "x = [(yield run(1)), 2]"),
        ("x = not await f(1)", "x = not (yield run(1))"),
        ("x = (await f(1)).name", "x = (yield run(1)).name"),
        ("x = (await f(1))[0]", "x = (yield run(1))[0]"),
        ("x = 1 + await f(1)", "x = 1 + (yield run(1))"),
        ("if await f(1): pass", "if (yield run(1)): pass"),
        ("x = await f(1) if y else 2", "x = (yield run(1)) if y else 2"),
        ("x = f'{await f(1)}'", "x = f'{(yield run(1))}'"),
        ("x, y = await f(1)", "x, y = yield run(1)"),
        ("x = {await f(1): 2}", "x = {(yield run(1)): 2}"),
        ("for x in await f(1): pass", "for x in (yield run(1)): pass"),
        ("with await f(1) as x: pass", "with (yield run(1)) as x: pass"),
        ("raise await f(1)", "raise (yield run(1))"),
        ("x = y[await f(1)]", "x = y[(yield run(1))]"),
        ("assert await f(1)", "assert (yield run(1))"),
    ],
)
def test_replace_await_in_every_place_gets_parentheses_where_needed(edited, before, after):
    def record(file, find):
        node = find(ast.Await, "await f(1)")
        file.replace(node, code("yield {}", call("run", *node.value.args)), code=CODE)

    source = f"async def a(y):\n    {before}\n"
    plain = lambda file, find: (record(file, find), file.make_sync(find(ast.AsyncFunctionDef, "async"), code=CODE))  # noqa: E731 - both edits in one line
    assert edited(source, plain) == f"def a(y):\n    {after}\n"


def test_replace_hole_binding_less_tightly_is_put_into_parentheses(edited):
    def record(file, find):
        file.replace(find(ast.Call, "f("), code("{}.total()", find(ast.Call, "f(").args[0]), code=CODE)

    assert edited("x = f(a if b else c)\n", record) == "x = (a if b else c).total()\n"


def test_replace_nested_edits_apply_inside_holes(edited):
    def record(file, find):
        outer, inner = find(ast.Call, "f(g("), find(ast.Call, "g(")
        file.replace(outer, call("run", "f", *outer.args), code=CODE)
        file.replace(inner, call("run", "g", *inner.args), code=CODE)

    assert edited("x = f(g(1), 2)\n", record) == "x = run(f, run(g, 1), 2)\n"


def test_replace_edit_outside_of_holes_is_forgotten(edited):
    def record(file, find):
        file.replace(find(ast.Call, "f("), "done()", code=CODE)
        file.replace(find(ast.Call, "g("), "never()", code=CODE)

    assert edited("x = f(g(1))\n", record) == "x = done()\n"


def test_call_too_long_for_the_line_is_broken_one_argument_per_line(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("ctx.run", *node.args, key="a_rather_long_value_for_this"), code=CODE)

    result = edited("def a():\n    x = f(first_argument_of_all, second_argument_of_all, third_one)\n", record)
    assert result == (
        "def a():\n"
        "    x = ctx.run(\n"
        "        first_argument_of_all,\n"
        "        second_argument_of_all,\n"
        "        third_one,\n"
        "        key=a_rather_long_value_for_this,\n"
        "    )\n"
    )


def test_call_over_several_lines_that_fits_becomes_one_line(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("run", *node.args), code=CODE)

    assert edited("x = f(\n    1,\n    2,\n)\n", record) == "x = run(1, 2)\n"


def test_call_with_comments_between_arguments_keeps_them(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("run", node.args[1]), code=CODE)

    result = edited("x = f(\n    1,  # the first\n    # about the second\n    2,  # the second\n)  # end\n", record)
    assert result == ("# the first\nx = run(\n    # about the second\n    2,  # the second\n)  # end\n")


def test_call_with_keyword_and_star_arguments_keeps_their_form(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("run", *node.args, *node.keywords), code=CODE)

    assert edited("x = f(*a, k=1, **kw)\n", record) == "x = run(*a, k=1, **kw)\n"


def test_argument_spanning_lines_is_indented_with_its_call(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("run", node.args[0]), code=CODE)

    result = edited("def a():\n    x = f([\n        1,\n        2,\n    ])\n", record)
    assert result == ("def a():\n    x = run(\n        [\n            1,\n            2,\n        ],\n    )\n")


def test_text_with_line_ends_inside_is_never_reindented(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("run", *node.args), code=CODE)

    text = (
        'def a():\n    x = f("""\n  keep\nthis\n""", first_argument_of_all, second_argument_of_all, third_argument)\n'
    )
    result = edited(text, record)
    assert '"""\n  keep\nthis\n""",' in result


def test_template_with_wrong_holes_is_refused():
    with pytest.raises(ValueError, match="more holes"):
        code("{} {}", "a")
    with pytest.raises(ValueError, match="no place"):
        code("{}", "a", "b")
    with pytest.raises(ValueError, match="asks for 'x'"):
        code("{x}", y="b")


def test_two_different_replacements_of_one_node_are_a_problem(edited):
    from migrate.errors import FileProblem

    def record(file, find):
        file.replace(find(ast.Call, "f("), "a()", code="RM120")
        file.replace(find(ast.Call, "f("), "b()", code="RM121")

    with pytest.raises(FileProblem, match="RM120 and RM121"):
        edited("x = f()\n", record)


def test_long_call_inside_a_replaced_call_is_indented_with_it(edited):
    def record(file, find):
        outer, inner = find(ast.Call, "f(g("), find(ast.Call, "g(")
        file.replace(outer, call("ctx.run", "f", *outer.args), code=CODE)
        file.replace(inner, call("ctx.run", "g", *inner.args), code=CODE)

    head = "def a():\n    if b:\n"
    text = f"{head}        x = f(g(first_argument_of_all, second_argument_of_all, the_third_one_of_all), 2)\n"
    assert edited(text, record) == (
        "def a():\n"
        "    if b:\n"
        "        x = ctx.run(\n"
        "            f,\n"
        "            ctx.run(\n"
        "                g, first_argument_of_all, second_argument_of_all, the_third_one_of_all\n"
        "            ),\n"
        "            2,\n"
        "        )\n"
    )


def test_arguments_that_fit_on_a_line_of_their_own_share_it(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.replace(node, call("ctx.run_what_is_to_be_run", *node.args), code=CODE)

    text = "some_long_name = f(first_argument_of_all, second_argument_of_all, the_third_one_of_all)\n"
    assert edited(text, record) == (
        "some_long_name = ctx.run_what_is_to_be_run(\n"
        "    first_argument_of_all, second_argument_of_all, the_third_one_of_all\n"
        ")\n"
    )


def test_call_before_one_that_becomes_shorter_stays_on_one_line(edited):
    def record(file, find):
        first, second = find(ast.Call, "sdk.execute(f"), find(ast.Call, "sdk.execute(g")
        file.replace(first, call("ctx.run", *first.args[:2]), code=CODE)
        file.replace(second, call("ctx.run", *second.args[:2]), code=CODE)

    text = "x = sdk.execute(f, 1, timeout=600) + sdk.execute(g, 2, timeout=600, policy=the_policy_of_all)\n"
    assert edited(text, record) == "x = ctx.run(f, 1) + ctx.run(g, 2)\n"


def test_call_inside_a_replaced_call_that_fits_stays_on_one_line(edited):
    def record(file, find):
        outer, inner = find(ast.Call, "sdk.execute(f, g"), find(ast.Call, "sdk.execute(g")
        file.replace(outer, call("ctx.run", *outer.args), code=CODE)
        file.replace(inner.args[1], "2", code=CODE)
        file.replace(inner, call("ctx.run", *inner.args), code=CODE)

    text = "x = sdk.execute(f, sdk.execute(g, 1, timeout=timedelta(seconds=10)), timeout=timedelta(seconds=10))\n"
    text = text.replace("sdk.execute(f, sdk", "sdk.execute(f, g, sdk")
    assert edited(text, record) == "x = ctx.run(f, g, ctx.run(g, 2))\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = f'{f(1)}'\n", "x = f'{run(\"name\")}'\n"),
        ('x = f"{f(1)} {y}"\n', "x = f\"{run('name')} {y}\"\n"),
        ('x = rf"""{f(1)}"""\n', 'x = rf"""{run("name")}"""\n'),
        ('x = "a" f"{f(1)}"\n', 'x = "a" f"{run(\'name\')}"\n'),
        ("x = \"a\" f'{f(1)}'\n", 'x = "a" f\'{run("name")}\'\n'),
    ],
)
def test_new_text_inside_an_f_string_takes_the_other_quotes(edited, before, after):
    assert edited(before, lambda file, find: file.replace(find(ast.Call, "f(1"), 'run("name")', code=CODE)) == after


def test_new_text_that_needs_both_quotes_inside_an_f_string_is_a_problem(edited):
    from migrate.errors import FileProblem

    with pytest.raises(FileProblem, match="quotes"):
        edited('x = f"{f(1)}"\n', lambda file, find: file.replace(find(ast.Call, "f("), 'run("it\'s")', code=CODE))
