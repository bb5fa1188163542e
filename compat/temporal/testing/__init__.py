"""``temporalio.testing`` on Resonate: environments in memory, with no server to download, time skipped where asked."""

from __future__ import annotations

import inspect
from typing import Any

import temporalio.testing
from temporalio.service import ConnectConfig
from temporalio.testing import *  # noqa: F403 - the module mirrors another

from compat.temporal.client import Client
from compat.temporal.private import environment_without_server
from compat.temporal.service_client import ResonateServiceClient
from compat.temporal.testing.skipping import Skipper, SkippingClock
from compat.unsupported import UnsupportedFeatureError
from resonate_core import Resonate

#: Lease of tasks in an environment: nobody takes over there, and its renewal would be something to stop at.
_LEASE_S = 30 * 86_400
_CLIENT_OPTIONS = frozenset(
    ("namespace", "data_converter", "interceptors", "plugins", "default_workflow_query_reject_condition", "identity")
)


class _Store:
    """What an environment shuts down in place of a server."""

    def __init__(self, service: ResonateServiceClient, *, skips_time: bool) -> None:
        self._service = service
        self.target = "memory:"
        self.has_test_service = skips_time

    async def shutdown(self) -> None:
        """Close the store."""
        await self._service.close()


def _client(options: dict[str, Any], resonate: Resonate) -> Client:
    known = {name: value for name, value in options.items() if name in _CLIENT_OPTIONS}
    config = ConnectConfig(target_host="memory:", identity=known.pop("identity", None) or "")
    return Client(ResonateServiceClient(config, resonate), **known)


class WorkflowEnvironment(temporalio.testing.WorkflowEnvironment):  # type: ignore[no-redef] # in place of the mirrored one
    """Temporal's workflow environment; the options of downloaded servers have no meaning here."""

    @classmethod
    async def start_local(cls, **options: Any) -> temporalio.testing.WorkflowEnvironment:
        """Start an environment in memory, in real time."""
        client = _client(options, Resonate("memory:"))
        made: temporalio.testing.WorkflowEnvironment = environment_without_server(
            client, _Store(_service_of(client), skips_time=False), skips_time=False
        )
        return made

    @classmethod
    async def start_time_skipping(cls, **options: Any) -> temporalio.testing.WorkflowEnvironment:
        """Start an environment in memory whose time is skipped while a result is awaited."""
        clock = SkippingClock()
        client = _client(options, Resonate("memory:", clock=clock, ttl=_LEASE_S))
        service = _service_of(client)
        service.use_skipper(Skipper(clock, service.connection.is_quiet, service.connection.next_due_ms), clock)
        made: temporalio.testing.WorkflowEnvironment = environment_without_server(
            client, _Store(service, skips_time=True), skips_time=True
        )
        return made

    @classmethod
    async def start_time_skipping_v2(cls, **options: Any) -> temporalio.testing.WorkflowEnvironment:
        """Refused: time is skipped for all executions of an environment at once."""
        raise UnsupportedFeatureError(
            f"start_time_skipping_v2 ({', '.join(options) or 'no options'})", "use start_time_skipping"
        )


def _service_of(client: Client) -> ResonateServiceClient:
    service = client.service_client
    assert isinstance(service, ResonateServiceClient)
    return service


for _name in ("start_local", "start_time_skipping", "start_time_skipping_v2"):
    _original = getattr(temporalio.testing.WorkflowEnvironment, _name, None)
    if _original is not None:
        getattr(WorkflowEnvironment, _name).__func__.__signature__ = inspect.signature(_original.__func__)
