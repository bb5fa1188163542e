"""Messages of a workflow: signals, updates, queries and cancellation, whoever sent them; and the answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compat.temporal import activations, failures
from compat.temporal.payloads import to_stored

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from temporalio.api.failure.v1 import Failure
    from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
    from temporalio.bridge.proto.workflow_commands import QueryResult, UpdateResponse

    from compat.temporal.workflow_driver import WorkflowRun

    Jobs = list[WorkflowActivationJob]

#: Key of the keyword arguments of a message under which the shim's own facts stand.
ABOUT = "temporal"


def with_about(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message for the inbox: what only the shim understands stands beside the arguments, not among them."""
    plain = {key: value for key, value in message.items() if key != "kwargs"}
    about = message.get("kwargs", {}).get(ABOUT)
    return {**plain, "about": about} if about else plain


def accepted_id(reply: str) -> str:
    """Return the promise that says whether an update was accepted; ``reply`` itself is its outcome."""
    return f"{reply}.accepted"


def reply_id(promise_id: str, update_id: str) -> str:
    """Return the promise that is the outcome of an update."""
    return f"{promise_id}.update.{update_id}"


@dataclass(frozen=True)
class _Sent:
    """A message that did not come through the inbox."""

    kind: str
    topic: str
    args: list[Any]
    about: dict[str, Any]
    id: str = "start"
    reply: str | None = None


class Inbox:
    """Turns messages into jobs, and answers into settled promises."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self._replies: dict[str, str] = {}

    @property
    def _event_id(self) -> int:
        """Number of the event that a message is, in Temporal's way of counting."""
        return self._run.history_length + 2

    def jobs_of(self, message: Any) -> Jobs:
        """Return the jobs of one message; of one that nobody understands there are none."""
        about = message.about
        headers, identity = about.get("headers") or {}, about.get("identity", "")
        if about.get("run_id") not in (None, "", self._run.run_id):
            return []  # meant for a run that has ended meanwhile
        if message.kind in ("signal", "send"):
            return [
                activations.signal(
                    message.topic or "", message.args, headers=headers, identity=identity, event_id=self._event_id
                )
            ]
        if message.kind == "cancel":
            return [activations.cancel(str(message.content) if message.args else "")]
        if message.kind == "query":
            self._replies[message.id] = message.reply
            return [activations.query(message.id, message.topic or "", message.args, headers)]
        if message.kind == "update":
            self._replies[message.id] = message.reply
            return [
                activations.update(
                    about.get("update_id") or message.id,
                    message.id,
                    message.topic or "",
                    message.args,
                    headers=headers,
                    identity=identity,
                    run_validator=True,
                )
            ]
        return []

    def first_jobs(self, message: dict[str, Any]) -> Generator[Any, Any, Jobs]:
        """Return the jobs of the message that came with the start; of an update, make the promises of its answer."""
        reply = None
        if message["kind"] == "update":
            reply = reply_id(self._run.promise_id, message["kwargs"][ABOUT]["update_id"])
            yield self._run.ctx.promise(id=reply)
            yield self._run.ctx.promise(id=accepted_id(reply))
        about = message["kwargs"].get(ABOUT) or {}
        return self.jobs_of(_Sent(message["kind"], message["topic"], message["args"], about, reply=reply))

    def answer_query(self, query_id: str, result: Any, failure: Failure | None) -> Generator[Any, Any, None]:
        """Tell who asked."""
        reply = self._replies.pop(query_id, None)
        if reply is None:
            return
        error = None if failure is None else failures.error_of(failure)
        yield self._run.drive.settle(reply, value=result, error=error)

    def query_answered(self, result: QueryResult) -> Generator[Any, Any, None]:
        """Carry out the command that answers a query."""
        if result.HasField("failed"):
            yield from self.answer_query(result.query_id, None, result.failed)
        else:
            yield from self.answer_query(result.query_id, to_stored(result.succeeded.response), None)

    def update_answered(self, response: UpdateResponse) -> Generator[Any, Any, None]:
        """Carry out the command that accepts, rejects or completes an update."""
        reply = self._replies.get(response.protocol_instance_id)
        if reply is None:
            return
        drive = self._run.drive
        if response.HasField("accepted"):
            yield drive.settle(accepted_id(reply), value=self._run.run_id)
        elif response.HasField("rejected"):
            yield drive.settle(reply, error=failures.error_of(response.rejected))
            yield drive.settle(accepted_id(reply), value=self._run.run_id)
        else:
            yield drive.settle(reply, value=to_stored(response.completed))
