"""RM554: what DBOS's configuration said."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job

RULE: Final = Rule(
    code="RM554",
    title="The configuration of DBOS is gone",
    family="semantics",
    level="note",
    applicability="review",
    what="""\
The store is named by `RESONATE_URL`, else it is the file `resonate.db`; what DBOS's own database holds stays there.
Other keys are named one by one where they said something that is decided elsewhere now: versions, executor ids,
threads, the admin server, the control plane, traces.""",
    why="Runs that are under way are not carried over, and an option that silently ends would be missed too late.",
    action="Set RESONATE_URL, and let running workflows finish on DBOS first.",
    minutes=5,
)

#: Keys of the configuration that change what the program does, and what holds instead.
NOTES: Final = {
    "application_version": "an execution keeps to a version of its function, @durable(version=...), not of the program",
    "executor_id": "any worker of the group takes over what a dead one left; there are no executor ids",
    "conductor_key": "there is no control plane to connect to; any worker recovers the executions of a dead one",
    "conductor_url": "there is no control plane to connect to; any worker recovers the executions of a dead one",
    "max_executor_threads": "the number of threads that run steps is set on Resonate",
    "run_admin_server": "there is no admin server",
    "admin_port": "there is no admin server",
    "serializer": "values are stored as JSON with their types",
    "enable_otlp": "traces are not exported",
    "otlp_traces_endpoints": "traces are not exported",
    "otlp_logs_endpoints": "logs are not exported; add a handler to logging",
    "log_level": "levels are set with logging",
    "console_log_level": "levels are set with logging",
}


def tell(job: Job, module: Module, config: ast.AST) -> None:
    """Say it at the configuration."""
    message = "executions are stored where RESONATE_URL says, else in resonate.db; those in DBOS's database stay there"
    job.report(module, config, RULE.code, "note", message, RULE.action)
    keys: list[tuple[ast.AST, object]] = []
    if isinstance(config, ast.Dict):
        keys = [(key, key.value) for key in config.keys if isinstance(key, ast.Constant)]
    elif isinstance(config, ast.Call):
        keys = [(entry, entry.arg) for entry in config.keywords]
    for node, key in keys:
        if key in NOTES:
            job.report(module, node, RULE.code, "note", f"{key}: {NOTES[str(key)]}", RULE.action)
