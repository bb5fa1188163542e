"""Records of the protocol: what a store keeps and every response carries.

Wire names are kept (``timeoutAt`` on the wire, ``timeout_at`` here). All instants are integer milliseconds since the
epoch. ``Value.data`` is opaque to the server; what stands in it is the codec's business (``resonate_core.codec``).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

PromiseState = Literal["pending", "resolved", "rejected", "rejected_canceled", "rejected_timedout"]
SettledState = Literal["resolved", "rejected", "rejected_canceled"]
TaskState = Literal["pending", "acquired", "suspended", "halted", "fulfilled"]

TAG_TARGET: Final = "resonate:target"
TAG_TIMER: Final = "resonate:timer"
TAG_DELAY: Final = "resonate:delay"
TAG_ORIGIN: Final = "resonate:origin"
TAG_BRANCH: Final = "resonate:branch"
TAG_PARENT: Final = "resonate:parent"
TAG_SCOPE: Final = "resonate:scope"
TAG_EXTERNAL: Final = "resonate:external"
#: Ours: who asked for this start, so that it knows its own.
TAG_START: Final = "resonate:start"
TAG_SCHEDULE: Final = "resonate:schedule"
#: Still injected by released servers; older SDKs build ids from it.
TAG_PREFIX: Final = "resonate:prefix"
#: Of a bell: the promise that it stands for, see ``network/bridge.py``.
TAG_BRIDGE: Final = "resonate:bridge"


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Payload of a promise: text headers and opaque text (by convention base64 of JSON)."""

    headers: dict[str, str] | None = None
    data: str | None = None


EMPTY: Final = Value()


class PromiseRecord(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A durable promise as stored."""

    id: str
    state: PromiseState
    timeout_at: int
    created_at: int
    param: Value = EMPTY
    value: Value = EMPTY
    tags: dict[str, str] = {}
    settled_at: int | None = None


class TaskRecord(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The right to run the function of one targeted promise; ``version`` is the fencing token."""

    id: str
    state: TaskState
    version: int
    resumes: int = 0
    ttl: int | None = None
    pid: str | None = None


class ScheduleRecord(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A cron schedule that creates promises."""

    id: str
    cron: str
    promise_id: str
    promise_timeout: int
    created_at: int
    next_run_at: int
    promise_param: Value = EMPTY
    promise_tags: dict[str, str] = {}
    last_run_at: int | None = None
