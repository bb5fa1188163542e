"""Our server behind a real NATS broker: requests and messages cross it as ``resonate-nats`` carries them.

Run as a program: ``nats_bridge.py NATS_URL SERVER_URL``; it says so when it is ready. Requests come on
``resonate.requests.ORIGIN`` and are answered where their header says. Addresses are ``nats://resonate.recv.GROUP`` and
``nats://resonate.recv.GROUP.PID`` there and ``poll://`` addresses here; for each that is seen a stream is held open.
"""

from __future__ import annotations

import asyncio
import re
import sys

import aiohttp
import nats

REQUESTS = "resonate.requests.*"
MESSAGES = "resonate.recv"
REPLY = "Resonate-Reply-To"
_ADDRESS = re.compile(rb"nats://resonate\.recv\.([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]+))?")
_POLL = re.compile(rb"poll://(?:any|uni)@([A-Za-z0-9_-]+)(?:/([A-Za-z0-9_-]+))?")


class Bridge:
    """Carries between one broker and one server."""

    def __init__(self, broker: nats.NATS, session: aiohttp.ClientSession, url: str) -> None:
        self._broker = broker
        self._session = session
        self._url = url
        self._streams: dict[tuple[str, str | None], asyncio.Task[None]] = {}

    async def request(self, message: nats.aio.msg.Msg) -> None:
        """Carry a request, and its answer back."""
        for group, pid in _ADDRESS.findall(message.data):
            self._listen(group.decode(), pid.decode() or None)
        body = _ADDRESS.sub(_to_poll, message.data)
        async with self._session.post(f"{self._url}/", data=body, allow_redirects=False) as answer:
            content = _POLL.sub(_to_nats, await answer.read())
        await self._broker.publish(message.headers[REPLY], content)

    def _listen(self, group: str, pid: str | None) -> None:
        if (group, pid) not in self._streams:
            self._streams[group, pid] = asyncio.ensure_future(self._pump(group, pid))

    async def _pump(self, group: str, pid: str | None) -> None:
        """Carry messages; those of a group stand for all of its members."""
        subject = f"{MESSAGES}.{group}" if pid is None else f"{MESSAGES}.{group}.{pid}"
        async with self._session.get(f"{self._url}/poll/{group}/{pid or 'bridge'}") as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    await self._broker.publish(subject, _POLL.sub(_to_nats, line[5:].strip()))


def _to_poll(match: re.Match[bytes]) -> bytes:
    return b"poll://uni@" + match[1] + b"/" + match[2] if match[2] else b"poll://any@" + match[1]


def _to_nats(match: re.Match[bytes]) -> bytes:
    return b"nats://resonate.recv." + match[1] + (b"." + match[2] if match[2] else b"")


async def main(broker_url: str, url: str) -> None:
    broker = await nats.connect(broker_url)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22) as session:
        bridge = Bridge(broker, session, url)
        under_way: set[asyncio.Task[None]] = set()

        async def begin(message: nats.aio.msg.Msg) -> None:
            task = asyncio.ensure_future(bridge.request(message))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        await broker.subscribe(REQUESTS, cb=begin)
        await broker.flush()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
