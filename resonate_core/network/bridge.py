"""Waiting for what a server does not let an execution wait for.

Servers after 0.9.8 wake a task only for promises of its own origin, and notice a deadline only of promises with a
target. So a suspending task waits for a *bell*: a timer promise in its own origin, due when what it stands for is due
at the latest, and rung (settled) as soon as that is settled. A bell carries no value; the task that it wakes looks at
the real promise.

Who rings? The server tells a listener when the real promise settles, and the listener is the worker *group*, with this
process as the preferred member: whoever hears it settles the bells. What it does not know from its own memory it finds
by the bell's tags. A message may get lost, so known bells are asked for again every minute, and every worker adopts
all bells of its group when it starts and every few minutes. Ringing twice changes nothing, ringing for nothing costs
one look.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Final

from resonate_core.network.dialect import origin_of
from resonate_core.network.http_adapt import NOBODY
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_BRIDGE,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    TAG_TARGET,
    TAG_TIMER,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.link import Link
    from resonate_core.protocol.records import PromiseRecord

_log = logging.getLogger("resonate_core")

#: Tag of a bell: the group of workers that rings it.
TAG_BRIDGE_GROUP: Final = "resonate:bridge-group"
REFRESH_SECONDS: Final = 60.0
#: Every how many refreshes all bells of the group are looked for.
ADOPT_EVERY: Final = 5
_PAGE: Final = 1_000


class Bridges:
    """Bells of the tasks that this process suspends, and of its group.

    Args:
        link: the server.
        group: whose workers ring.
        pid: of this process.
        held: record of a task that this process holds.
    """

    def __init__(self, link: Link, *, group: str, pid: str, held: Callable[[str], PromiseRecord | None]) -> None:
        self._link = link
        self._group = group
        self._pid = pid
        self._held = held
        self._bells: dict[str, set[str]] = {}

    # -- suspending ----------------------------------------------------------------------------------------------

    async def suspend(self, request: r.TaskSuspend) -> r.Response:
        """Suspend a task on what it names, over bells where the server would refuse or forget."""
        task = self._held(request.id) or (await self._link.send(r.PromiseGet(request.id))).promise
        if task is None:
            return r.Response(404, error=f"task {request.id!r} does not exist")
        awaited: list[str] = []
        for action in request.actions:
            found = await self._bridged(request, task, action.awaited)
            if isinstance(found, r.Response):
                return found
            awaited += found
        actions = [r.PromiseRegisterCallback(promise_id, request.id) for promise_id in awaited]
        return await self._link.send(r.TaskSuspend(request.id, request.version, actions))

    async def _bridged(  # noqa: PLR0911 - one way out for each case, in the order in which they are told apart
        self, request: r.TaskSuspend, task: PromiseRecord, awaited: str
    ) -> list[str] | r.Response:
        """Return what to register on in place of a promise, or the answer to the whole suspension."""
        if awaited.startswith(f"{task.id}.inbox."):
            return [awaited]  # its deadline is the task's own
        is_foreign = origin_of(awaited) != origin_of(task.id)
        look: r.Request = r.PromiseGet(awaited)
        if is_foreign:
            look = r.PromiseRegisterListener(awaited, f"poll://any@{self._group}/{self._pid}")
        response = await self._link.send(look)
        record = response.promise
        if record is None:
            status = 422 if response.status == 404 else response.status
            return r.Response(status, error=response.error or f"awaited promise {awaited!r} does not exist")
        if record.state != "pending":
            return r.Response(300, preload=(record,))
        if not is_foreign and (TAG_TARGET in record.tags or record.timeout_at >= task.timeout_at):
            return [awaited]
        bell = await self._hang(request, task, record)
        if isinstance(bell, r.Response):
            return bell
        if not is_foreign:
            return [awaited, bell]
        self._bells.setdefault(awaited, set()).add(bell)
        # It may have settled, and that been told, before the bell hung: whoever heard it found nothing to ring.
        again = (await self._link.send(look)).promise
        if again is not None and again.state != "pending":
            return r.Response(300, preload=(again,))
        return [bell]

    async def _hang(self, request: r.TaskSuspend, task: PromiseRecord, awaited: PromiseRecord) -> str | r.Response:
        """Create a bell that has not rung."""
        stem = hashlib.blake2b(awaited.id.encode(), digest_size=8).hexdigest()
        number = 0
        while True:
            bell = f"{task.id}.bell.{stem}.{number}"
            tags = {
                TAG_TIMER: "true",
                TAG_TARGET: NOBODY,
                TAG_SCOPE: "global",
                TAG_ORIGIN: origin_of(task.id),
                TAG_BRANCH: bell,
                TAG_PARENT: task.id,
                TAG_BRIDGE: awaited.id,
                TAG_BRIDGE_GROUP: self._group,
            }
            create = r.PromiseCreate(bell, min(awaited.timeout_at, task.timeout_at), tags=tags)
            response = await self._link.send(r.TaskFence(request.id, request.version, create))
            if response.promise is None:
                return response
            if response.promise.state == "pending":
                return bell
            number += 1  # rung for nothing, and a promise settles once

    # -- ringing -------------------------------------------------------------------------------------------------

    async def heard(self, settled: PromiseRecord, *, is_unknown: bool = False) -> None:
        """Ring whatever waits for a promise that has settled.

        Args:
            settled: the promise.
            is_unknown: nobody here has asked about it, so it is about bells of another process: they are looked for.
        """
        bells = self._bells.pop(settled.id, set())
        if is_unknown and not bells:
            bells = {bell.id for bell in await self._search({TAG_BRIDGE: settled.id})}
        for bell in bells:
            response = await self._link.send(r.PromiseSettle(bell, "resolved"))
            if response.status == 0:
                self._bells.setdefault(settled.id, set()).add(bell)  # the next refresh tries again

    async def run(self) -> None:
        """Look after bells until cancelled."""
        count = 0
        while True:
            if count % ADOPT_EVERY == 0:
                await self._adopt()
            await self._refresh()
            count += 1
            await asyncio.sleep(REFRESH_SECONDS)

    async def _adopt(self) -> None:
        for bell in await self._search({TAG_BRIDGE_GROUP: self._group}):
            self._bells.setdefault(bell.tags[TAG_BRIDGE], set()).add(bell.id)

    async def _refresh(self) -> None:
        address = f"poll://any@{self._group}/{self._pid}"
        for awaited in list(self._bells):
            response = await self._link.send(r.PromiseRegisterListener(awaited, address))
            if response.promise is not None and response.promise.state != "pending":
                await self.heard(response.promise)
            elif response.status == 404:
                self._bells.pop(awaited, None)

    async def _search(self, tags: dict[str, str]) -> list[PromiseRecord]:
        found: list[PromiseRecord] = []
        cursor: str | None = None
        while True:
            query = r.PromiseSearch(state="pending", tags=tags, limit=_PAGE, cursor=cursor)
            response = await self._link.send(query)
            if not response.is_ok:
                _log.warning("bells of group %s cannot be looked for: %s", self._group, response.error)
                return found
            found.extend(record for record in response.promises if TAG_BRIDGE in record.tags)
            cursor = response.cursor
            if cursor is None:
                return found
