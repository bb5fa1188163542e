from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("spelled", "import_line"),
    [
        ("@DBOS.workflow()", "from dbos import DBOS"),
        ("@D.workflow()", "from dbos import DBOS as D"),
        ("@dbos.DBOS.workflow()", "import dbos"),
        ("@x.DBOS.workflow()", "import dbos as x"),
        ("@workflow()", "from dbos import DBOS\nworkflow = DBOS.workflow"),
    ],
)
def test_decorator_under_any_name_becomes_durable(migrate, spelled: str, import_line: str) -> None:
    result = migrate(f"{import_line}\n\n{spelled}\ndef flow(n: int) -> int:\n    return n\n")
    assert "@durable()\ndef flow(ctx: Context, n: int) -> int:\n    return n\n" in result.text


def test_async_body_without_durable_calls_stays_async(migrate) -> None:
    result = migrate(
        """
        import asyncio
        from dbos import DBOS

        @DBOS.workflow()
        async def flow(n: int) -> int:
            await asyncio.to_thread(print, n)
            return n
        """
    )
    assert "@durable()\nasync def flow(ctx: Context, n: int) -> int:\n    await asyncio.to_thread(" in result.text


def test_awaited_helper_without_durable_calls_becomes_plain(body) -> None:
    text = "async def local(x):\n    return x\nreturn await local(n) + await act_async(n)"
    assert body(text, is_async=True) == ("def local(x):\n    return x\nreturn local(n) + (yield ctx.run(act_async, n))")


@pytest.mark.parametrize(
    ("decorators", "reason"),
    [
        ("@DBOS.workflow(validate_args=check)", "validate_args"),
        ("@DBOS.workflow(**options)", "**"),
        ("@retry\n@DBOS.workflow()", "retry"),
        ("@DBOS.workflow()\n@functools.cache", "cache"),
    ],
)
def test_decorator_that_cannot_be_carried_over_keeps_the_workflow(migrate, decorators: str, reason: str) -> None:
    result = migrate(f"import functools\nfrom dbos import DBOS\n\n{decorators}\ndef flow(n): return n\n")
    assert result.texts == {}
    assert reason in result.reasons[0]


def test_workflow_in_a_function_stays(migrate) -> None:
    inner = "    @DBOS.workflow()\n    def flow(n): return n\n    return flow\n"
    assert migrate(f"from dbos import DBOS\n\ndef make():\n{inner}").texts == {}


def test_two_workflows_of_one_name_get_names_of_their_own(migrate) -> None:
    text = "from dbos import DBOS\n\n@DBOS.workflow()\ndef flow(n): return n\n"
    result = migrate({"a.py": text, "b.py": text})
    assert '@durable(name="a.flow")' in result.texts["a.py"]
    assert '@durable(name="b.flow")' in result.texts["b.py"]
