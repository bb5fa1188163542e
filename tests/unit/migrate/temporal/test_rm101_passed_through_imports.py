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
