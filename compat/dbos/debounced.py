"""The execution behind a debounced start: it takes later calls until its time has come, then starts the workflow.

There is one for each key, ``debounce/QUEUE/KEY``. A call joins the one that waits, or begins a new one; its time is
the last call's period from that call on, at most the limit from the first call on. The call that is heard last gives
the arguments. A call that comes too late is told so and begins a new one, so none is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from compat.dbos.queues import Wanted
from resonate_core import QueuePlace, durable, entry, query, update

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core import Context

DEBOUNCED_FUNCTION: Final = "dbos.debounce"


def debounced_id(queue: str | None, key: str) -> str:
    """Return the id of the execution that debounces a key."""
    return f"debounce/{queue or '_dbos_internal_queue'}/{key}"


@durable(name=DEBOUNCED_FUNCTION)
class Debounced:
    """One debounced start.

    Args:
        call: ``workflow_id``, ``workflow`` (its name), ``queue`` (None for no queue), ``limits`` of the queue,
            ``timeout`` (seconds for the workflow), ``until`` and ``deadline`` (seconds since the epoch), ``args``,
            ``kwargs``.
    """

    def __init__(self, call: dict[str, Any]) -> None:
        self.call = dict(call)
        self.is_fired = False
        self.calls = 0

    @entry
    def run(
        self,
        ctx: Context,
        call: dict[str, Any],  # noqa: ARG002 - the constructor has taken it
    ) -> Generator[Any, Any, str]:
        """Wait, start the workflow, return its id."""
        while True:
            now, seen = ctx.now().timestamp(), self.calls
            if now >= self.call["until"]:
                break
            try:
                yield ctx.wait_until(self._has_news(seen), timeout=self.call["until"] - now)
            except TimeoutError:
                if self.calls == seen:
                    break
        self.is_fired = True
        workflow_id: str = self.call["workflow_id"]
        started = ctx.detached(self.call["workflow"], *self.call["args"], **self.call["kwargs"])
        yield started.options(**{**start_options(self.call), "id": workflow_id})
        return workflow_id

    def _has_news(self, seen: int) -> Any:
        return lambda: self.calls != seen

    @query
    def state(self) -> dict[str, Any]:
        """Return the call as it would be made now."""
        return self.call

    @update
    def bounce(self, until: float, args: list[Any], kwargs: dict[str, Any]) -> str | None:
        """Take a later call; return the id of the workflow, None if it has been started."""
        if self.is_fired:
            return None
        deadline = self.call["deadline"]
        self.call |= {"until": until if deadline is None else min(until, deadline), "args": args, "kwargs": kwargs}
        self.calls += 1
        return str(self.call["workflow_id"])


def start_options(call: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which the workflow is started."""
    if call["queue"] is None:
        return {} if call["timeout"] is None else {"timeout": call["timeout"]}
    return Wanted(QueuePlace(call["queue"], limits=call["limits"]), timeout=call["timeout"]).options
