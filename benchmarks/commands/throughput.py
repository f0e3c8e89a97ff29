"""How many commands one gateway process takes when the agents cost nothing, and what a bare echo takes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from benchmarks.commands.rig import Rig
from benchmarks.load_client import LoadClient, joined
from benchmarks.processes import Program
from devices.model import CommandStatus
from remotelab.messages import FROM_CLIENT, CommandFinished, CommandRefused

CONNECTIONS = 8
IN_FLIGHT = 16
"""On each connection."""
TTL_MS = 10_000.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers per second of the clock, and per second of the server's processor time."""

    per_s: float
    per_core_s: float


class Lane:
    """One connection that always has ``IN_FLIGHT`` questions under way."""

    def __init__(self, send: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._window = asyncio.Semaphore(IN_FLIGHT)
        self.answers = 0

    def answered(self) -> None:
        """One came back: the next may go."""
        self.answers += 1
        self._window.release()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._window.acquire()
            await self._send()


async def commands(rig: Rig, seconds: float) -> Rate:
    """Commands through the gateway, each finished as ``done``. Raises RuntimeError when one is not."""
    async with contextlib.AsyncExitStack() as stack:
        lanes = []
        for number in range(CONNECTIONS):
            bench = f"pretend-{number}"
            token = rig.token("load", bench)
            client = await stack.enter_async_context(joined(rig.url, bench, token, f"load-{number:03d}"))
            await client.acquire()
            lanes.append(_command_lane(client))
        return await _measure(lanes, rig.gateway, seconds)


async def echoes(url: str, program: Program, seconds: float) -> Rate:
    """Messages of a command's size through a server that only sends them back."""
    size_bytes = len(FROM_CLIENT.encode(LoadClient.example("load-000-0000000")))
    async with aiohttp.ClientSession() as session, contextlib.AsyncExitStack() as stack:
        lanes = []
        for _ in range(CONNECTIONS):
            socket = await stack.enter_async_context(session.ws_connect(url, compress=0))
            lane = Lane(functools.partial(socket.send_bytes, bytes(size_bytes)))
            reading = asyncio.create_task(_count(socket, lane))
            stack.callback(reading.cancel)
            lanes.append(lane)
        return await _measure(lanes, program, seconds)


def _command_lane(client: LoadClient) -> Lane:
    async def send() -> None:
        await client.offer(client.command("psu", "set_voltage", {"voltage": 3.3}, TTL_MS))

    def answered(word: CommandFinished | CommandRefused, _at_ms: float) -> None:
        if not isinstance(word, CommandFinished) or word.status is not CommandStatus.DONE:
            raise RuntimeError(f"a command ended as {word}")
        lane.answered()

    lane = Lane(send)
    client.answered = answered
    return lane


async def _count(socket: aiohttp.ClientWebSocketResponse, lane: Lane) -> None:
    async for _ in socket:
        lane.answered()


async def _measure(lanes: list[Lane], program: Program, seconds: float) -> Rate:
    running = [asyncio.create_task(lane.run()) for lane in lanes]
    await asyncio.sleep(1.0)
    before, cpu_s, begun_s = sum(lane.answers for lane in lanes), program.cpu_s(), time.perf_counter()
    await asyncio.sleep(seconds)
    count = sum(lane.answers for lane in lanes) - before
    rate = Rate(count / (time.perf_counter() - begun_s), count / (program.cpu_s() - cpu_s))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return rate
