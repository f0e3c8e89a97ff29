"""How much memory an idle lab session costs the gateway."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp

from benchmarks.commands.rig import Rig
from remotelab.messages import FROM_CLIENT, TO_CLIENT, BenchSnapshot
from signaling.messages import Hello
from signaling.tokens import Right

AT_ONCE = 50
FIRST = 100
"""What the first sessions cost is the program's, not a session's."""


async def kib_per_session(rig: Rig, benches: int, count: int) -> float:
    """Join so many observers over so many benches, leave them idle, and divide what the gateway grew by."""
    connector = aiohttp.TCPConnector(limit=0)
    entering = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session, contextlib.AsyncExitStack() as stack:

        async def join(number: int) -> None:
            bench = f"pretend-{number % benches}"
            token = rig.token(f"observer-{number}", bench, Right.OBSERVE)
            async with entering:
                url = f"{rig.url}/lab/{bench}/socket"
                socket = await session.ws_connect(url, compress=0, autoping=False, max_msg_size=0)
                stack.push_async_callback(socket.close)
                await socket.send_bytes(FROM_CLIENT.encode(Hello((1,), token, "tongke-benchmark")))
                while type(TO_CLIENT.decode(await socket.receive_bytes())[1]) is not BenchSnapshot:
                    pass

        async with asyncio.TaskGroup() as group:
            for number in range(FIRST):
                group.create_task(join(number))
        before_bytes = rig.gateway.resident_bytes()
        async with asyncio.TaskGroup() as group:
            for number in range(FIRST, FIRST + count):
                group.create_task(join(number))
        await asyncio.sleep(1.0)
        return (rig.gateway.resident_bytes() - before_bytes) / count / 1_024
