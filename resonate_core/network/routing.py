"""Which lineage a request belongs to: substrates that shard place it by that.

All requests of one lineage get the same word, and nothing else is asked of it. So it is the part of an id before its
first separator, whatever the id's chooser meant by it.
"""

from __future__ import annotations

import re
from typing import Final

from resonate_core.protocol import requests as r

#: Header in which connectors look for it.
ORIGIN_HEADER: Final = "resonate:origin"
#: What requests carry that belong to no lineage.
DEFAULT_ORIGIN: Final = "default"
_SEPARATOR: Final = re.compile(r"[.:]")


def origin_of_request(request: r.Request) -> str:
    """Return the word that a request is placed by."""
    match request:
        case r.PromiseRegisterCallback() | r.PromiseRegisterListener():
            id = request.awaited
        case r.TaskCreate():
            id = request.action.id
        case r.TaskHeartbeat():
            id = request.tasks[0].id if request.tasks else ""
        case r.PromiseSearch() | r.TaskSearch():
            return DEFAULT_ORIGIN
        case r.ScheduleCreate() | r.ScheduleGet() | r.ScheduleDelete() | r.ScheduleSearch():
            return DEFAULT_ORIGIN
        case _:
            id = request.id
    return _SEPARATOR.split(id, maxsplit=1)[0] or DEFAULT_ORIGIN
