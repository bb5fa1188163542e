"""``temporalio.client`` on Resonate: the same names and signatures; only ``Client.connect`` leads elsewhere."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import temporalio.client
from temporalio.client import *  # noqa: F403 - the module mirrors another
from temporalio.service import ConnectConfig

from compat.temporal.private_definitions import install
from compat.temporal.service_client import ResonateServiceClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Self

    from temporalio.service import ServiceClient

install()

_FIELDS = frozenset(field.name for field in dataclasses.fields(ConnectConfig))


class Client(temporalio.client.Client):  # type: ignore[no-redef] # in place of the one that was mirrored
    """Temporal's client, whose calls are answered by Resonate."""

    @classmethod
    async def connect(cls, target_host: str, **options: Any) -> Self:
        """Connect to a store of Resonate's.

        Args:
            target_host: ``memory:``, ``sqlite:///file.db``, ``http://host:port``, as ``resonate_core`` takes them. A
                Temporal host name is accepted and ignored, with a notice that says where everything is kept.
            options: Temporal's. Those of the network connection have no meaning here.
        """
        transport = {name: options.pop(name) for name in list(options) if name in _FIELDS}
        transport["identity"] = transport.get("identity") or ""
        config = ConnectConfig(target_host=target_host, **transport)
        following: Callable[[ConnectConfig], Awaitable[ServiceClient]] = _connect
        for plugin in reversed(options.get("plugins") or []):
            following = _wrapped(plugin, following)
        return cls(await following(config), **options)


async def _connect(config: ConnectConfig) -> ServiceClient:
    return ResonateServiceClient(config)


def _wrapped(plugin: Any, following: Callable[[ConnectConfig], Awaitable[ServiceClient]]) -> Any:
    return lambda config: plugin.connect_service_client(config, following)


Client.connect.__func__.__signature__ = inspect.signature(temporalio.client.Client.connect.__func__)  # type: ignore[attr-defined]
