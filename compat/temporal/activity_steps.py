"""Activities that stay on the shim and are called by migrated workflows.

Such a function carries both marks. A migrated workflow calls it as a step, with the retries and limits of its mark; its
body is Temporal's, so it runs in an activity context made of what the step knows: ``activity.info``, ``heartbeat``,
``logger`` and ``client`` work, and what it raises of temporalio's errors becomes what migrated code catches.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from resonate_core import ApplicationError, heartbeat, step_info

if TYPE_CHECKING:
    from collections.abc import Callable


def as_step(activity: Any, *, task_queue: str, client: Any) -> Callable[..., Any]:
    """Return a function that runs an activity inside a step.

    Args:
        activity: function or bound method.
        task_queue: of the worker.
        client: of the worker.
    """
    if inspect.iscoroutinefunction(activity):

        @functools.wraps(activity)
        async def run_async(*args: Any) -> Any:
            try:
                return await _environment(task_queue, client).run(activity, *args)
            except temporalio.exceptions.ApplicationError as error:
                raise _translated(error) from error

        return run_async

    @functools.wraps(activity)
    def run(*args: Any) -> Any:
        try:
            return _environment(task_queue, client).run(activity, *args)
        except temporalio.exceptions.ApplicationError as error:
            raise _translated(error) from error

    return run


def _environment(task_queue: str, client: Any) -> ActivityEnvironment:
    """Return the context of the step that runs here."""
    about = step_info()
    began = datetime.fromtimestamp(about.started_ms / 1000, UTC)
    environment = ActivityEnvironment(client)
    environment.info = dataclasses.replace(
        environment.info,
        activity_id=about.id,
        activity_type=about.name,
        attempt=about.attempt,
        current_attempt_scheduled_time=began,
        heartbeat_details=list(about.heartbeat_details),
        heartbeat_timeout=_limit(about.heartbeat_timeout_ms),
        namespace=client.namespace,
        schedule_to_close_timeout=None,
        scheduled_time=began,
        start_to_close_timeout=_limit(about.attempt_timeout_ms),
        started_time=began,
        task_queue=task_queue,
        task_token=b"",
        workflow_id=about.root_id,
        workflow_namespace=client.namespace,
        workflow_run_id=about.root_id,
        workflow_type=None,
    )
    environment.on_heartbeat = heartbeat
    return environment


def _limit(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def _translated(error: temporalio.exceptions.ApplicationError) -> ApplicationError:
    delay = error.next_retry_delay
    return ApplicationError(
        error.message,
        *error.details,
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=None if delay is None else delay.total_seconds(),
    )
