"""Our requests in the words of servers that know only the published protocol.

What is one transaction on the embedded server is several requests here. Each of them is idempotent by id and, where it
writes for a task, fenced by its version; so a process that dies in between leaves something that its successor goes on
from, never something doubled.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.network.dialect import origin_of
from resonate_core.network.http_adapt import adapted
from resonate_core.network.http_inbox import Inboxes
from resonate_core.network.journal import UnansweredError, recorded_ids
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from resonate_core.network.bridge import Bridges
    from resonate_core.network.dialect import Dialect
    from resonate_core.network.http_tasks import Tasks
    from resonate_core.network.link import Link

#: Creates sent at the same time: their order does not matter, only that all are there before what follows.
_TOGETHER_COUNT: Final = 16
_NOT_TRIED: Final = r.Response(424, error="an earlier request of the same submission failed")


class Translator:
    """Carries out requests on one foreign server.

    Args:
        link: the server.
        dialect: what it is.
        tasks: takes and remembers tasks.
        bridges: waits across origins.
    """

    def __init__(self, link: Link, dialect: Dialect, tasks: Tasks, bridges: Bridges) -> None:
        self._link = link
        self._dialect = dialect
        self._tasks = tasks
        self._bridges = bridges
        self._inboxes = Inboxes(link, dialect)
        self._handlers: Mapping[type, Callable[[Any], Awaitable[r.Response]]] = {
            r.PromiseCreate: self._create,
            r.TaskCreate: self._task_create,
            r.TaskAcquire: tasks.acquire,
            r.TaskFence: self._fence,
            r.TaskHeartbeat: self._heartbeat,
            r.TaskSuspend: self._suspend,
            r.FenceSettled: self._fence_settled,
            r.MessageAppend: self._inboxes.append,
            r.FulfillIfRead: self._fulfill_if_read,
            **({} if dialect.has_search else {r.PromiseSearch: self._search}),
        }

    async def series(self, requests: list[r.Request]) -> list[r.Response]:
        """Carry out requests in order until one fails."""
        responses: list[r.Response] = []
        refusal = None if self._dialect.has_search else await self._note(requests)
        if refusal is not None:
            return [refusal] + [_NOT_TRIED] * (len(requests) - 1)
        while len(responses) < len(requests):
            together = _alike(requests, len(responses))
            found = await asyncio.gather(*[self.carry_out(request) for request in together])
            for response in found:
                responses.append(response)
                if response.status not in (200, 300):
                    return responses + [_NOT_TRIED] * (len(requests) - len(responses))
        return responses

    async def carry_out(self, request: r.Request) -> r.Response:
        """Carry out one request."""
        handler = self._handlers.get(type(request))
        return await (self._link.send(request) if handler is None else handler(request))

    # -- what no search finds ------------------------------------------------------------------------------------

    async def _note(self, requests: list[r.Request]) -> r.Response | None:
        """Write down what will be recorded, before it is."""
        for (task_id, version), ids in recorded_ids(requests).items():
            task = self._tasks.held(task_id) or (await self._link.send(r.PromiseGet(task_id))).promise
            if task is None:
                return r.Response(404, error=f"task {task_id!r} does not exist")
            refusal = await self._tasks.journal.note(task, version, ids)
            if refusal is not None:
                return refusal
        return None

    async def _search(self, request: r.PromiseSearch) -> r.Response:
        """Find the records of one execution; for anything else the server has to say that it cannot."""
        if request.state is not None or set(request.tags) != {TAG_BRANCH}:
            return await self._link.send(request)
        try:
            found = await self._tasks.journal.of_branch(request.tags[TAG_BRANCH])
        except UnansweredError as error:
            return error.response
        return r.Response(200, promises=tuple(found))

    # -- creating ------------------------------------------------------------------------------------------------

    async def _create(self, request: r.PromiseCreate) -> r.Response:
        return await self._link.send(adapted(request, self._dialect))

    async def _task_create(self, request: r.TaskCreate) -> r.Response:
        return await self._tasks.create(msgspec.structs.replace(request, action=adapted(request.action, self._dialect)))

    async def _fence(self, request: r.TaskFence) -> r.Response:
        action = request.action
        if isinstance(action, r.PromiseCreate):
            action = adapted(action, self._dialect)
        if self._dialect.has_origin_rule and origin_of(action.id) != origin_of(request.id):
            return await self._unfenced(request, action)
        return await self._link.send(r.TaskFence(request.id, request.version, action))

    async def _unfenced(self, request: r.TaskFence, action: r.PromiseCreate | r.PromiseSettle) -> r.Response:
        """Do for a promise of another origin what no fence allows: look at the task first, then act.

        A holder that loses its task between the two creates what its successor would create under the same id.
        """
        held = await self._link.send(r.TaskGet(request.id))
        task = held.task
        if task is None:
            return held
        if task.state != "acquired" or task.version != request.version:
            return r.Response(
                409,
                error=f"task {task.id!r} is {task.state} at version {task.version}, not acquired at {request.version}",
            )
        return await self._link.send(action)

    async def _fence_settled(self, request: r.FenceSettled) -> r.Response:
        create = adapted(request.action, self._dialect)
        made = await self._link.send(r.TaskFence(request.id, request.version, create))
        if made.promise is None or made.promise.state != "pending":
            return made
        settle = r.PromiseSettle(create.id, request.state, request.value)
        return await self._link.send(r.TaskFence(request.id, request.version, settle))

    # -- tasks ---------------------------------------------------------------------------------------------------

    async def _heartbeat(self, request: r.TaskHeartbeat) -> r.Response:
        """Send no empty heartbeat, and one for each origin where mixed ones are refused."""
        groups: dict[str, list[r.HeartbeatTask]] = {}
        for beat in request.tasks:
            groups.setdefault(origin_of(beat.id) if self._dialect.has_origin_rule else "", []).append(beat)
        beats = [self._link.send(r.TaskHeartbeat(request.pid, tasks)) for tasks in groups.values()]
        answers = await asyncio.gather(*beats)
        return next((answer for answer in answers if not answer.is_ok), r.Response(200))

    async def _suspend(self, request: r.TaskSuspend) -> r.Response:
        actions = {action.awaited: action for action in request.actions}  # some refuse one that stands there twice
        request = r.TaskSuspend(request.id, request.version, list(actions.values()))
        if self._dialect.fires_deadlines and not self._dialect.has_origin_rule:
            response = await self._link.send(request)
        else:
            response = await self._bridges.suspend(request)
        if response.status == 200:
            self._tasks.journal.forget(request.id)
        return response

    async def _fulfill_if_read(self, request: r.FulfillIfRead) -> r.Response:
        return await self._inboxes.fulfill(request, self._tasks.held(request.id))


def _alike(requests: list[r.Request], first: int) -> list[r.Request]:
    """Return the next request, with those after it that create other children of the same task."""
    together = [requests[first]]
    if _is_fenced_create(requests[first]):
        for request in requests[first + 1 : first + _TOGETHER_COUNT]:
            if not _is_fenced_create(request):
                break
            together.append(request)
    return together


def _is_fenced_create(request: r.Request) -> bool:
    return isinstance(request, r.TaskFence) and isinstance(request.action, r.PromiseCreate)
