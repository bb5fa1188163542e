from __future__ import annotations

FLOW = "from dbos import DBOS\n\n\n@DBOS.workflow()\ndef flow(n):\n    DBOS.sleep(n)\n\n\n"


def test_client_of_one_file_is_made_where_dbos_was(migrate) -> None:
    text = migrate(FLOW + "def main():\n    DBOS(config={'name': 'x'})\n    DBOS.launch()\n    flow(1)\n").text
    assert "    resonate = Resonate()\n    resonate.register_all()\n    resonate.start()\n    resonate.run(" in text


def test_client_that_handlers_need_is_made_at_the_top(migrate) -> None:
    tail = "def go():\n    flow(1)\n\n\nif __name__ == '__main__':\n    DBOS(config={'name': 'x'})\n    DBOS.launch()\n"
    text = migrate(FLOW + tail).text
    assert "\nresonate = Resonate()\n" in text.split("@durable")[0]
    assert "DBOS" not in text


def test_client_of_several_files_gets_a_module_next_to_the_entry_point(migrate) -> None:
    main = "from dbos import DBOS\nfrom app.flows import flow\n\nDBOS(config={'name': 'x'})\nDBOS.launch()\nflow(1)\n"
    api = "from app.flows import flow\n\n\ndef go():\n    return flow(2)\n"
    files = {"app/__init__.py": "", "app/flows.py": FLOW, "app/main.py": main, "app/api.py": api}
    result = migrate(files)
    assert result.texts["app/resonate_app.py"] == "from resonate_core import Resonate\n\nresonate = Resonate()\n"
    assert "from app.resonate_app import resonate" in result.texts["app/main.py"]
    assert "from app.resonate_app import resonate" in result.texts["app/api.py"]


def test_script_that_imports_its_neighbours_imports_the_client_like_them(migrate) -> None:
    main = "from dbos import DBOS\nfrom flows import flow\n\nDBOS(config={'name': 'x'})\nDBOS.launch()\nflow(1)\n"
    other = "from flows import flow\n\nflow(2)\n"
    result = migrate({"svc/flows.py": FLOW, "svc/main.py": main, "svc/other.py": other})
    assert "from resonate_app import resonate" in result.texts["svc/main.py"]


def test_name_that_is_taken_is_left_to_the_program(migrate) -> None:
    text = migrate(FLOW + "resonate = 1\nDBOS(config={})\nDBOS.launch()\n").text
    assert "resonate_client = Resonate()" in text


def test_async_program_awaits_the_client(migrate) -> None:
    tail = "async def main():\n    DBOS(config={})\n    DBOS.launch()\n    flow(1)\n    DBOS.destroy()\n"
    text = migrate(FLOW + tail).text
    for line in ("await resonate.aio.start()", "await resonate.aio.run(", "await resonate.aio.stop()"):
        assert line in text


def test_arguments_of_destroy_are_not_dropped_in_silence(migrate) -> None:
    tail = "DBOS(config={})\nDBOS.launch()\nflow(1)\nDBOS.destroy(workflow_completion_timeout_sec=30)\n"
    done = migrate(FLOW + tail)
    assert "resonate.stop()" in done.text
    assert "RM260" in done.codes


def test_configuration_that_something_else_reads_stays_as_a_dictionary(migrate) -> None:
    tail = "config: DBOSConfig = {'name': 'x'}\nprint(config)\nDBOS(config=config)\nDBOS.launch()\n"
    text = migrate(FLOW.replace("import DBOS", "import DBOS, DBOSConfig") + tail).text
    assert "config: dict = {'name': 'x'}\nprint(config)\nresonate = Resonate()\n" in text


def test_launch_inside_an_expression_keeps_everything(migrate) -> None:
    assert migrate(FLOW + "DBOS(config={})\nprint(DBOS.launch())\n").texts == {}


def test_flask_keeps_everything(migrate) -> None:
    assert migrate(FLOW + "DBOS(flask=1, config={})\n").texts == {}


def test_logger_configures_the_console_only_if_the_program_does_not(migrate) -> None:
    tail = "DBOS(config={})\nDBOS.launch()\nDBOS.logger.info('x')\n"
    assert "logging.basicConfig(level=logging.INFO)" in migrate(FLOW + tail).text
    own = "import logging\nlogging.basicConfig(level=10)\n"
    assert migrate(own + FLOW + tail).text.count("basicConfig") == 1
