"""Fields that only newer versions of temporalio have in their messages, or have in another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import SearchAttributes

if TYPE_CHECKING:
    from google.protobuf.message import Message


def knows(message: Message, name: str) -> bool:
    """Whether messages of this kind have a field in the installed version."""
    return name in message.DESCRIPTOR.fields_by_name


def assign(message: Message, name: str, value: object) -> None:
    """Assign a plain field where there is one."""
    if knows(message, name):
        setattr(message, name, value)


def has(message: Message, name: str) -> bool:
    """Whether a message carries a field; where the installed version knows no such field, it does not."""
    return knows(message, name) and message.HasField(name)


def attributes_of(command: Any) -> SearchAttributes | None:
    """Return the search attributes of a workflow command, None if it says nothing about them.

    Until temporalio 1.20 they are a map in the command itself, which is empty where nothing is said.
    """
    field = command.DESCRIPTOR.fields_by_name["search_attributes"]
    if field.message_type is SearchAttributes.DESCRIPTOR:
        return command.search_attributes if command.HasField("search_attributes") else None
    if not command.search_attributes:
        return None
    found = SearchAttributes()
    for key, value in command.search_attributes.items():
        found.indexed_fields[key].CopyFrom(value)
    return found
