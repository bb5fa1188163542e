"""The tables of the SQLite file, and its version.

Tables are clustered by id: the children of an execution stand side by side, so a step dirties one page of the table and
one of the branch index. Indexes that serve timers are partial: a row is in them only while its timer runs.
``promise_tags`` holds users' tags, by which executions are searched; the protocol's own would cost every step a row.
"""

from __future__ import annotations

from typing import Final

#: ``PRAGMA application_id``: "RsnC". Tells our files from those of others.
APPLICATION_ID: Final = 0x52736E43

#: ``PRAGMA user_version`` of the files that this code writes.
VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE promises (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    timeout_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    param_headers TEXT,
    param_data TEXT,
    value_headers TEXT,
    value_data TEXT,
    tags TEXT,
    branch TEXT,
    is_armed INTEGER
) WITHOUT ROWID;
CREATE INDEX promises_by_branch ON promises (branch) WHERE branch IS NOT NULL;
CREATE INDEX promises_by_deadline ON promises (timeout_at) WHERE is_armed = 1;

CREATE TABLE promise_tags (
    tag TEXT NOT NULL,
    content TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (tag, content, id)
) WITHOUT ROWID;

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    address TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    due_at INTEGER,
    ttl INTEGER,
    pid TEXT,
    last_pid TEXT,
    resumes TEXT,
    is_offered INTEGER NOT NULL,
    route TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX tasks_by_lease ON tasks (due_at) WHERE state = 'acquired';
CREATE INDEX tasks_by_retry ON tasks (route, due_at) WHERE state = 'pending';

CREATE TABLE callbacks (
    awaited TEXT NOT NULL,
    awaiter TEXT NOT NULL,
    PRIMARY KEY (awaited, awaiter)
) WITHOUT ROWID;
CREATE INDEX callbacks_by_awaiter ON callbacks (awaiter);

CREATE TABLE listeners (
    awaited TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (awaited, address)
) WITHOUT ROWID;

CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    cron TEXT NOT NULL,
    promise_id TEXT NOT NULL,
    promise_timeout INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    next_run_at INTEGER NOT NULL,
    param_headers TEXT,
    param_data TEXT,
    tags TEXT,
    last_run_at INTEGER
) WITHOUT ROWID;
CREATE INDEX schedules_by_next_run ON schedules (next_run_at);

CREATE TABLE inbox_tails (
    execution TEXT NOT NULL PRIMARY KEY,
    slot INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox_letters (
    execution TEXT NOT NULL,
    message_id TEXT NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (execution, message_id)
) WITHOUT ROWID;

CREATE TABLE peers (
    grp TEXT NOT NULL,
    pid TEXT NOT NULL,
    is_worker INTEGER NOT NULL,
    process INTEGER NOT NULL,
    PRIMARY KEY (grp, pid)
) WITHOUT ROWID;

CREATE TABLE bulletin (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    grp TEXT,
    pid TEXT,
    version INTEGER,
    process INTEGER NOT NULL,
    posted_at INTEGER NOT NULL
);
"""

#: Version -> statements that make it out of the one before. Version 1 is made out of nothing.
MIGRATIONS: Final[dict[int, str]] = {1: _TABLES}
