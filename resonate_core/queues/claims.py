"""Deduplication ids: while an execution that has one is in a queue, no other one with it gets in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from resonate_core.limits import KEEPER_TIMEOUT_S
from resonate_core.queues.keeper import CLAIM, KEEPER_FUNCTION
from resonate_core.queues.queue import QueuePlace, keeper_id

if TYPE_CHECKING:
    from resonate_core.client.resonate import Resonate

#: Seconds in which an execution has to stand in line after its deduplication id was claimed.
_CLAIM_S: Final = 60.0


def claim_place(resonate: Resonate, place: QueuePlace, execution: str, delay: float = 0.0) -> str:
    """Claim the deduplication id of a place before an execution is enqueued there.

    The claim ends with the execution, or a minute after it should have been in line.

    Args:
        resonate: asks the keeper of the queue.
        place: where the execution will stand.
        execution: its id.
        delay: seconds after which it will stand in line.

    Returns:
        The id of the execution that has the deduplication id: the given one, or one that is in the queue already.
    """
    if place.dedup is None:
        return execution
    keeper, now = keeper_id(place.name, place.partition), time.time()
    resonate.options(timeout=KEEPER_TIMEOUT_S).begin_rpc(keeper, KEEPER_FUNCTION)
    return str(resonate.update(keeper, CLAIM, place.dedup, execution, now, now + delay + _CLAIM_S))
