from __future__ import annotations

import pytest

from migrate.run import run
from migrate.settings import Settings


def flow(body: str, decorator: str = "@workflow.defn") -> str:
    return f"""
from temporalio import workflow


{decorator}
class Flow:
    def __init__(self) -> None:
        self.n = 0

{body}
"""


RUN = """
    @workflow.run
    async def run(self) -> int:
        await workflow.sleep(1)
        return self.n
"""


def test_class_with_state_gets_marks_and_a_context(migrate) -> None:
    done = migrate(flow(RUN))
    assert '@durable(name="Flow")\nclass Flow:' in done.text
    assert "    @entry\n    def run(self, ctx: Context) -> Generator[Any, Any, int]:" in done.text
    assert "        self.n = 0" in done.text


def test_init_decorator_goes(migrate) -> None:
    done = migrate(flow(RUN).replace("    def __init__", "    @workflow.init\n    def __init__"))
    assert "class Flow:\n    def __init__(self) -> None:" in done.text


@pytest.mark.parametrize("option", ["sandboxed=False", "failure_exception_types=[ValueError]"])
def test_options_of_the_definition_that_mean_nothing_here_are_reported(migrate, option: str) -> None:
    done = migrate(flow(RUN, f"@workflow.defn({option})"))
    assert '@durable(name="Flow")' in done.text
    assert done.codes == ["RM506"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (flow(RUN, "@workflow.defn(dynamic=True)"), "dynamic=...) has no counterpart"),
        (flow(RUN, "@other\n@workflow.defn"), "also decorated with @other"),
        (flow(RUN).replace("self.n = 0", "self.n = workflow.memo()"), "memo has no counterpart"),
        (flow(RUN + "\n    @property\n    def when(self):\n        return workflow.now()\n"), ""),
    ],
)
def test_definition_that_cannot_move_stays(migrate, source: str, reason: str) -> None:
    done = migrate(source)
    assert not done.texts
    assert reason in "\n".join(done.reasons)


def test_sync_helper_that_asks_for_the_time_takes_the_context(migrate) -> None:
    done = migrate(
        flow(
            RUN.replace("return self.n", "return self._stamp(1) + len([self._stamp(x) for x in range(2)])")
            + "\n    def _stamp(self, n: int) -> int:\n        return workflow.now().year + n\n"
        )
    )
    assert "def _stamp(self, ctx: Context, n: int) -> int:\n        return ctx.now().year + n" in done.text
    assert "return self._stamp(ctx, 1) + len([self._stamp(ctx, x) for x in range(2)])" in done.text


def test_run_method_that_somebody_calls_keeps_the_program(migrate) -> None:
    done = migrate(flow(RUN) + "\n\nasync def test() -> None:\n    assert await Flow().run() == 0\n")
    assert not done.texts
    assert "is called from flow.test" in "\n".join(done.reasons)


def test_base_class_of_two_workflows_is_converted_once(migrate) -> None:
    done = migrate("""
        from temporalio import workflow


        class Base:
            stop = False

            @workflow.signal
            def halt(self) -> None:
                self.stop = True


        @workflow.defn
        class One(Base):
            @workflow.run
            async def run(self) -> None:
                await workflow.wait_condition(lambda: self.stop)


        @workflow.defn
        class Two(Base):
            @workflow.run
            async def run(self) -> None:
                await workflow.wait_condition(lambda: self.stop)
        """)
    assert done.text.count("    @signal\n") == 1
    assert done.tiers == {"One": "helper", "Two": "helper"}


def test_workflow_inside_a_function_is_among_the_workflows_of_the_report(tmp_path) -> None:
    (tmp_path / "flow.py").write_text(
        "from temporalio import workflow\n\n\ndef make():\n    @workflow.defn(name='Inner')\n    class Flow:\n"
        "        @workflow.run\n        async def run(self) -> None:\n            pass\n\n    return Flow\n"
    )
    report = run(Settings((tmp_path,), "temporal")).report
    assert [(one.name, one.line, one.tier, one.codes) for one in report.workflows] == [
        ("Inner", 6, "compat", ("RM111",))
    ]


@pytest.mark.parametrize(
    ("decorator", "body", "tier"),
    [
        ("@listed", "def listed(cls):\n    SEEN.append(cls)\n    return cls", "helper"),
        (
            "@listed('a')",
            "def listed(kind):\n    def note(cls):\n        SEEN.append(cls)\n        return cls\n\n    return note",
            "helper",
        ),
        ("@listed", "def listed(cls):\n    return SEEN.pop() or cls", "held"),
        ("@listed", "def listed(cls):\n    cls = type('X', (cls,), {})\n    return cls", "held"),
        ("@listed('a')", "def listed(kind):\n    return SEEN.append", "held"),
        ("@other.listed", "import other", "held"),
    ],
)
def test_decorator_that_gives_the_class_back_stays(migrate, decorator: str, body: str, tier: str) -> None:
    source = flow("    @workflow.run\n    async def run(self) -> None:\n        pass")
    done = migrate(source.replace("@workflow.defn", f"SEEN = []\n{body}\n\n\n{decorator}\n@workflow.defn"))
    assert done.tiers == {"Flow": tier}
    if tier == "helper":
        assert f'{decorator}\n@durable(name="Flow")\nclass Flow:' in done.text
