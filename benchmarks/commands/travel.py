"""The whole path as one client sees it, near and far."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.commands.rig import ACTION, Rig
from benchmarks.load_client import LoadClient, joined
from benchmarks.report import spread

BENCH = "bench-00"
TTL_MS = 10_000.0
DEPTH = 8


@contextlib.asynccontextmanager
async def path_exchange(rig: Rig, url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """A command along the whole path, from a client that has the control. Raises RuntimeError when one fails."""
    async with joined(url, BENCH, rig.token("load", BENCH), "path-load") as client:
        await client.acquire()
        yield lambda: _run(client)


async def figures(rig: Rig, url: str, seconds: float) -> dict[str, Any]:
    """Round trips with one command in flight, and how much more is done with eight."""
    async with path_exchange(rig, url) as exchange:
        samples: list[float] = []
        one_per_s = await _in_flight(exchange, 1, seconds / 2, samples)
        depth8_per_s = await _in_flight(exchange, DEPTH, seconds / 2, [])
    rates = {"one_per_s": round(one_per_s, 1), "depth8_per_s": round(depth8_per_s, 1)}
    return {**spread(samples, "ms", 3), **rates, "depth8_speedup": round(depth8_per_s / one_per_s, 2)}


async def _run(client: LoadClient) -> None:
    finished = await client.run("probe", ACTION, {}, TTL_MS)
    if finished.get("status") != "done":
        raise RuntimeError(f"the command ended as {finished}")


async def _in_flight(
    exchange: Callable[[], Awaitable[object]], depth: int, seconds: float, samples: list[float]
) -> float:
    end_s = time.perf_counter() + seconds

    async def lane() -> int:
        count = 0
        while (begun_s := time.perf_counter()) < end_s:
            await exchange()
            samples.append((time.perf_counter() - begun_s) * 1_000)
            count += 1
        return count

    begun_s = time.perf_counter()
    counts = await asyncio.gather(*[lane() for _ in range(depth)])
    return sum(counts) / (time.perf_counter() - begun_s)
