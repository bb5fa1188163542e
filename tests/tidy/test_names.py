"""The names that migrated code may use exist, with the arguments the codemod writes."""

from __future__ import annotations

import inspect
from typing import Any, Final

import pytest

import resonate_core
from migrate import targets
from resonate_core import Backoff, Context, Handle, Resonate, durable, step
from resonate_core.commands import Command

#: What ``from resonate_core import ...`` promises, beyond what the codemod writes.
EXPORTED: Final = [
    "Exponential", "Linear", "Constant", "Never",
    "AesGcmEncryptor", "Encryptor",
    "StepTimeoutError", "TimedOutError", "CanceledError", "RemoteError", "NotFoundError", "AlreadyStartedError",
    "ExecutionClosedError", "UsageError", "NondeterminismError",
]  # fmt: skip


def parameters(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", [*targets.EXPORTS, *EXPORTED])
def test_name_is_exported_by_the_runtime(name: str):
    assert name in resonate_core.__all__
    assert getattr(resonate_core, name) is not None


def test_runtime_exports_what_it_lists():
    assert sorted(resonate_core.__all__) == resonate_core.__all__
    assert [name for name in resonate_core.__all__ if not hasattr(resonate_core, name)] == []


@pytest.mark.parametrize("name", targets.CONTEXT)
def test_name_exists_on_a_context(name: str):
    assert hasattr(Context, name) or name in Context.__annotations__


@pytest.mark.parametrize("name", sorted(targets.CLIENT))
def test_name_exists_on_a_client_and_its_asynchronous_twin(name: str):
    assert hasattr(Resonate, name)
    plain = {"aio", "options", "register", "register_all", "promises", "schedules"}
    assert name in plain or hasattr(Resonate.local().aio, name)


@pytest.mark.parametrize("name", sorted(targets.HANDLE))
def test_name_exists_on_a_handle(name: str):
    assert hasattr(Handle, name) or name in parameters(Handle) | set(Handle.__annotations__)


@pytest.mark.parametrize("name", sorted(targets.CLIENT_OPTIONS))
def test_option_of_a_client_is_accepted(name: str):
    places = {"delay": 5, "partition": "a", "priority": 2}
    value: Any = {"if_exists": "restart_closed", "target": "poll://any@orders", "timeout": 60, **places}[name]
    assert Resonate.local().options(**{name: value}) is not None


def test_options_of_marks_and_backoff_are_accepted():
    assert parameters(step) >= targets.STEP_OPTIONS
    assert parameters(durable) >= targets.DURABLE_OPTIONS
    assert parameters(Backoff) >= targets.BACKOFF_OPTIONS


@pytest.mark.parametrize("name", sorted(targets.COMMAND_OPTIONS))
def test_option_of_a_command_is_accepted(name: str):
    values: dict[str, Any] = {
        "attempt_timeout": 5,
        "delay": 5,
        "errors": "wrapped",
        "heartbeat_timeout": 5,
        "id": "child-1",
        "parent_close": "abandon",
        "partition": "a",
        "priority": 1,
        "queue": "mails",
        "retry_policy": Backoff(1),
        "schedule_to_start_timeout": 5,
        "target": "poll://any@orders",
        "timeout": 60,
    }
    assert name in values, f"say here which value option {name!r} takes"
    assert Command("root.1").options(**{name: values[name]}).id
