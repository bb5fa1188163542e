from __future__ import annotations


def test_signal_to_another_execution_goes_by_its_id(body) -> None:
    text = body(
        "h = workflow.get_external_workflow_handle('x')\nawait h.signal('go', n)\nawait h.signal('go', args=[n, n])\n"
        "await h.cancel()"
    )
    assert text == ("h = 'x'\nyield ctx.signal(h, 'go', n)\nyield ctx.signal(h, 'go', n, n)\nyield ctx.cancel(h)")


def test_handle_of_one_run_is_that_of_the_id(workflow) -> None:
    done = workflow("h = workflow.get_external_workflow_handle('x', run_id='y')\nawait h.signal('go')")
    assert "    h = 'x'\n    yield ctx.signal(h, 'go')" in done.text
    assert done.codes == ["RM505"]


def test_handle_with_other_arguments_keeps_the_program(held) -> None:
    assert "in this way" in held("h = workflow.get_external_workflow_handle(*n)\nawait h.signal('go')", more="")
