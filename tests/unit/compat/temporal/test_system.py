"""What a client asks of the server itself."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import NamespaceState
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.service import RPCError

from compat.temporal.client import Client


@pytest.fixture
async def asking(monkeypatch):
    monkeypatch.setenv("RESONATE_URL", "memory:")
    return (await Client.connect("localhost:7233")).workflow_service


async def test_system_info_says_what_the_shim_can_do(asking):
    info = await asking.get_system_info(GetSystemInfoRequest())
    assert info.capabilities.supports_schedules
    assert not info.capabilities.nexus


async def test_every_namespace_is_there(asking):
    found = await asking.describe_namespace(DescribeNamespaceRequest(namespace="orders"))
    assert found.namespace_info.name == "orders"
    assert found.namespace_info.state == NamespaceState.NAMESPACE_STATE_REGISTERED


async def test_namespace_without_a_name_is_refused(asking):
    with pytest.raises(RPCError, match="needs the name"):
        await asking.describe_namespace(DescribeNamespaceRequest())
