"""A bare WebSocket client for load: no resume, no reconnect, as little of its own time as it can take.

It measures with the clock that the gateway shows it, so its ledgers and the agent's can be compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from devices.messages import DeviceReport
from devices.model import CommandMode, DeviceState
from remotelab.messages import (
    FROM_CLIENT,
    TO_CLIENT,
    AcquireLease,
    BenchChanged,
    BenchSnapshot,
    BenchState,
    ClearStop,
    Command,
    CommandFinished,
    CommandRefused,
    DeviceChanged,
    LeaseChanged,
    Stop,
    StopFinished,
)
from signaling.clock import ClockFollower
from signaling.messages import Hello, Ping, Pong, RequestDone, RequestRefused, Welcome


def now_ms() -> float:
    """This process's clock: never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000


class LoadClient:
    """One participant on one bench. Answers are handed to ``answered`` or to whoever awaits :meth:`run`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, prefix: str) -> None:
        self._socket = socket
        self._ids = (f"{prefix}-{number:07d}" for number in itertools.count())
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._snapshot: asyncio.Future[BenchSnapshot] = asyncio.get_running_loop().create_future()
        self.usable = asyncio.Event()
        """Set when the bench's agent and devices are there."""
        self._state = BenchState.OFFLINE
        self._devices: dict[str, DeviceState] = {}
        self.clock = ClockFollower()
        self.fence = 0
        self.answered: Callable[[CommandFinished | CommandRefused, float], None] | None = None

    async def start(self, token: str) -> BenchSnapshot:
        """Say Hello, wait for the snapshot, and compare clocks."""
        await self._send(Hello((1,), token, "tongke-benchmark"))
        snapshot = await self._snapshot
        for _ in range(8):
            await self._ping()
        return snapshot

    async def acquire(self) -> None:
        """Take control."""
        await self.request(AcquireLease(next(self._ids)))

    async def request(self, word: AcquireLease | ClearStop | Stop) -> Any:
        """Send a request and wait for its answer."""
        answer = self._expect(word.id)
        await self._send(word)
        return await answer

    async def stop(self) -> StopFinished:
        """Stop the bench and wait until it is done."""
        stopped = await self.request(Stop(next(self._ids), self.clock.earliest_server_ms(now_ms())))
        assert isinstance(stopped, StopFinished)
        return stopped

    async def clear_stop(self) -> None:
        """Let the bench be commanded again."""
        await self.request(ClearStop(next(self._ids)))

    def command(self, device: str, action: str, args: dict[str, object], ttl_ms: float) -> Command:
        """A command that is sent now."""
        sent_ms = self.clock.earliest_server_ms(now_ms())
        return Command(next(self._ids), self.fence, device, action, args, sent_ms, ttl_ms, CommandMode.ORDERED)

    @staticmethod
    def example(id: str) -> Command:
        """A command as large as the usual ones."""
        return Command(id, 1, "psu", "set_voltage", {"voltage": 3.3}, now_ms(), 10_000.0, CommandMode.ORDERED)

    async def offer(self, command: Command) -> None:
        """Send a command; its answer goes to ``answered``."""
        await self._send(command)

    async def run(self, command: Command) -> CommandFinished | CommandRefused:
        """Send a command and wait for its answer."""
        answer = self._expect(command.id)
        await self._send(command)
        finished: CommandFinished | CommandRefused = await answer
        return finished

    async def receive(self) -> None:
        """Read until the socket ends."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            _, word = TO_CLIENT.decode(message.data)
            kind = type(word)
            if kind is CommandFinished or kind is CommandRefused:
                if self.answered is not None:
                    self.answered(word, now_ms())
                self._answer(word.id, word)
            elif kind in (RequestDone, RequestRefused, StopFinished):
                self._answer(word.id, word)
            elif kind is Pong:
                self.clock.observe(
                    sent_ms=word.sent_ms, received_ms=word.received_ms, replied_ms=word.replied_ms, back_ms=now_ms()
                )
                self._answer("pong", word)
            elif kind is LeaseChanged and word.lease is not None:
                self.fence = word.lease.fence
            elif kind is BenchSnapshot and not self._snapshot.done():
                self._snapshot.set_result(word)
                self._see(word.state, word.devices)
            elif kind is BenchChanged:
                self._see(word.state, ())
            elif kind is DeviceChanged:
                self._see(self._state, (word.report,))
            elif kind is not Welcome and not self._snapshot.done() and hasattr(word, "code"):
                self._snapshot.set_exception(ConnectionError(word.text))

    def _see(self, state: BenchState, devices: tuple[DeviceReport, ...]) -> None:
        self._state = state
        self._devices |= {report.device: report.state for report in devices}
        online = set(self._devices.values()) == {DeviceState.ONLINE}
        if online and state in (BenchState.ONLINE, BenchState.IN_USE):
            self.usable.set()

    async def _ping(self) -> None:
        pong = self._expect("pong")
        await self._send(Ping(now_ms()))
        await pong

    def _expect(self, key: str) -> asyncio.Future[Any]:
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        return future

    def _answer(self, key: str, word: object) -> None:
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(word)

    async def _send(self, word: object) -> None:
        await self._socket.send_bytes(FROM_CLIENT.encode(word))


@contextlib.asynccontextmanager
async def joined(base_url: str, bench: str, token: str, prefix: str) -> AsyncIterator[LoadClient]:
    """A client that is on the bench, until the end of the block."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{base_url}/lab/{bench}/socket", compress=0, max_msg_size=0) as socket,
    ):
        client = LoadClient(socket, prefix)
        reading = asyncio.create_task(client.receive())
        try:
            await client.start(token)
            await client.usable.wait()
            yield client
        finally:
            await socket.close()
            await reading
