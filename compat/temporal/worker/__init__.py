"""``temporalio.worker`` on Resonate: the same names and signatures; ``Worker`` polls the store of its client."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import temporalio.worker
from temporalio.worker import *  # noqa: F403 - the module mirrors another
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from compat.temporal.private import install

#: Modules that workflow code may import and that must be the same inside the sandbox as outside.
_SHARED = ("compat", "resonate_core", "msgspec")

install()


class Worker(temporalio.worker.Worker):  # type: ignore[no-redef] # in place of the one that was mirrored
    """Temporal's worker: its instances, interceptors and converters, on tasks of Resonate."""

    def __init__(self, client: Any, **options: Any) -> None:
        runner = options.get("workflow_runner") or SandboxedWorkflowRunner()
        if isinstance(runner, SandboxedWorkflowRunner):
            restrictions = runner.restrictions.with_passthrough_modules(*_SHARED)
            options["workflow_runner"] = dataclasses.replace(runner, restrictions=restrictions)
        super().__init__(client, **options)
        bridge: Any = self._bridge_worker
        if hasattr(bridge, "bind"):
            bridge.bind(self)


Worker.__init__.__signature__ = inspect.signature(temporalio.worker.Worker.__init__)  # type: ignore[attr-defined]
