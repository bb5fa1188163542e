from __future__ import annotations

import pytest

APP = "from dbos import DBOS\nfrom fastapi import Depends, FastAPI, Request\n\napp = FastAPI()\n\n\n"


def test_handler_is_split_from_its_workflow(migrate) -> None:
    handler = "@app.get('/{n}')\n@DBOS.workflow()\ndef go(n: int) -> int:\n    DBOS.sleep(n)\n    return n\n"
    text = migrate(APP + handler).text
    assert '@durable(name="go")\ndef go_workflow(ctx: Context, n: int)' in text
    assert "@app.get('/{n}')\ndef go(n: int) -> int:\n    return resonate.run(str(uuid4()), go_workflow, n)\n" in text


@pytest.mark.parametrize("parameter", ["r: Request", "n: int = Depends(int)", "*n", "**n"])
def test_handler_with_live_parameters_stays(migrate, parameter: str) -> None:
    assert migrate(APP + f"@app.get('/')\n@DBOS.workflow()\ndef go({parameter}):\n    return 1\n").texts == {}


def test_handler_that_a_workflow_calls_too_stays(migrate) -> None:
    text = APP + "@app.get('/')\n@DBOS.workflow()\ndef go(): return 1\n\n\n@DBOS.workflow()\ndef two(): return go()\n"
    assert migrate(text).texts == {}


def test_static_workflow_is_registered_by_hand(migrate) -> None:
    text = migrate(
        "from dbos import DBOS\n\n\n@DBOS.dbos_class()\nclass K:\n    @staticmethod\n    @DBOS.workflow()\n"
        "    def flow(n): DBOS.sleep(n)\n\n\nDBOS(config={})\nDBOS.launch()\nK.flow(1)\n"
    ).text
    assert '@staticmethod\n    @durable(name="K.flow")\n    def flow(ctx: Context, n): yield ctx.sleep(n)' in text
    assert "resonate.register_all()\nresonate.register(K.flow)\nresonate.start()\n" in text
    assert "resonate.run(str(uuid4()), K.flow, 1)" in text


@pytest.mark.parametrize("kind", ["", "    @classmethod\n"])
def test_workflow_that_needs_its_object_stays(migrate, kind: str) -> None:
    text = f"from dbos import DBOS\n\n\nclass K:\n{kind}    @DBOS.workflow()\n    def flow(self): DBOS.sleep(1)\n"
    assert migrate(text).texts == {}


def test_step_of_an_object_is_run_as_a_bound_method(migrate) -> None:
    text = migrate(
        "from dbos import DBOS\n\n\nclass K:\n    @DBOS.step()\n    def act(self, n): return n\n\n\nk = K()\n\n\n"
        "@DBOS.workflow()\ndef flow(n): return k.act(n)\n"
    ).text
    assert "def flow(ctx: Context, n): return (yield ctx.run(k.act, n))" in text


def test_cancel_goes_through_the_client(migrate) -> None:
    flow = "from dbos import DBOS\n\n\n@DBOS.workflow()\ndef flow(): DBOS.sleep(1)\n\n\n"
    text = migrate(flow + "DBOS(config={})\nDBOS.launch()\nDBOS.cancel_workflow('x')\n").text
    assert text.endswith("resonate.start()\nresonate.cancel('x')\n")
