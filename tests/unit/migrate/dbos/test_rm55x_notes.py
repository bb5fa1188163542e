from __future__ import annotations

import pytest

FLOW = """
import requests
from dbos import DBOS

@DBOS.step()
def act(n): return n

@DBOS.workflow({options})
def flow(n):
    {body}

DBOS(config={config})
DBOS.launch()
"""


def codes(migrate, body: str = "return act(n)", options: str = "", config: str = "{}") -> list[str]:
    result = migrate(FLOW.format(body=body, options=options, config=config))
    assert "@durable()" in result.text
    return [code for code in result.codes if code.startswith("RM5")]


def test_plain_program_is_told_about_its_store_only(migrate) -> None:
    assert codes(migrate) == ["RM554"]


def test_recovery_limit_is_told(migrate) -> None:
    assert "RM552" in codes(migrate, options="max_recovery_attempts=3")


@pytest.mark.parametrize("key", ["application_version", "executor_id", "max_executor_threads", "conductor_key"])
def test_configuration_key_that_meant_something_is_told(migrate, key: str) -> None:
    assert codes(migrate, config=f"{{'name': 'x', '{key}': 1}}") == ["RM554", "RM554"]


def test_network_call_in_a_body_is_told(migrate) -> None:
    assert "RM556" in codes(migrate, body="return act(requests.get('x'))")


@pytest.mark.parametrize("handler", ["except:", "except BaseException:"])
def test_handler_for_everything_is_told(migrate, handler: str) -> None:
    assert "RM557" in codes(migrate, body=f"try:\n        return act(n)\n    {handler}\n        return 0")


def test_handler_for_exceptions_is_not_told(migrate) -> None:
    body = "try:\n        return act(n)\n    except Exception:\n        return 0"
    assert "RM557" not in codes(migrate, body=body)
