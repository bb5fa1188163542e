"""Calls of Temporal's test server: the time of an environment, and skipping it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio.api.testservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import rpc

if TYPE_CHECKING:
    from compat.temporal.connection import Connection
    from compat.temporal.testing.skipping import Skipper, SkippingClock


class TestingCalls:
    """Answers the calls of ``TestService``."""

    connection: Connection
    _skipper: Skipper | None = None
    _clock: SkippingClock | None = None

    def use_skipper(self, skipper: Skipper, clock: SkippingClock) -> None:
        """Say whose time is skipped, and by whom."""
        self._skipper, self._clock = skipper, clock

    def _skipping(self) -> tuple[Skipper, SkippingClock]:
        if self._skipper is None or self._clock is None:
            raise rpc.error(RPCStatusCode.UNIMPLEMENTED, "time is not skipped in this environment")
        return self._skipper, self._clock

    async def unlock_time_skipping(self, _: Any) -> v1.UnlockTimeSkippingResponse:
        """Let time be skipped."""
        self._skipping()[0].unlock()
        return v1.UnlockTimeSkippingResponse()

    async def lock_time_skipping(self, _: Any) -> v1.LockTimeSkippingResponse:
        """Let time run."""
        self._skipping()[0].lock()
        return v1.LockTimeSkippingResponse()

    async def unlock_time_skipping_with_sleep(self, request: v1.SleepRequest) -> v1.SleepResponse:
        """Skip some time."""
        skipper, clock = self._skipping()
        until = clock.now_ms() + round(request.duration.ToTimedelta().total_seconds() * 1000)
        await asyncio.to_thread(skipper.skip_until, until)
        return v1.SleepResponse()

    async def get_current_time(self, _: Any) -> v1.GetCurrentTimeResponse:
        """Return the environment's time."""
        response = v1.GetCurrentTimeResponse()
        response.time.FromMilliseconds(self.connection.now_ms())
        return response

    async def close(self) -> None:
        """End what belongs to the environment."""
        if self._skipper is not None:
            await asyncio.to_thread(self._skipper.stop)
        await self.connection.resonate.aio.stop()
