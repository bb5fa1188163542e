from __future__ import annotations

import pytest

from migrate.rules.temporal.facts import snake_case

SIMPLE = """
from temporalio import workflow


@workflow.defn
class {name}:
    @workflow.run
    async def run(self, n: int) -> int:
        await workflow.sleep(1)
        return n
"""


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Greeting", "greeting"),
        ("GreetingWorkflow", "greeting_workflow"),
        ("HTTPFetch", "http_fetch"),
        ("OrderV2", "order_v2"),
        ("A", "a"),
        ("_Hidden", "_hidden"),
        ("Parse2Json", "parse2_json"),
    ],
)
def test_snake_case_of_a_class_name_is_what_a_person_would_write(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize(
    ("name", "function"),
    [("Order", "order"), ("Sum", "sum_workflow"), ("Import", "import_workflow"), ("Workflow", "workflow_workflow")],
)
def test_function_name_avoids_builtins_keywords_and_taken_names(migrate, name: str, function: str) -> None:
    text = migrate(SIMPLE.format(name=name)).text
    assert f'@durable(name="{name}")\ndef {function}(ctx: Context, n: int) -> Generator[Any, Any, int]:' in text


def test_registered_name_of_the_source_is_kept_as_it_is_spelled(migrate) -> None:
    source = SIMPLE.format(name="Order").replace("@workflow.defn", "@workflow.defn(name='the-order')")
    assert "@durable(name='the-order')" in migrate(source).text


def test_class_without_any_await_becomes_a_plain_function(migrate) -> None:
    source = SIMPLE.format(name="Order").replace("        await workflow.sleep(1)\n", "")
    assert "def order(ctx: Context, n: int) -> int:\n    return n" in migrate(source).text


@pytest.mark.parametrize(
    "change",
    [
        ("    @workflow.run", "    limit = 3\n\n    @workflow.run"),
        ("return n", "return n if self else 0"),
        ("class Order:", "class Order(object):"),
        ("        return n", "        return n\n\n    def helper(self) -> int:\n        return 1"),
    ],
)
def test_class_with_more_than_run_stays_a_class(migrate, change: tuple[str, str]) -> None:
    done = migrate(SIMPLE.format(name="Order").replace(*change))
    assert '@durable(name="Order")\nclass Order' in done.text
    assert done.tiers == {"Order": "helper"}


def test_class_that_something_unknown_mentions_stays_a_class(migrate) -> None:
    done = migrate(SIMPLE.format(name="Order") + "\n\nREGISTRY = {'order': Order}\n")
    assert "class Order:" in done.text


def test_name_taken_in_an_importing_file_is_avoided(migrate) -> None:
    done = migrate(
        {
            "flow.py": SIMPLE.format(name="Order"),
            "worker.py": """
                from flow import Order
                from temporalio.worker import Worker

                def make(client, order):
                    return Worker(client, task_queue="q", workflows=[Order])
                """,
        }
    )
    assert "worker.register(order_workflow)" in done.texts["worker.py"]
    assert "from flow import order_workflow" in done.texts["worker.py"]


def test_import_under_another_name_keeps_that_name(migrate) -> None:
    done = migrate(
        {
            "flow.py": SIMPLE.format(name="Order"),
            "start.py": """
                from flow import Order as Process
                from temporalio.client import Client

                async def start(client: Client) -> None:
                    await client.execute_workflow(Process.run, 1, id="x", task_queue="q")
                """,
        }
    )
    assert "from flow import order as Process" in done.texts["start.py"]
    assert "Process," in done.texts["start.py"]


def test_package_whose_submodule_has_the_new_name_keeps_the_class(migrate) -> None:
    done = migrate(
        {
            "app/__init__.py": "from .order_flow import OrderFlow\n\n__all__ = ['OrderFlow']\n",
            "app/order_flow.py": SIMPLE.format(name="OrderFlow"),
        }
    )
    assert "def order_flow_workflow(" in done.texts["app/order_flow.py"]
    assert "from .order_flow import order_flow_workflow" in done.texts["app/__init__.py"]


def test_lines_of_multiline_strings_keep_their_indentation(migrate) -> None:
    source = SIMPLE.format(name="Order").replace(
        "        return n", '        print("""a\n        b""")\n        return n'
    )
    assert '    print("""a\n        b""")\n    return n\n' in migrate(source).text


def test_second_run_has_nothing_to_do(migrate) -> None:
    text = migrate(SIMPLE.format(name="Order")).text
    assert not migrate(text).texts
