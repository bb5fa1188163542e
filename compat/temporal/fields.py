"""Fields that only newer versions of temporalio have in their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message


def knows(message: Message, name: str) -> bool:
    """Whether messages of this kind have a field in the installed version."""
    return name in message.DESCRIPTOR.fields_by_name


def assign(message: Message, name: str, value: object) -> None:
    """Assign a plain field where there is one."""
    if knows(message, name):
        setattr(message, name, value)
