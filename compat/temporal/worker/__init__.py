"""``temporalio.worker`` on Resonate: the same names and signatures; ``Worker`` polls the store of its client."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import temporalio.activity
import temporalio.worker
from temporalio.worker import *  # noqa: F403 - the module mirrors another
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from compat.temporal import private_definitions
from compat.temporal.migrated import split
from compat.temporal.private import install

#: Modules that workflow code may import and that must be the same inside the sandbox as outside.
_SHARED = ("compat", "resonate_core", "msgspec")

install()
private_definitions.install()


@temporalio.activity.defn(name="compat.temporal.nothing")
async def _nothing() -> None:
    """Stands in where every workflow of a worker is migrated: temporalio refuses a worker with nothing to do."""


class Worker(temporalio.worker.Worker):  # type: ignore[no-redef] # in place of the one that was mirrored
    """Temporal's worker: its instances, interceptors and converters, on tasks of Resonate.

    Migrated workflows and steps stand in the same lists; plain Resonate code runs them, see ``migrated``.
    """

    def __init__(self, client: Any, **options: Any) -> None:
        runner = options.get("workflow_runner") or SandboxedWorkflowRunner()
        if isinstance(runner, SandboxedWorkflowRunner):
            restrictions = runner.restrictions.with_passthrough_modules(*_SHARED)
            options["workflow_runner"] = dataclasses.replace(runner, restrictions=restrictions)
        given = options.get("workflows") or (), options.get("activities") or ()
        options["workflows"], migrated = split(*given, private_definitions.activity_name)
        if migrated.workflows and not options["workflows"] and not options.get("activities"):
            options["activities"] = [_nothing]
        super().__init__(client, **options)
        bridge: Any = self._bridge_worker
        if hasattr(bridge, "bind"):
            bridge.bind(self)
            bridge.host.migrated = migrated


Worker.__init__.__signature__ = inspect.signature(temporalio.worker.Worker.__init__)  # type: ignore[attr-defined]
