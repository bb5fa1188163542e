"""Create requests as foreign servers need them.

* A timer gets a target, or servers after 0.9.8 never fire it. The target is an address where nobody listens: a timer
  has no code to run, and no worker should be offered it.
* A promise that others may wait for says so, or some servers let nobody wait for it.
* Where ids carry the origin, tags follow the id: an id that a user chose may contain a dot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from resonate_core.network.dialect import origin_of
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_EXTERNAL,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    TAG_TARGET,
    TAG_TIMER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.network.dialect import Dialect
    from resonate_core.protocol.requests import PromiseCreate

#: An address that no worker has.
NOBODY: Final = "poll://uni@resonate-timers/nobody"


def is_timer(tags: Mapping[str, str]) -> bool:
    """Whether a promise is resolved by its deadline."""
    return tags.get(TAG_TIMER) == "true"


def adapted(create: PromiseCreate, dialect: Dialect) -> PromiseCreate:
    """Return a create request with the tags that a server needs."""
    tags = create.tags
    if is_timer(tags) and TAG_TARGET not in tags and dialect.timers_need_target:
        tags = {**tags, TAG_TARGET: NOBODY}
    if dialect.awaits_external_only and tags.get(TAG_SCOPE) == "global" and not _is_external(tags):
        tags = {**tags, TAG_EXTERNAL: "true"}
    if dialect.has_origin_rule and TAG_ORIGIN in tags:
        tags = {**tags, **_ancestors(create.id, tags)}
    return create if tags is create.tags else msgspec.structs.replace(create, tags=tags)


def _is_external(tags: Mapping[str, str]) -> bool:
    return TAG_TARGET in tags or TAG_EXTERNAL in tags or is_timer(tags)


def _ancestors(id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return origin, and parent and branch where the id does not extend them (it may be folded, or be another's)."""
    origin = origin_of(id)
    found = {TAG_ORIGIN: origin}
    for name in (TAG_PARENT, TAG_BRANCH):
        ancestor = tags.get(name)
        if ancestor is not None and id != ancestor and not id.startswith(f"{ancestor}."):
            found[name] = origin
    return found
