"""Calls about the server itself: what it can do, and the one namespace that there is."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import NamespaceState
from temporalio.api.workflowservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import rpc

_VERSION = "resonate"
#: Fields of ``GetSystemInfoResponse.Capabilities`` that hold here.
_CAPABILITIES = (
    "signal_and_query_header",
    "internal_error_differentiation",
    "activity_failure_include_heartbeat",
    "supports_schedules",
    "encoded_failure_attributes",
    "upsert_memo",
    "sdk_metadata",
    "count_group_by_execution_status",
)


class SystemCalls:
    """Answers ``get_system_info`` and ``describe_namespace``."""

    async def get_system_info(self, _: Any) -> v1.GetSystemInfoResponse:
        """Say what the shim can do."""
        response = v1.GetSystemInfoResponse(server_version=_VERSION)
        for name in _CAPABILITIES:
            setattr(response.capabilities, name, True)
        return response

    async def describe_namespace(self, request: Any) -> v1.DescribeNamespaceResponse:
        """Describe a namespace: here it is a name only, and every one is there.

        Raises:
            RPCError: without a name.
        """
        if not request.namespace:
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, "describe_namespace needs the name of a namespace")
        response = v1.DescribeNamespaceResponse()
        response.namespace_info.name = request.namespace
        response.namespace_info.state = NamespaceState.NAMESPACE_STATE_REGISTERED
        return response
