from __future__ import annotations

import ast

import pytest

from migrate.plan.colouring import colour_project, units_blocked
from migrate.plan.groups import Groups
from migrate.plan.survey import Survey


def survey_of(project):
    """``@sdk.workflow`` marks roots, ``await sdk.step()`` is durable, ``sdk.free(...)`` is handled by a rule."""
    survey = Survey()
    for definition in project.definitions():
        if project.decorator(definition, "sdk.workflow"):
            unit = survey.unit("workflow", definition.name, definition.module, definition.node, definition)
            survey.root(definition, unit)
            survey.opaque.add(definition)
    for module, node in project.calls_of("sdk.step"):
        survey.site(module, module.parents[node] if isinstance(module.parents[node], ast.Await) else node)
    for _module, node in project.calls_of("sdk.free"):
        survey.handled.update(one for one in ast.walk(node) if isinstance(one, (ast.Call, ast.Name, ast.Attribute)))
    return survey


def coloured(project, text, **others):
    files = {"a.py": "import sdk\n" + text, **{name + ".py": body for name, body in others.items()}}
    made = project(files)
    survey = survey_of(made)
    return colour_project(made, survey), survey, made


def names(definitions):
    return sorted(one.qualname.removeprefix("a.") for one in definitions)


def reasons(colouring):
    return sorted(f"{one.definition.name}: {one.reason}" for one in colouring.blockers)


ROOT = "@sdk.workflow\nasync def root(x):\n    return await {}\n"


def test_colour_climbs_from_the_site_to_the_root(project):
    result, _, _ = coloured(
        project,
        ROOT.format("first(x)")
        + "async def first(x):\n    return await second(x)\nasync def second(x):\n    await sdk.step()\n",
    )
    assert names(result.generators) == ["first", "root", "second"]
    assert [(one.caller.name, one.callee.name) for one in result.delegations] == [
        ("first", "second"),
        ("root", "first"),
    ]
    assert result.blockers == []


def test_colour_crosses_files_and_recursion(project):
    result, _, _ = coloured(
        project,
        "from b import walk\n" + ROOT.format("walk(x)"),
        b="import sdk\nasync def walk(x):\n    if x:\n        await walk(x - 1)\n    await sdk.step()\n",
    )
    assert names(result.generators) == ["b.walk", "root"]
    assert result.blockers == []


def test_colour_of_async_helper_without_durable_call_is_plain(project):
    result, _, _ = coloured(project, ROOT.format("help(x)") + "async def help(x):\n    return x\n")
    assert names(result.plain) == ["help", "root"]
    assert [one.colour for one in result.delegations] == ["plain"]


def test_colour_takes_overriding_methods_along(project):
    text = """
class Base:
    @sdk.workflow
    async def run(self):
        await self.hook()
    async def hook(self):
        return 1
class Sub(Base):
    async def hook(self):
        await sdk.step()
"""
    result, _, _ = coloured(project, text)
    assert names(result.generators) == ["Base.hook", "Base.run", "Sub.hook"]


def test_colour_does_not_pass_an_opaque_function(project):
    text = ROOT.format("sdk.step()") + "async def main():\n    await root(1)\n"
    result, _, _ = coloured(project, text)
    assert names(result.generators) == ["root"]
    assert result.blockers == []


def test_colour_of_nested_function_follows_its_calls(project):
    text = "@sdk.workflow\nasync def root(x):\n    async def inner():\n        await sdk.step()\n    await inner()\n"
    result, _, _ = coloured(project, text)
    assert names(result.generators) == ["root", "root.<locals>.inner"]
    assert result.blockers == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@sdk.workflow\nasync def root(x):\n    return [await sdk.step() for y in x]\n", ["root: comprehension"]),
        ("@sdk.workflow\nasync def root(x):\n    return lambda: sdk.step()\n", ["root: lambda"]),
        ("@sdk.workflow\nasync def root(x):\n    await sdk.step()\n    await browser.open()\n", ["root: await"]),
        ("@sdk.workflow\nasync def root(x):\n    await sdk.step()\n    async with lock: pass\n", ["root: await"]),
        ("@sdk.workflow\nasync def root(x):\n    await sdk.step()\n    [y async for y in x]\n", ["root: await"]),
        ("@sdk.workflow\nasync def root(x):\n    await sdk.step()\n    yield 1\n", ["root: generator"]),
        (
            ROOT.format("help()") + "async def help():\n    await sdk.step()\nasync def main():\n    await help()\n",
            ["help: called elsewhere"],
        ),
        (ROOT.format("help()") + "async def help():\n    await sdk.step()\ncallbacks = [help]\n", ["help: value"]),
        (ROOT.format("help()") + "@cache\nasync def help():\n    await sdk.step()\n", ["help: decorator"]),
        (
            (
                "class A:\n    @sdk.workflow\n    def root(self):\n        return self.p\n    @property\n    "
                "def p(self):\n"
                "        sdk.step()\n"
            ),
            ["p: unreached"],
        ),
        (
            (
                "class A:\n    @sdk.workflow\n    def root(self):\n        B()\nclass B:\n    def __init__(self):\n"
                "        sdk.step()\n"
            ),
            ["__init__: dunder"],
        ),
        (
            (
                "@sdk.workflow\nasync def root():\n    x = help()\n    await sdk.step()\n"
                "async def help():\n    await sdk.step()\n"
            ),
            ["root: coroutine"],
        ),
    ],
)
def test_what_stands_in_the_way_is_named(project, text, expected):
    result, _, _ = coloured(project, text)
    assert reasons(result) == expected


def test_function_that_no_workflow_reaches_is_told(project):
    result, survey, _ = coloured(project, ROOT.format("sdk.step()") + "async def alone():\n    await sdk.step()\n")
    assert names(result.unreached) == ["alone"]
    assert Groups(survey, result).converts(survey.units[0])


def test_call_that_a_rule_rewrites_is_no_delegation_and_no_obstacle(project):
    text = "@sdk.workflow\nasync def root(x):\n    sdk.free(help())\n    await sdk.step()\n"
    text += "async def help():\n    await sdk.step()\n"
    result, _, _ = coloured(project, text)
    assert names(result.generators) == ["help", "root"]
    assert (result.delegations, result.blockers) == ([], [])


def test_groups_share_their_fate_through_links_and_helpers(project):
    text = (
        "@sdk.workflow\nasync def one():\n    await help()\n@sdk.workflow\nasync def two():\n    await help()\n"
        "async def help():\n    await sdk.step()\n@sdk.workflow\nasync def three():\n    await sdk.step()\n"
        "    await other.thing()\n@sdk.workflow\nasync def four():\n    await sdk.step()\n"
    )
    result, survey, _ = coloured(project, text)
    one, two, three, four = survey.units
    survey.link(three, four)
    groups = Groups(survey, result)
    assert groups.name(one) == groups.name(two) != groups.name(three)
    assert [groups.converts(unit) for unit in survey.units] == [True, True, False, False]
    assert (groups.tier(three), groups.tier(four)) == ("manual", "idiomatic")
    assert groups.hold(four).unit is three
    assert "other.thing()" in groups.hold(four).message
    assert list(units_blocked(result)) == [three]


def test_groups_stay_when_a_need_exceeds_the_highest_tier(project):
    result, survey, _ = coloured(project, ROOT.format("sdk.step()"))
    unit = survey.units[0]
    unit.need("helper", "RM143", unit.node, "waits for a condition")
    assert Groups(survey, result, "helper").converts(unit)
    assert not Groups(survey, result, "idiomatic").converts(unit)
    assert Groups(survey, result, "idiomatic").hold(unit).message == "waits for a condition"


def test_groups_without_any_workflow_that_moves_all_stay(project):
    result, survey, made = coloured(project, ROOT.format("sdk.step()"))
    client = survey.unit("client", "main", made.modules["a"], made.modules["a"].tree)
    assert Groups(survey, result).converts(client)
    survey.units[0].need("manual", "RM190", survey.units[0].node, "special")
    groups = Groups(survey, result)
    assert not groups.converts(client)
    assert groups.hold(client).message == "special"


def test_groups_of_clients_alone_move(project):
    result, survey, made = coloured(project, "x = 1\n")
    client = survey.unit("client", "main", made.modules["a"], made.modules["a"].tree)
    assert Groups(survey, result).converts(client)


def test_site_in_a_default_value_colours_the_function_that_evaluates_it(project) -> None:
    text = "@sdk.workflow\nasync def run():\n    def inner(a=await sdk.step()):\n        return a\n    return inner()\n"
    colouring, _survey, _made = coloured(project, text)
    assert names(colouring.generators) == ["run"]
