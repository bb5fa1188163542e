"""The first message of an execution, made in one step with it: a signal that starts what it is for.

It travels with the call, in the stored form that it would have in a slot of the inbox, and stands before all slots.
So there is no moment at which the execution is there and its message is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.network.post import encode_message
from resonate_core.protocol.records import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.codec import Codec
    from resonate_core.protocol.records import PromiseRecord

#: Where it stands: before the first slot.
OPENING_SLOT: Final = -1
_KEY: Final = "opening"


def opening(codec: Codec, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call carries for its first message.

    Raises:
        EncodeError: the message has no stored form.
    """
    value = encode_message(codec, dict(message))
    return {_KEY: {"headers": value.headers, "data": value.data}}


def opening_record(record: PromiseRecord, extra: Mapping[str, Any]) -> PromiseRecord | None:
    """Return the first message of an execution as the record of a slot, None if it was started without one."""
    found = extra.get(_KEY)
    if found is None:
        return None
    value = Value(headers=found["headers"], data=found["data"])
    return msgspec.structs.replace(record, state="resolved", value=value, settled_at=record.created_at)
