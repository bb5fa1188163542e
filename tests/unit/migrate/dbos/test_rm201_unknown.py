from __future__ import annotations

FLOW = """
from dbos import DBOS

@DBOS.step()
def act(n): return n

@DBOS.workflow()
def flow(n):
    {}
    return act(n)
"""


def test_unknown_call_in_a_body_keeps_workflow_and_steps(migrate) -> None:
    result = migrate(FLOW.format("DBOS.write_stream('k', n)"))
    assert result.texts == {}
    assert "dbos.DBOS.write_stream has no generator form" in result.reasons[0]


def test_unknown_call_by_id_keeps_every_workflow(migrate) -> None:
    result = migrate(FLOW.format("pass") + "\n\ndef show(i):\n    return DBOS.get_workflow_status(i)\n")
    assert result.texts == {}


def test_unknown_call_in_a_test_is_only_reported(migrate) -> None:
    result = migrate(
        {
            "flows.py": FLOW.format("pass"),
            "test_flows.py": "from dbos import DBOS\nimport flows\n\n\ndef test_it():\n    DBOS.list_workflows()\n",
        }
    )
    assert "yield ctx.run(act, n)" in result.texts["flows.py"]
    assert result.reasons == ["this test uses dbos.DBOS.list_workflows"]


def test_workflow_of_a_test_is_held_like_any_other(migrate) -> None:
    result = migrate({"test_flows.py": FLOW.format("DBOS.write_stream('k', n)")})
    assert result.texts == {}


def test_private_module_is_reported(migrate) -> None:
    result = migrate("from dbos._dbos import _get_dbos_instance\n\nprint(_get_dbos_instance())\n")
    assert result.texts == {}
    assert result.reasons


def test_other_library_of_the_same_words_is_left_alone(migrate) -> None:
    result = migrate("from mylib import DBOS\n\n@DBOS.workflow()\ndef flow(): DBOS.sleep(1)\n# dbos\n")
    assert result.texts == {}
    assert result.tiers == {}


def test_handler_that_names_an_error_of_dbos_keeps_its_workflow(migrate) -> None:
    body = "try:\n        act(n)\n    except error.DBOSMaxStepRetriesExceeded:\n        return 0"
    result = migrate(FLOW.format(body).replace("import DBOS", "import DBOS, error"))
    assert result.texts == {}
    assert "DBOSMaxStepRetriesExceeded" in result.reasons[0]


def test_decorator_in_a_variable_keeps_the_steps_that_its_workflows_may_call(migrate) -> None:
    text = FLOW.format("pass").replace("@DBOS.workflow()", "durable = DBOS.workflow()\n\n@durable")
    result = migrate(text)
    assert result.texts == {}
    assert result.reasons == ["dbos.DBOS.workflow has no generator form"]


def test_class_handed_to_other_code_keeps_the_steps_that_its_workflows_may_call(migrate) -> None:
    result = migrate(FLOW.format("pass").replace("@DBOS.workflow()", '@getattr(DBOS, "workflow")()'))
    assert result.texts == {}
    assert result.reasons == ["dbos.DBOS has no generator form"]
