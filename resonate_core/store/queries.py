"""Every query of the SQLite store, by name; one sentence each."""
# ruff: noqa: S608
# (composed of constants of this file; every value is bound)

from __future__ import annotations

from typing import Final

_PROMISE: Final = (
    "id, state, timeout_at, created_at, settled_at, param_headers, param_data, value_headers, value_data, tags"
)
_TASK: Final = "id, state, version, address, deadline, due_at, ttl, pid, last_pid, resumes, is_offered"
_SCHEDULE: Final = (
    "id, cron, promise_id, promise_timeout, created_at, next_run_at, param_headers, param_data, tags, last_run_at"
)

# -- promises
PROMISE: Final = f"SELECT {_PROMISE} FROM promises WHERE id = ?"
PROMISE_INSERT: Final = f"INSERT INTO promises ({_PROMISE}, branch, is_armed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
PROMISE_SETTLE: Final = (
    "UPDATE promises SET state = ?, settled_at = ?, value_headers = ?, value_data = ?, is_armed = NULL WHERE id = ?"
)
BRANCH: Final = f"SELECT {_PROMISE} FROM promises WHERE branch = ? ORDER BY id"
PROMISES_DUE: Final = "SELECT id FROM promises WHERE is_armed = 1 AND timeout_at <= ? ORDER BY timeout_at, id LIMIT ?"
PROMISES_NEXT: Final = "SELECT MIN(timeout_at) FROM promises WHERE is_armed = 1"
PROMISES_SEARCH: Final = f"SELECT {_PROMISE} FROM promises WHERE id > ?{{conditions}} ORDER BY id LIMIT ?"
PROMISES_SEARCH_TAGGED: Final = (
    f"SELECT {_PROMISE.replace('id,', 'promises.id,', 1)} FROM promise_tags CROSS JOIN promises USING (id) "
    "WHERE tag = ? AND content = ? AND promise_tags.id > ?{conditions} ORDER BY promise_tags.id LIMIT ?"
)
TAG_ADD: Final = "INSERT INTO promise_tags (tag, content, id) VALUES (?, ?, ?)"
HAS_TAG: Final = " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE key = ? AND value = ?)"
IN_BRANCH: Final = " AND branch = ?"

#: State as it reads at an instant -> condition on what is stored; each binds the instant.
READS_AS: Final[dict[str, str]] = {
    "pending": " AND state = 'pending' AND timeout_at > ?",
    "resolved": (
        " AND (state = 'resolved' OR (state = 'pending' AND timeout_at <= ?"
        " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE key = 'resonate:timer' AND value = 'true')))"
    ),
    "rejected": " AND state = 'rejected' AND ? NOTNULL",
    "rejected_canceled": " AND state = 'rejected_canceled' AND ? NOTNULL",
    "rejected_timedout": (
        " AND (state = 'rejected_timedout' OR (state = 'pending' AND timeout_at <= ?"
        " AND NOT EXISTS (SELECT 1 FROM json_each(tags) WHERE key = 'resonate:timer' AND value = 'true')))"
    ),
}

# -- tasks
TASK: Final = f"SELECT {_TASK} FROM tasks WHERE id = ?"
TASK_PUT: Final = (
    f"INSERT INTO tasks ({_TASK}, route) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = excluded.version, due_at = excluded.due_at, "
    "ttl = excluded.ttl, pid = excluded.pid, last_pid = excluded.last_pid, resumes = excluded.resumes, "
    "is_offered = excluded.is_offered"
)
LEASES_DUE: Final = "SELECT id FROM tasks WHERE state = 'acquired' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
LEASES_NEXT: Final = "SELECT MIN(due_at) FROM tasks WHERE state = 'acquired'"
RETRIES_DUE: Final = (
    "SELECT id FROM tasks WHERE state = 'pending' AND route = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?"
)
RETRIES_NEXT: Final = "SELECT MIN(due_at) FROM tasks WHERE state = 'pending' AND route = ?"
ROUTES: Final = "SELECT DISTINCT route FROM tasks WHERE state = 'pending'"
OFFERED: Final = (
    f"SELECT {_TASK} FROM tasks WHERE state = 'pending' AND route = ? AND due_at > ? AND is_offered "
    "ORDER BY due_at, id LIMIT ?"
)
TASKS_SEARCH: Final = f"SELECT {_TASK} FROM tasks WHERE id > ? ORDER BY id LIMIT ?"
TASKS_SEARCH_STATE: Final = f"SELECT {_TASK} FROM tasks WHERE id > ? AND state = ? ORDER BY id LIMIT ?"

# -- registrations
AWAITERS: Final = "SELECT awaiter FROM callbacks WHERE awaited = ? ORDER BY awaiter"
AWAITED_BY: Final = "SELECT awaited FROM callbacks WHERE awaiter = ? ORDER BY awaited"
CALLBACK_ADD: Final = "INSERT OR IGNORE INTO callbacks (awaited, awaiter) VALUES (?, ?)"
CALLBACK_REMOVE: Final = "DELETE FROM callbacks WHERE awaited = ? AND awaiter = ?"
LISTENERS: Final = "SELECT address FROM listeners WHERE awaited = ? ORDER BY address"
LISTENER_ADD: Final = "INSERT OR IGNORE INTO listeners (awaited, address) VALUES (?, ?)"
LISTENER_REMOVE: Final = "DELETE FROM listeners WHERE awaited = ? AND address = ?"

# -- inboxes
TAIL: Final = "SELECT slot FROM inbox_tails WHERE execution = ?"
TAIL_PUT: Final = "INSERT OR REPLACE INTO inbox_tails (execution, slot) VALUES (?, ?)"
LETTER: Final = "SELECT slot FROM inbox_letters WHERE execution = ? AND message_id = ?"
LETTER_PUT: Final = "INSERT OR REPLACE INTO inbox_letters (execution, message_id, slot) VALUES (?, ?, ?)"

# -- schedules
SCHEDULE: Final = f"SELECT {_SCHEDULE} FROM schedules WHERE id = ?"
SCHEDULE_PUT: Final = f"INSERT OR REPLACE INTO schedules ({_SCHEDULE}) VALUES (?,?,?,?,?,?,?,?,?,?)"
SCHEDULE_REMOVE: Final = "DELETE FROM schedules WHERE id = ?"
SCHEDULES_DUE: Final = "SELECT id FROM schedules WHERE next_run_at <= ? ORDER BY next_run_at, id LIMIT ?"
SCHEDULES_NEXT: Final = "SELECT MIN(next_run_at) FROM schedules"
SCHEDULES_SEARCH: Final = f"SELECT {_SCHEDULE} FROM schedules WHERE id > ?{{conditions}} ORDER BY id LIMIT ?"

# -- processes on one file
PEERS: Final = "SELECT grp, pid, is_worker, process FROM peers WHERE process <> ? ORDER BY grp, pid"
PEER_PUT: Final = "INSERT OR REPLACE INTO peers (grp, pid, is_worker, process) VALUES (?, ?, ?, ?)"
PEER_REMOVE: Final = "DELETE FROM peers WHERE grp = ? AND pid = ? AND process = ?"
PEERS_REMOVE: Final = "DELETE FROM peers WHERE process = ?"
BULLETIN_ADD: Final = "INSERT INTO bulletin (kind, id, grp, pid, version, process, posted_at) VALUES (?,?,?,?,?,?,?)"
BULLETIN_AFTER: Final = "SELECT seq, kind, id, grp, pid, version, process FROM bulletin WHERE seq > ? ORDER BY seq"
BULLETIN_LAST: Final = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'bulletin'"
BULLETIN_TRIM: Final = "DELETE FROM bulletin WHERE posted_at < ?"
