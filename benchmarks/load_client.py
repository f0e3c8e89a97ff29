"""A participant for load: no resume, no reconnect, and as little of its own time as can be.

It follows the gateway's clock, so that its own readings and the ledgers can be compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import msgpack  # type: ignore[import-untyped]  # the package ships no types

from benchmarks.websocket import RawWebSocket
from remotelab.messages import FROM_CLIENT
from signaling.clock import ClockFollower
from signaling.messages import Hello

Word: TypeAlias = dict[str, Any]
"""A frame's map as it is on the wire: decoding it further would be the load generator's cost, not the gateway's."""


def now_ms() -> float:
    """This process's clock: never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000


class LoadClient:
    """One participant on one bench. ``answered`` is called with every ``CommandFinished`` and ``CommandRefused``."""

    def __init__(self, prefix: str) -> None:
        self._ids = (f"{prefix}-{number:07d}" for number in itertools.count())
        self._waiting: dict[str, asyncio.Future[Word]] = {}
        self._devices: dict[str, str] = {}
        self._state = ""
        self._socket: RawWebSocket | None = None
        self.clock = ClockFollower()
        self.fence = 0
        self.usable = asyncio.Event()
        """Set when the bench's agent and devices are there."""
        self.answered: Callable[[Word], None] | None = None

    async def start(self, url: str, token: str) -> None:
        """Connect, compare clocks, and wait until the bench can be used."""
        self._socket = await RawWebSocket.connect(url, self._received)
        self._socket.send(FROM_CLIENT.encode(Hello((1,), token, "tongke-benchmark")))
        for _ in range(8):
            await self.request("Ping", "Pong", sent_ms=now_ms())
        await self.usable.wait()

    async def acquire(self) -> None:
        """Take control. Raises RuntimeError when it is refused."""
        await self._ask("AcquireLease")

    async def stop(self) -> Word:
        """Stop the bench; its ``StopFinished``."""
        return await self._ask("Stop", sent_ms=self.clock.earliest_server_ms(now_ms()))

    async def clear_stop(self) -> None:
        """Let the bench be commanded again."""
        await self._ask("ClearStop")

    def offer(self, device: str, action: str, args: Word, ttl_ms: float) -> str:
        """Send a command; its answer goes to ``answered``. Returns its id."""
        name = next(self._ids)
        self._send(self.command(name, self.fence, device, action, args, self.server_ms(), ttl_ms))
        return name

    async def run(self, device: str, action: str, args: Word, ttl_ms: float) -> Word:
        """Send a command and wait for its answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Word] = loop.create_future()
        self._waiting[self.offer(device, action, args, ttl_ms)] = future
        word: Word = await future
        return word

    async def request(self, kind: str, answer: str, **fields: object) -> Word:
        """Send a word and wait for its answer: the word of kind ``answer``, or the one with that id."""
        future = self._waiting[answer] = asyncio.get_running_loop().create_future()
        self._send({"type": kind, **fields})
        word: Word = await future
        return word

    def server_ms(self) -> float:
        """What may be stamped as ``sent_ms`` now."""
        return self.clock.earliest_server_ms(now_ms())

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()

    @staticmethod
    def command(name: str, fence: int, device: str, action: str, args: Word, sent_ms: float, ttl_ms: float) -> Word:
        """A ``Command`` as it goes on the wire."""
        return {
            "type": "Command",
            "id": name,
            "fence": fence,
            "device": device,
            "action": action,
            "args": args,
            "sent_ms": sent_ms,
            "ttl_ms": ttl_ms,
            "mode": "ordered",
        }

    async def _ask(self, kind: str, **fields: object) -> Word:
        name = next(self._ids)
        answer = await self.request(kind, name, id=name, **fields)
        if answer["type"] == "RequestRefused":
            raise RuntimeError(f"{kind}: {answer['text']}")
        return answer

    def _send(self, word: Word) -> None:
        assert self._socket is not None
        self._socket.send(b"\x92\x00" + msgpack.packb(word))

    def _received(self, data: bytes) -> None:
        word: Word = msgpack.unpackb(data)[1]
        kind = word["type"]
        if kind == "CommandFinished" or kind == "CommandRefused":
            if self.answered is not None:
                self.answered(word)
            self._answer(word["id"], word)
        elif kind == "Pong":
            self.clock.observe(
                sent_ms=word["sent_ms"],
                received_ms=word["received_ms"],
                replied_ms=word["replied_ms"],
                back_ms=now_ms(),
            )
            self._answer(kind, word)
        elif kind in ("BenchSnapshot", "BenchChanged"):
            self._state = word["state"]
            self._see(word.get("devices", ()))
        elif kind == "DeviceChanged":
            self._see((word["report"],))
        elif kind == "LeaseChanged" and word.get("lease"):
            self.fence = word["lease"]["fence"]
        elif "id" in word:
            self._answer(word["id"], word)

    def _answer(self, key: str, word: Word) -> None:
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(word)

    def _see(self, reports: Any) -> None:
        self._devices |= {report["device"]: report["state"] for report in reports}
        if set(self._devices.values()) == {"online"} and self._state in ("online", "in_use"):
            self.usable.set()


@contextlib.asynccontextmanager
async def joined(base_url: str, bench: str, token: str, prefix: str) -> AsyncIterator[LoadClient]:
    """A client that is on the bench, until the end of the block."""
    client = LoadClient(prefix)
    try:
        await client.start(f"{base_url}/lab/{bench}/socket", token)
        yield client
    finally:
        client.close()
