from __future__ import annotations

import ast

from migrate.plan.fragments import code

CODE = "RM010"


def generator(file, find, kind=ast.AsyncFunctionDef, name="async def"):
    node = find(kind, name)
    file.make_sync(node, code=CODE)
    file.add_parameter(node, "ctx: Context", code=CODE)
    if node.returns is not None:
        file.set_returns(node, code("Generator[Any, Any, {}]", node.returns), code=CODE)


def test_header_of_a_function_gets_context_first(edited):
    result = edited("async def a(x: int) -> str:\n    return x\n", generator)
    assert result == "def a(ctx: Context, x: int) -> Generator[Any, Any, str]:\n    return x\n"


def test_header_without_parameters_or_annotation_gets_context_only(edited):
    assert edited("async def a():\n    pass\n", generator) == "def a(ctx: Context):\n    pass\n"


def test_header_of_a_method_gets_context_behind_self(edited):
    result = edited("class A:\n    async def a(self, *, x=1):\n        pass\n", generator)
    assert result == "class A:\n    def a(self, ctx: Context, *, x=1):\n        pass\n"


def test_header_with_star_first_gets_context_before_it(edited):
    assert edited("async def a(*args, **kw):\n    pass\n", generator) == "def a(ctx: Context, *args, **kw):\n    pass\n"


def test_header_over_several_lines_gets_a_line_of_its_own(edited):
    text = "class A:\n    async def a(\n        self,\n        x: int,  # why\n    ) -> None:\n        pass\n"
    assert edited(text, generator) == (
        "class A:\n    def a(\n        self,\n        ctx: Context,\n        x: int,  # why\n    )"
        " -> Generator[Any, Any, None]:\n        pass\n"
    )


def test_header_that_becomes_too_long_is_broken_like_black_does(edited):
    text = "async def charge(order: Order, amount: Decimal, currency: str) -> Receipt:\n    pass\n"
    assert edited(text, generator) == (
        "def charge(\n"
        "    ctx: Context, order: Order, amount: Decimal, currency: str\n"
        ") -> Generator[Any, Any, Receipt]:\n"
        "    pass\n"
    )


def test_header_far_too_long_gets_one_parameter_per_line(edited):
    text = (
        "async def charge(order: dict[str, Decimal], amount: Decimal, currency_code: str, who: Person = None)"
        " -> None:\n"
        "    pass\n"
    )
    result = edited(text, generator, line_length=88)
    assert result.splitlines()[:3] == ["def charge(", "    ctx: Context,", "    order: dict[str, Decimal],"]
    assert result.splitlines()[5:7] == ["    who: Person = None,", ") -> Generator[Any, Any, None]:"]


def test_async_is_dropped_from_loops_with_blocks_and_comprehensions(edited):
    def record(file, find):
        file.make_sync(find(ast.AsyncFor, "async for"), code=CODE)
        file.make_sync(find(ast.AsyncWith, "async "), code=CODE)
        file.make_sync(find(ast.ListComp, "[x").generators[0], code=CODE)

    text = "async def a():\n    async  with b:\n        async for x in c:\n            y = [x async for x in d]\n"
    assert edited(text, record) == "async def a():\n    with b:\n        for x in c:\n            y = [x for x in d]\n"


def test_class_gets_a_base_with_and_without_others(edited):
    add = lambda file, find: file.add_base(find(ast.ClassDef, "class"), "Base", code=CODE)  # noqa: E731 - used three times
    assert edited("class A:\n    pass\n", add) == "class A(Base):\n    pass\n"
    assert edited("class A():\n    pass\n", add) == "class A(Base):\n    pass\n"
    assert edited("class A(B, metaclass=M):\n    pass\n", add) == "class A(B, Base, metaclass=M):\n    pass\n"


def test_decorator_is_added_below_the_others_and_removed_with_its_line(edited):
    def record(file, find):
        node = find(ast.FunctionDef, "def")
        file.decorate(node, code("step(name={})", "'x'"), code=CODE)
        file.remove(node.decorator_list[0], code=CODE)

    result = edited("# top\n@old(\n    1,\n)  # why\n@kept\ndef a():\n    pass\n", record)
    assert result == "# top\n# why\n@kept\n@step(name='x')\ndef a():\n    pass\n"


def test_elements_are_removed_from_calls_lists_parameters_and_bases(edited):
    def record(file, find):
        node = find(ast.Call, "f(")
        file.remove(node.args[0], code=CODE)
        file.remove(node.keywords[1], code=CODE)
        file.remove(find(ast.List, "[").elts[2], code=CODE)
        file.remove(find(ast.Tuple, "(5").elts[1], code=CODE)
        file.remove(find(ast.FunctionDef, "def").args.args[1], code=CODE)

    text = "def g(a, b: int = (1), c=2):\n    return f(a, b, x=1, y=2), [1, 2, 3], (5, 6)\n"
    assert edited(text, record) == "def g(a, c=2):\n    return f(b, x=1), [1, 2], (5,)\n"


def test_arguments_are_added_to_calls_with_and_without_others(edited):
    def record(file, find):
        file.add_argument(find(ast.Call, "f("), "z=1", code=CODE)
        file.add_argument(find(ast.Call, "g("), "first", code=CODE, where="start")
        file.add_argument(find(ast.Call, "h("), "last", code=CODE)

    text = "f()\ng(1)\nh(\n    1,\n    2,\n)\n"
    assert edited(text, record) == "f(z=1)\ng(first, 1)\nh(\n    1,\n    2,\n    last,\n)\n"


def test_items_of_a_with_statement_are_replaced_and_removed(edited):
    def record(file, find):
        node = find(ast.With, "with")
        file.remove(node.items[0], code=CODE)
        file.replace(node.items[1], "new() as fresh", code=CODE)

    assert edited("with a() as x, (b()) as y, c():\n    pass\n", record) == "with new() as fresh, c():\n    pass\n"
