"""The service client behind ``compat.temporal.client.Client``: answers Temporal's calls from Resonate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compat.temporal.connection import Connection, store_url
from compat.temporal.private import BridgeServiceClient
from compat.temporal.rpc_activities import ActivityCalls
from compat.temporal.rpc_history import HistoryCalls
from compat.temporal.rpc_schedules import ScheduleCalls
from compat.temporal.rpc_system import SystemCalls
from compat.temporal.rpc_testing import TestingCalls
from compat.temporal.rpc_visibility import VisibilityCalls
from compat.temporal.rpc_workflows import WorkflowCalls
from compat.unsupported import UnsupportedFeatureError
from resonate_core import Resonate

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from temporalio.service import ConnectConfig


class ResonateServiceClient(
    BridgeServiceClient,
    WorkflowCalls,
    HistoryCalls,
    VisibilityCalls,
    ActivityCalls,
    ScheduleCalls,
    SystemCalls,
    TestingCalls,
):
    """Looks like a connection to a Temporal server, and is one to Resonate.

    Args:
        config: what ``Client.connect`` was given; ``target_host`` is a URL of Resonate's, or ignored.
        resonate: a client that exists, instead of one for ``target_host``.
    """

    def __init__(self, config: ConnectConfig, resonate: Resonate | None = None) -> None:
        self.connection = Connection(resonate or Resonate(store_url(config.target_host)), config.identity)
        super().__init__(config, self.connection)

    async def call(self, rpc: str, req: Message, resp_type: type[Any], *, service: str) -> Any:
        """Answer one call.

        Raises:
            UnsupportedFeatureError: Resonate has nothing like it.
            RPCError: as a server would.
        """
        answer = getattr(self, rpc, None) if service in ("workflow", "test") else None
        if answer is None:
            if service == "health":
                return _healthy(resp_type)
            raise UnsupportedFeatureError(f"the {service} service's {rpc}", "see the list of supported features")
        return await answer(req)


def _healthy(resp_type: type[Any]) -> Any:
    response = resp_type()
    response.status = 1
    return response
