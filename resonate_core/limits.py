"""Every limit of the runtime, each with its reason."""

from __future__ import annotations

from typing import Final

#: Default deadline of an execution and of its children: a year, as in the generator SDK.
DEFAULT_TIMEOUT_S: Final = 31_536_000.0

#: Largest instant that is stored (year 9999): arithmetic with it stays far inside 64 bits.
INSTANT_MAX_MS: Final = 253_402_300_799_000

#: Largest integer of the protocol and of SQLite.
INT64_MAX: Final = 2**63 - 1

#: Causes of a wake-up that a task remembers: they only inform, and each is written with the row again.
RESUMES_COUNT_MAX: Final = 256

#: How long a pending task waits until it is offered again; a lost offer costs this much.
RETRY_MS: Final = 1_000

#: Longer ids are folded to a hash of their parent: nesting 5,000 deep must not cost quadratic space.
CHILD_ID_CHARS_MAX: Final = 240

#: Longest id that a caller may choose; MySQL-backed servers stop at 255 bytes.
ID_BYTES_MAX: Final = 255

#: How long a blocked execution keeps its task before it suspends: most answers come sooner, and each saves two commits.
LINGER_MS: Final = 100

#: The same while more promises are awaited than one suspension should list.
LINGER_WIDE_MS: Final = 1_000
WIDE_COUNT: Final = 64

#: Suspended executions whose generator stays in memory for a quick resume; the rest is replayed when needed.
STICKY_COUNT_MAX: Final = 128

#: A durable function that computes longer than this between two yields is named in a warning: it stops all others.
BLOCKED_BODY_MS: Final = 1_000

#: Wait before a task whose attempt failed for a technical reason is released: an immediate release would loop.
RELEASE_PAUSE_MS: Final = 1_000
RELEASE_PAUSE_MAX_MS: Final = 30_000

#: Executions that one worker process holds at the same time.
HELD_COUNT_MAX: Final = 10_000

#: A held execution is told of messages and of its own end from outside after this: short ones never ask.
WATCH_AFTER_MS: Final = 50

#: What heartbeats say is recorded this often at the most, for the next attempt after a crash.
BEAT_RECORD_MS: Final = 1_000

#: Slots of an inbox that are read at once.
INBOX_READ_COUNT: Final = 16

#: Pauses before a submission that the store could not take is sent again.
WRITE_RETRY_MS: Final = 100
WRITE_RETRY_MAX_MS: Final = 5_000

#: How long an execution that has not begun waits for a worker that knows its function; then it fails by name.
UNREGISTERED_GRACE_MS: Final = 60_000

#: How long an update waits for its answer after the execution has ended: the two arrive on different ways.
CLOSED_ANSWER_GRACE_MS: Final = 500

#: Largest stored value on a server: it reads 2 MiB of a request, and ids and tags need their share. A value that is
#: refused before it is recorded can be recorded as an error; one that the server refuses would be tried for ever.
SERVER_VALUE_BYTES_MAX: Final = 2 * 1024 * 1024 - 64 * 1024

#: Seconds that ``stop`` gives to steps that run.
STOP_GRACE_S: Final = 5.0

#: Up to this many held executions a worker commits itself: it saves two switches of threads. With more of them, commits
#: shared with others save more.
ALONE_COUNT_MAX: Final = 2

#: Deadline of executions that never end by themselves: locks and schedules. A century, in seconds.
KEEPER_TIMEOUT_S: Final = 3_155_760_000.0

#: From so many events on an execution is advised to continue as new; Temporal's server says so at 4,096 too.
CONTINUE_AS_NEW_EVENTS: Final = 4_096
