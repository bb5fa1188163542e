"""What of temporalio's own tests does not apply to the shim, and why: patterns of test ids, each with a reason."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

#: Reason -> patterns of test ids, as ``fnmatch`` reads them.
REASONS: Final[dict[str, tuple[str, ...]]] = {
    "Nexus: the shim refuses it by name": (
        "test_interceptor.py::test_worker_interceptor",
        "test_opentelemetry.py::test_opentelemetry_tracing_nexus",
        "test_opentelemetry_plugin.py::test_opentelemetry_comprehensive_tracing",
        "test_worker.py::test_custom_slot_supplier",
        "test_worker.py::test_warns_when_workers_too_low",
        "test_worker.py::test_worker_cancel_run",
        "test_worker.py::test_worker_fatal_error_",
    ),
    "worker versioning and deployments: the shim refuses them by name": (
        "test_client.py::test_build_id_interactions",
        "test_worker.py::test_continue_as_new_with_ramping_version",
        "test_worker.py::test_continue_as_new_with_version_upgrade",
        "test_worker.py::test_worker_deployment_dynamic_workflow_with_",
        "test_worker.py::test_worker_deployment_ramp",
        "test_worker.py::test_worker_with_worker_deployment_config",
        "test_worker.py::test_workflows_can_use_",
    ),
    "activities without a workflow: the shim refuses start_activity_execution by name": (
        "tests/test_activity.py::TestDescribe",
        *(
            f"tests/test_activity.py::test_{name}"
            for name in (
                "cancel_",
                "count_",
                "describe_",
                "execute_",
                "get_",
                "id_",
                "list_",
                "manual_",
                "retry_",
                "search_",
                "start_activity_[!r]",
                "terminate",
            )
        ),
        "test_opentelemetry.py::test_opentelemetry_standalone_activity_tracing",
        "test_opentelemetry_plugin.py::test_otel_standalone_activity_tracing",
    ),
    "reset of activities: the shim refuses reset_activity by name": ("test_activity.py::test_activity_reset_",),
}


def reason_of(test: str) -> str | None:
    """Return why a test does not apply, None if it does."""
    for reason, patterns in REASONS.items():
        if any(fnmatchcase(test, f"*{pattern}*") for pattern in patterns):
            return reason
    return None
