"""Fields that messages lack in older versions of temporalio, or have in another shape."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_commands import StartChildWorkflowExecution, StartTimer

from compat.temporal.fields import attributes_of, has


class OldCommand:
    """A command of temporalio 1.20: its search attributes are a map."""

    class DESCRIPTOR:
        fields_by_name = {"search_attributes": type("Field", (), {"message_type": None})}  # noqa: RUF012

    def __init__(self, **named: Payload) -> None:
        self.search_attributes = named


def test_field_that_this_version_does_not_know_is_not_there() -> None:
    command = StartTimer()
    assert not has(command, "no_such_field")
    assert not has(command, "start_to_fire_timeout")
    command.start_to_fire_timeout.seconds = 1
    assert has(command, "start_to_fire_timeout")


def test_search_attributes_are_read_from_a_message_and_from_an_older_map() -> None:
    payload = Payload(data=b"1")
    old: Any = OldCommand(Count=payload)
    found = attributes_of(old)
    assert found is not None
    assert dict(found.indexed_fields) == {"Count": payload}
    assert attributes_of(OldCommand()) is None


def test_search_attributes_that_a_command_does_not_name_are_none() -> None:
    command: Any = StartChildWorkflowExecution()
    assert attributes_of(command) is None
    command.search_attributes.indexed_fields["Count"].data = b"1"
    found = attributes_of(command)
    assert found is not None
    assert found.indexed_fields["Count"].data == b"1"
