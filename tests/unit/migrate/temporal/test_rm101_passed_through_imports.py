from __future__ import annotations


def test_block_of_imports_becomes_plain_imports(migrate) -> None:
    done = migrate("""
        from temporalio import workflow

        with workflow.unsafe.imports_passed_through():
            import json  # needed below
            from os import path

        print(json, path)
        """)
    assert done.text == "import json  # needed below\nfrom os import path\n\nprint(json, path)\n"


def test_block_shared_with_another_manager_stays(migrate) -> None:
    done = migrate("""
        from contextlib import suppress
        from temporalio import workflow

        with suppress(ImportError), workflow.unsafe.imports_passed_through():
            import json
        """)
    assert not done.texts
    assert "not the only thing of a with statement" in done.reasons[0]


def test_block_stays_as_long_as_a_workflow_of_the_file_does(migrate) -> None:
    done = migrate("""
        from temporalio import workflow

        with workflow.unsafe.imports_passed_through():
            import json


        @workflow.defn
        class Flow:
            @workflow.run
            async def run(self) -> str:
                return json.dumps(workflow.info().namespace)
        """)
    assert not done.texts


def test_imports_of_the_sdk_in_the_block_go(migrate) -> None:
    done = migrate("""
        from datetime import timedelta

        from temporalio import workflow

        with workflow.unsafe.imports_passed_through():
            from temporalio.common import RetryPolicy
            from json import dumps

        with workflow.unsafe.imports_passed_through():
            import temporalio.activity

        POLICY = RetryPolicy(initial_interval=timedelta(seconds=1))
        print(dumps({}))


        @temporalio.activity.defn
        async def act() -> None: ...
        """)
    assert "temporalio" not in done.text
    assert "from json import dumps\n" in done.text
