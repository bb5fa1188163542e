"""Names of Resonate groups for Temporal's task queues."""

from __future__ import annotations

from urllib.parse import quote

_KEPT = " !\"#$&'()*+,-.:;<=>?@[]^_`{|}~"


def workflow_group(task_queue: str) -> str:
    """Return the group whose members run the workflows of a task queue: its own name, where an address can carry it."""
    return quote(task_queue, safe=_KEPT)


def activity_group(task_queue: str) -> str:
    """Return the group whose members run the activities of a task queue."""
    return f"{workflow_group(task_queue)}:activities"
