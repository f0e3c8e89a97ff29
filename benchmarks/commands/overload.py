"""Ten times what the device can do, for half a minute: what runs, what is refused, and how soon a stop gets through."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.commands.rig import ACTION, Rig
from benchmarks.load_client import LoadClient, Word, joined, now_ms
from benchmarks.report import percentile

TTL_MS = 2_000.0
STOPS_PER_BENCH_S = 1.0


@dataclass(slots=True)
class Tally:
    """What came of the commands of one bench."""

    offered: int = 0
    done: int = 0
    done_in_time: int = 0
    """Before the flood ended: what still waited then is no part of the goodput."""
    until_ms: float = 0.0
    late: int = 0
    other: int = 0
    refusals_ms: list[float] = field(default_factory=list)
    stops_ms: list[float] = field(default_factory=list)
    sent_ms: dict[str, float] = field(default_factory=dict)
    last_byte_ms: float = 0.0

    def take(self, word: Word) -> None:
        """Count an answer."""
        sent_ms = self.sent_ms.pop(word["id"])
        if word["type"] == "CommandRefused":
            self.refusals_ms.append(now_ms() - sent_ms)
            return
        self.done += word["status"] == "done"
        self.done_in_time += word["status"] == "done" and now_ms() <= self.until_ms
        self.other += word["status"] != "done"
        ledger = word["ledger"]
        if ledger.get("first_byte_ms", 0.0) > ledger["sent_ms"] + TTL_MS:
            self.late += 1
        self.last_byte_ms = max(self.last_byte_ms, ledger.get("last_byte_ms", 0.0))


async def bare_rate(exchange: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Exchanges per second that the device does when nothing but one exchange after the other is asked of it."""
    end_s = time.perf_counter() + seconds
    begun_s, count = time.perf_counter(), 0
    while time.perf_counter() < end_s:
        await exchange()
        count += 1
    return count / (time.perf_counter() - begun_s)


async def flood(rig: Rig, benches: int, per_s: float, seconds: float, *, stops: bool) -> list[Tally]:
    """Offer ``per_s`` commands to each bench; with ``stops`` stop each now and then and clear it again."""
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for number in range(benches):
            name = f"bench-{number:02d}"
            client = await stack.enter_async_context(
                joined(rig.url, name, rig.token("load", name), f"load-{number:02d}")
            )
            await client.acquire()
            clients.append(client)
        tallies = [Tally() for _ in clients]
        async with asyncio.TaskGroup() as group:
            for number, (client, tally) in enumerate(zip(clients, tallies, strict=True)):
                client.answered = tally.take
                # Independent people are not in step with each other.
                group.create_task(_offer(client, tally, per_s, seconds, number / benches / per_s))
                if stops:
                    group.create_task(_stop_now_and_then(client, tally, seconds, number))
        await asyncio.sleep(TTL_MS / 1_000 + 0.5)
        return tallies


async def _offer(client: LoadClient, tally: Tally, per_s: float, seconds: float, phase_s: float) -> None:
    loop = asyncio.get_running_loop()
    start_s = loop.time() + phase_s
    tally.until_ms = now_ms() + seconds * 1_000
    for number in range(int(per_s * seconds)):
        if (wait_s := start_s + number / per_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        begun_ms = now_ms()
        tally.sent_ms[client.offer("probe", ACTION, {}, TTL_MS)] = begun_ms
        tally.offered += 1


async def _stop_now_and_then(client: LoadClient, tally: Tally, seconds: float, seed: int) -> None:
    chance = random.Random(seed)
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        await asyncio.sleep(chance.uniform(0.5, 1.5) / STOPS_PER_BENCH_S)
        ledger = (await client.stop())["ledger"]
        if "first_byte_ms" in ledger:
            # The exchange that was on the wire may end first; its end is in the ledger of its own answer.
            tally.stops_ms.append(ledger["first_byte_ms"] - max(ledger["sent_ms"], tally.last_byte_ms))
        await client.clear_stop()


def figures(tallies: list[Tally], bare_per_s: float, seconds: float) -> dict[str, float]:
    """The tallies of one flood, added up."""
    refusals = [sample for tally in tallies for sample in tally.refusals_ms]
    stops = [sample for tally in tallies for sample in tally.stops_ms]
    done = sum(tally.done for tally in tallies)
    in_time = sum(tally.done_in_time for tally in tallies)
    return {
        "benches": len(tallies),
        "offered": sum(tally.offered for tally in tallies),
        "done": done,
        "refused": len(refusals),
        "ended_otherwise": sum(tally.other for tally in tallies),
        "unanswered": sum(len(tally.sent_ms) for tally in tallies),
        "late_starts": sum(tally.late for tally in tallies),
        "goodput_ratio": round(in_time / seconds / (bare_per_s * len(tallies)), 3),
        "refusal_p99_ms": round(percentile(refusals, 99), 2),
        "stops": len(stops),
        "stop_p99_ms": round(percentile(stops, 99), 2),
        "stop_max_ms": round(max(stops, default=float("nan")), 2),
    }
