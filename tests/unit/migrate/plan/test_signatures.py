"""The engine's own edits: new signatures, calls between coloured functions, names of the context, renaming."""

from __future__ import annotations

import pytest

from migrate.engine import plan
from migrate.outcome import settle
from migrate.plan.naming import choose_local_name
from tests.unit.migrate.tiny import Tiny

HEAD = "import sdk\nfrom sdk import workflow\n\n\n"


@pytest.fixture
def rewritten(project):
    """Run the tiny source on one file and return its lines from the first definition on."""

    def make(text, source=None, **others):
        made = project({"a.py": HEAD + text, **{f"{name}.py": body for name, body in others.items()}})
        outcome = settle(plan(made, source or Tiny()))
        assert outcome.problems == {}
        return outcome.texts

    return make


def body(texts, path="a.py"):
    return texts[path].split("\n\n\n", 1)[1]


ROOT = "@workflow\nasync def root(x):\n    return await help(x)\n\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("async def help(x):\n    await sdk.step(x)\n", "def help(ctx: Context, x):\n    yield ctx.run(x)\n"),
        (
            "async def help(x: int, *, y=1) -> None:\n    await sdk.step(x)\n",
            "def help(ctx: Context, x: int, *, y=1) -> Generator[Any, Any, None]:\n    yield ctx.run(x)\n",
        ),
        ("async def help(x):\n    ctx = x\n    await sdk.step(ctx)\n",
         "def help(resonate_ctx: Context, x):\n    ctx = x\n    yield resonate_ctx.run(ctx)\n"),
        ("async def help(x):\n    return x\n", "def help(x):\n    return x\n"),
    ],
)  # fmt: skip
def test_helper_gets_the_signature_of_its_colour(rewritten, before, after):
    assert body(rewritten(ROOT + before)).endswith("\n\n\n" + after)


def test_call_of_a_helper_takes_the_callers_context(rewritten):
    text = "@workflow\nasync def root(ctx):\n    return await help(ctx, 2)\n\n\n"
    text += "async def help(a, b):\n    await sdk.step(a)\n"
    assert "    return (yield from help(resonate_ctx, ctx, 2))\n" in rewritten(text)["a.py"]


def test_call_of_a_plain_helper_loses_its_await_only(rewritten):
    text = "@workflow\nasync def root(x):\n    y = 1 + await help(x)  # why\n    await sdk.step(y)\n\n\n"
    text += "async def help(x):\n    return x\n"
    assert "    y = 1 + help(x)  # why\n" in rewritten(text)["a.py"]


def test_method_through_self_super_and_class_gets_context_in_its_place(rewritten):
    text = (
        "class Base:\n    async def hook(self, x):\n        await sdk.step(x)\n\n\nclass Flow(Base):\n    @workflow\n"
        "    async def run(self, x):\n        await self.hook(x)\n        await super().hook(x)\n"
        "        await Base.hook(self, x)\n"
    )
    new = rewritten(text)["a.py"]
    assert "    def hook(self, ctx: Context, x):\n" in new
    assert "        yield from self.hook(ctx, x)\n" in new
    assert "        yield from super().hook(ctx, x)\n" in new
    assert "        yield from Base.hook(self, ctx, x)\n" in new


def test_string_annotation_of_the_result_is_kept_as_it_is(rewritten):
    new = rewritten('@workflow\nasync def root(x) -> "Order":\n    await sdk.step(x)\n\n\nclass Order: ...\n')["a.py"]
    assert '-> Generator[Any, Any, "Order"]:' in new


def test_names_that_are_taken_get_an_alias(rewritten):
    new = rewritten("Context = 1\n\n\n@workflow\nasync def root(x):\n    await sdk.step(x)\n")["a.py"]
    assert "from resonate_core import Context as resonate_Context, durable\n" in new
    assert "def root(ctx: resonate_Context, x):" in new


def test_edits_of_a_held_group_are_never_applied(rewritten):
    assert rewritten("@workflow\nasync def root(x):\n    await sdk.step(x)\n    await other.thing()\n") == {}


class Renaming(Tiny):
    """Renames every workflow to ``main_flow``."""

    def edit(self, job):
        super().edit(job)
        for unit in job.units():
            job.rename(unit.definition, "main_flow", unit, code="RM110")


def test_rename_follows_imports_attributes_annotations_and_all(rewritten):
    texts = rewritten(
        '__all__ = ["root"]\n\n\n@workflow\nasync def root(x):\n    await sdk.step(x)\n',
        Renaming(),
        b="import a\nfrom a import root\nfrom a import root as r\n\n\n"
        'def f(x: "a.root") -> None:\n    print(root, r, a.root)\n',
        c="import sdk\nroot = 1\nprint(root)\n",
    )
    assert '__all__ = ["main_flow"]' in texts["a.py"]
    assert texts["b.py"] == (
        "import a\nfrom a import main_flow\nfrom a import main_flow as r\n\n\n"
        'def f(x: "a.main_flow") -> None:\n    print(main_flow, r, a.main_flow)\n'
    )
    assert "c.py" not in texts


def test_name_already_imported_is_used_as_it_is_called(project):
    from migrate.plan.edits import FilePlan

    made = project({"a.py": "import sdk\nimport resonate_core as rc\nfrom resonate_core import step as mark\n"})
    planned = FilePlan(made.modules["a"])
    assert choose_local_name(planned, "resonate_core.step") == ("mark", True)
    assert choose_local_name(planned, "resonate_core.Context") == ("rc.Context", True)
    assert choose_local_name(planned, "typing.Any", prefer="Anything") == ("Anything", False)
