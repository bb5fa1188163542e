"""Who of a queue may run: one execution a queue, asked by messages, that grants by settling promises.

A queued workflow is an execution from the start, so its id, its handle and its result are there at once. Before its
body it waits at a *gate*, a latent promise, and tells the keeper so; the keeper lets as many through as the limits
allow, lower priorities first, then the older. At its end the workflow tells the keeper. Nothing is polled, and all of
it survives crashes like any other execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resonate_core import Driver, durable, entry, query, signal, update

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core import Context

KEEPER_FUNCTION: Final = "dbos.queue"
#: A keeper lives as long as its queue; ten years are for ever.
KEEPER_TIMEOUT_S: Final = 10 * 366 * 86_400
#: Grants after which a keeper starts over, so that its history stays short.
_GRANTS_PER_RUN: Final = 100
#: A deduplication id whose workflow did not show up for so long is free: its starter died in between.
CLAIM_S: Final = 60.0


def gate_of(workflow_id: str) -> str:
    """Return the id of the promise that a queued workflow waits for."""
    return f"dbos-gate/{workflow_id}"


def keeper_of(queue: str, partition: str | None) -> str:
    """Return the id of the keeper of a queue, or of one partition of it."""
    return f"dbos-queue/{queue}" if partition is None else f"dbos-queue/{queue}/{partition}"


@durable(name=KEEPER_FUNCTION)
class QueueKeeper:
    """The execution behind a queue.

    Args:
        state: of the run before; None at first.
    """

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        known = state or {}
        self.waiting: list[dict[str, Any]] = list(known.get("waiting", []))
        self.running: list[str] = list(known.get("running", []))
        self.starts: list[float] = list(known.get("starts", []))
        self.claims: dict[str, list[Any]] = dict(known.get("claims", {}))
        self.limits: dict[str, Any] = dict(known.get("limits", {}))

    @entry
    def run(
        self,
        ctx: Context,
        state: dict[str, Any] | None = None,  # noqa: ARG002 - the constructor has taken it
    ) -> Generator[Any, Any, None]:
        """Let one after the other through."""
        for _ in range(_GRANTS_PER_RUN):
            yield ctx.wait_until(self._has_place)
            yield from self._keep_rate(ctx)
            if not self._has_place():
                continue
            job = min(self.waiting, key=lambda one: (one["priority"], one["at"]))
            self.waiting.remove(job)
            self.running.append(job["id"])
            yield Driver(ctx).settle(gate_of(job["id"]), value=True)
        yield ctx.continue_as_new(self.all())

    def _has_place(self) -> bool:
        most = self.limits.get("concurrency")
        return bool(self.waiting) and (most is None or len(self.running) < most)

    def _keep_rate(self, ctx: Context) -> Generator[Any, Any, None]:
        """Wait until another start keeps to the limiter, and count it."""
        limiter = self.limits.get("limiter")
        if limiter is None:
            return
        while True:
            now = yield ctx.time.time()
            self.starts = [start for start in self.starts if now - start < limiter["period"]]
            if len(self.starts) < limiter["limit"]:
                self.starts.append(now)
                return
            yield ctx.sleep(self.starts[0] + limiter["period"] - now)

    @signal
    def request(self, job: dict[str, Any], limits: dict[str, Any]) -> None:
        """Stand in line; the newest limits count."""
        self.limits = limits
        if job["id"] not in self.running and all(one["id"] != job["id"] for one in self.waiting):
            self.waiting.append(job)
        if job["dedup"] is not None:
            self.claims[job["dedup"]] = [job["id"], None]

    @signal
    def done(self, workflow_id: str) -> None:
        """Leave the queue, from whatever place in it."""
        self.waiting = [one for one in self.waiting if one["id"] != workflow_id]
        self.running = [one for one in self.running if one != workflow_id]
        self.claims = {key: claim for key, claim in self.claims.items() if claim[0] != workflow_id}

    @update
    def claim(self, deduplication_id: str, workflow_id: str, now: float) -> str:
        """Take a deduplication id, if it is free; return whose it is."""
        owner, since = self.claims.get(deduplication_id, [None, None])
        if owner is None or (since is not None and now - since > CLAIM_S):
            self.claims[deduplication_id] = [workflow_id, now]
            return workflow_id
        return str(owner)

    @query
    def all(self) -> dict[str, Any]:
        """Return everything that is known."""
        names = ("waiting", "running", "starts", "claims", "limits")
        return {name: getattr(self, name) for name in names}
