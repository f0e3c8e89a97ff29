"""How many commands one gateway process takes when the agents cost nothing, and what a bare echo takes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]  # the package ships no types

from benchmarks.commands.rig import Rig
from benchmarks.load_client import LoadClient, Word, joined
from benchmarks.processes import Program
from benchmarks.websocket import RawWebSocket

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
    """One connection that always has ``IN_FLIGHT`` questions under way: each answer sends the next."""

    def __init__(self) -> None:
        self.send: Callable[[], object] = lambda: None
        self.answers = 0

    def start(self) -> None:
        """Send the first ones."""
        for _ in range(IN_FLIGHT):
            self.send()

    def answered(self) -> None:
        """One came back: the next may go."""
        self.answers += 1
        self.send()


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
    command = LoadClient.command("load-000-0000000", 1, "psu", "set_voltage", {"voltage": 3.3}, time.time(), TTL_MS)
    message = bytes(len(msgpack.packb([0, command])))
    async with contextlib.AsyncExitStack() as stack:
        lanes = []
        for _ in range(CONNECTIONS):
            lane = Lane()
            socket = await RawWebSocket.connect(url, functools.partial(_echoed, lane))
            stack.callback(socket.close)
            lane.send = functools.partial(socket.send, message)
            lanes.append(lane)
        return await _measure(lanes, program, seconds)


def _echoed(lane: Lane, _data: bytes) -> None:
    lane.answered()


def _command_lane(client: LoadClient) -> Lane:
    def answered(word: Word) -> None:
        if word.get("status") != "done":
            raise RuntimeError(f"a command ended as {word}")
        lane.answered()

    lane = Lane()
    lane.send = lambda: client.offer("psu", "set_voltage", {"voltage": 3.3}, TTL_MS)
    client.answered = answered
    return lane


async def _measure(lanes: list[Lane], program: Program, seconds: float) -> Rate:
    for lane in lanes:
        lane.start()
    await asyncio.sleep(1.0)
    before, cpu_s, begun_s = sum(lane.answers for lane in lanes), program.cpu_s(), time.perf_counter()
    await asyncio.sleep(seconds)
    count = sum(lane.answers for lane in lanes) - before
    rate = Rate(count / (time.perf_counter() - begun_s), count / (program.cpu_s() - cpu_s))
    for lane in lanes:
        lane.send = lambda: None
    return rate
