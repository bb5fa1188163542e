"""What an execution has recorded, on servers that cannot be asked for it.

Some servers neither hand an execution's records out with its task nor let them be searched for. Each can be asked for a
promise by its id, though. So the ids are written down first: before a task's holder records anything under it, it
appends the ids to the task's journal, promises ``E.journal.0``, ``E.journal.1`` ... that nobody settles. Whoever takes
the task over reads the journal to its end, and every id in it. A page is written under the task's fence, so that only
its holder appends, and before what it names, so that nothing is recorded that the journal does not know. It names some
ids ahead, since most are numbers in a row: one that is never used costs its reader a look.

Messages are not in it: senders fill an inbox without holes, so it is read slot by slot.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from resonate_core.ids import inbox_id, run_id
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_PARENT, TAG_SCOPE, PromiseRecord, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from resonate_core.network.link import Link

#: Promises asked for at the same time.
_TOGETHER_COUNT: Final = 32
#: Ids on one page: far below what a request may hold.
_PAGE_COUNT: Final = 2_000
#: Ids that are named ahead of one with a number.
_AHEAD_COUNT: Final = 8
#: Tasks whose journals' ends are remembered; of others they are looked for.
_KNOWN_COUNT: Final = 20_000
_RUN: Final = re.compile(r"(.+)\.run\.\d+")


class UnansweredError(Exception):
    """The server gave no answer that says whether something is there; ``response`` is what it gave."""

    def __init__(self, response: r.Response) -> None:
        super().__init__(response.error)
        self.response = response


class _Known:
    """The end of a journal, and what is on its pages."""

    def __init__(self, pages: int, ids: set[str]) -> None:
        self.pages = pages
        self.ids = ids


class Journal:
    """Journals of the tasks of one process."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: OrderedDict[str, _Known] = OrderedDict()

    # -- writing -------------------------------------------------------------------------------------------------

    async def note(self, task: PromiseRecord, version: int, ids: Iterable[str]) -> r.Response | None:
        """Write down ids before anything is recorded under them.

        Args:
            task: the promise of a held task.
            version: at which it is held.
            ids: known ones are left out.

        Returns:
            None if all are written, else why not.
        """
        known = self._known.get(task.id)
        try:
            known = known or await self._open(task.id)
        except UnansweredError as error:
            return error.response
        new = [id for id in dict.fromkeys(ids) if id not in known.ids]
        if new:
            new = list(dict.fromkeys([*new, *_ahead(new[-1])]))
        for page in _batched(new, _PAGE_COUNT):
            refusal = await self._append(task, version, known, page)
            if refusal is not None:
                return refusal
        return None

    async def _append(self, task: PromiseRecord, version: int, known: _Known, ids: list[str]) -> r.Response | None:
        param = Value(data=base64.b64encode(msgspec.json.encode(ids)).decode())
        while True:
            create = _page(task, known.pages, param)
            response = await self._link.send(r.TaskFence(task.id, version, create))
            record = response.promise
            if record is None:
                return response
            known.pages += 1
            written = _read(record)
            known.ids.update(written)
            if written == ids:
                return None  # else somebody's page stands there that was not known

    def forget(self, task_id: str) -> None:
        """Drop what is remembered of a task that is held no more."""
        self._known.pop(task_id, None)

    # -- reading -------------------------------------------------------------------------------------------------

    async def history(self, task_id: str, *, is_first: bool = False) -> list[PromiseRecord]:
        """Return what an execution has recorded in its first run, its later runs' beginnings, and its messages.

        Args:
            task_id: the execution.
            is_first: its task has never been held before, so that there are messages at the most.

        Raises:
            UnansweredError: half a history would be worse than none.
        """
        known = self._remembered(task_id, _Known(0, set())) if is_first else await self._open(task_id)
        prefix = run_id(task_id, 1)[:-1]
        own = [id for id in known.ids if not id.startswith(prefix) or id[len(prefix) :].isdigit()]
        records, messages = await asyncio.gather(self._records(own), self._walk(lambda n: inbox_id(task_id, n)))
        found = [record for record in records if record.tags.get(TAG_BRANCH) == task_id]
        return [*found, *(record for record in messages if record.state != "pending")]

    async def of_branch(self, branch: str) -> list[PromiseRecord]:
        """Return the records of an execution, or of one of its later runs.

        Raises:
            UnansweredError: see ``history``.
        """
        run = _RUN.fullmatch(branch)
        if run is None:
            return await self.history(branch)
        known = await self._open(run[1])
        return [one for one in await self._records(known.ids) if one.tags.get(TAG_BRANCH) == branch]

    async def _open(self, task_id: str) -> _Known:
        """Read a journal to its end."""
        pages = await self._walk(lambda number: _page_id(task_id, number))
        return self._remembered(task_id, _Known(len(pages), {id for page in pages for id in _read(page)}))

    def _remembered(self, task_id: str, known: _Known) -> _Known:
        self._known.pop(task_id, None)
        self._known[task_id] = known
        while len(self._known) > _KNOWN_COUNT:
            self._known.popitem(last=False)
        return known

    async def _walk(self, id_of: Callable[[int], str]) -> list[PromiseRecord]:
        """Read numbered promises until one is missing."""
        found: list[PromiseRecord] = []
        while True:
            first = len(found)
            ids = [id_of(first + offset) for offset in range(_TOGETHER_COUNT if first else 1)]
            for record in await asyncio.gather(*map(self._get, ids)):
                if record is None:
                    return found
                found.append(record)

    async def _records(self, ids: Iterable[str]) -> list[PromiseRecord]:
        found: list[PromiseRecord] = []
        for some in _batched(list(ids), _TOGETHER_COUNT):
            found += [record for record in await asyncio.gather(*map(self._get, some)) if record is not None]
        return found

    async def _get(self, id: str) -> PromiseRecord | None:
        response = await self._link.send(r.PromiseGet(id))
        if response.promise is None and response.status != 404:
            raise UnansweredError(response)
        return response.promise


def _ahead(id: str) -> list[str]:
    """Return the ids that will probably come after one."""
    parent, _, number = id.rpartition(".")
    return [f"{parent}.{int(number) + offset}" for offset in range(1, _AHEAD_COUNT)] if number.isdecimal() else []


def _page_id(task_id: str, number: int) -> str:
    return f"{task_id}.journal.{number}"


def _page(task: PromiseRecord, number: int, param: Value) -> r.PromiseCreate:
    id = _page_id(task.id, number)
    tags = {
        TAG_ORIGIN: task.tags.get(TAG_ORIGIN, task.id),
        TAG_BRANCH: id,
        TAG_PARENT: task.id,
        TAG_SCOPE: "local",
    }
    return r.PromiseCreate(id, task.timeout_at, param, tags)


def _read(page: PromiseRecord) -> list[str]:
    found: list[str] = msgspec.json.decode(base64.b64decode(page.param.data or "W10="), type=list[str])
    return found


def _batched(ids: list[str], size: int) -> list[list[str]]:
    return [ids[first : first + size] for first in range(0, len(ids), size)]


def recorded_ids(requests: Iterable[r.Request]) -> dict[tuple[str, int], list[str]]:
    """Return what requests record as part of an execution's own history: ids by (task, version)."""
    found: dict[tuple[str, int], list[str]] = {}
    for request in requests:
        if not isinstance(request, (r.TaskFence, r.FenceSettled)) or not isinstance(request.action, r.PromiseCreate):
            continue
        branch = request.action.tags.get(TAG_BRANCH, "")
        run = _RUN.fullmatch(branch)
        if branch == request.id or (run is not None and run[1] == request.id):
            found.setdefault((request.id, request.version), []).append(request.action.id)
    return found
