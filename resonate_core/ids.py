"""How ids are built.

A child's id extends its parent's with a dot and a number, so that it is valid on released servers and on those built
from main, which ask a descendant to extend its origin that way. Around an execution ``E`` stand, in its own origin:

* ``E.1``, ``E.2``: what its durable commands made, counted in program order
* ``E.inbox.N``: slot N of its inbox, a write-once latent promise
* ``E.order.N``: which event came N-th, where that could have been otherwise
* ``E.1.beat.N``: what the heartbeats of a running step have said
* ``E.run.N``: the arguments of its N-th run after continue-as-new
* ``E.event.KEY.N``: the N-th value of an event that it published

Starting a finished execution again makes ``E~1``, ``E~2``: promises are write-once, so a new generation is a new root.
"""

from __future__ import annotations

import hashlib
import random
import uuid

from resonate_core.errors import InvalidIdError
from resonate_core.limits import CHILD_ID_CHARS_MAX, ID_BYTES_MAX

GENERATION = "~"
BEAT = ".beat."


def check_id(id: str) -> str:
    """Return an id that a caller chose, or raise.

    Raises:
        InvalidIdError: not text, empty, too long, or with a character that servers refuse.
    """
    if not isinstance(id, str):
        raise InvalidIdError(f"an id must be text, got {type(id).__name__} {id!r}; write str(...) around it")
    if type(id) is not str:  # a member of an Enum prints differently from one Python to the next
        id = str.__str__(id)
    if not id:
        raise InvalidIdError("an id must not be empty; use a key of your own, or str(uuid4())")
    if "\x00" in id:
        raise InvalidIdError(f"id {id!r} contains a NUL character, which servers refuse; remove it")
    try:
        size = len(id.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InvalidIdError(f"id {id!r} contains half of a surrogate pair, which no store takes; remove it") from error
    if size > ID_BYTES_MAX:
        raise InvalidIdError(f"id {id[:40]!r}... has {size} bytes, at most {ID_BYTES_MAX} are stored; shorten it")
    return id


def child_id(parent: str, number: int | str, origin: str) -> str:
    """Return the id of a child; a deep one is folded to a hash of its parent, under the origin."""
    if len(parent) > CHILD_ID_CHARS_MAX:
        folded = hashlib.blake2b(parent.encode(), digest_size=12).hexdigest()
        return f"{origin}.f{folded}.{number}"
    return f"{parent}.{number}"


def inbox_id(execution: str, slot: int) -> str:
    """Return the id of a slot of an inbox."""
    return f"{execution}.inbox.{slot}"


def order_id(execution: str, first: int) -> str:
    """Return the id of the record that says which events came, from number ``first`` on."""
    return f"{execution}.order.{first}"


def run_id(execution: str, run: int) -> str:
    """Return the id under which the children of a run stand; run 0 is the execution itself."""
    return execution if run == 0 else f"{execution}.run.{run}"


def beat_id(step: str, number: int) -> str:
    """Return the id of the n-th record of what a running step's heartbeats said."""
    return f"{step}{BEAT}{number}"


def event_id(execution: str, key: str, number: int) -> str:
    """Return the id of the n-th value of a published event."""
    return f"{execution}.event.{key}.{number}"


def generation_id(logical: str, generation: int) -> str:
    """Return the promise id of a generation of an execution that was started again."""
    return logical if generation == 0 else f"{logical}{GENERATION}{generation}"


def logical_id(id: str) -> str:
    """Return the id that the caller chose, for any generation of it."""
    head, sign, tail = id.rpartition(GENERATION)
    return head if sign and tail.isdigit() else id


def seeded_random(seed: str) -> random.Random:
    """Return a generator of numbers that is the same on every replay."""
    return random.Random(seed)  # noqa: S311 - determinism is the purpose


def seeded_uuid(source: random.Random) -> uuid.UUID:
    """Draw a version 4 uuid from a seeded generator."""
    return uuid.UUID(int=source.getrandbits(128), version=4)
