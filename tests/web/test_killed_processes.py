"""Kill -9 with commands in every stage of life: each id ends one way, and nothing runs twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.model import DeviceState
from remotelab.client import RemoteBench, connect
from remotelab.client_errors import CommandCancelledError, CommandEndedError, OutcomeUnknownError
from remotelab.messages import BenchState
from tests.web.processes import Lab, running_lab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

COMMANDS = 12
SERVICE_MS = 60.0


def is_online(bench: RemoteBench) -> bool:
    probe = bench.devices.get("probe")
    return bench.state is not BenchState.OFFLINE and probe is not None and probe.state is DeviceState.ONLINE


async def take_control(bench: RemoteBench) -> None:
    """As soon as the lab PC has connected and found its instrument."""
    await bench.until(is_online)
    await bench.acquire()


async def outcomes(bench: RemoteBench, lab: Lab, killed: str) -> list[object]:
    """Send commands, kill a process when some have ended, start it again, and wait for every outcome."""
    some = asyncio.Event()

    async def one(number: int) -> object:
        try:
            return await bench["probe"].set_value(float(number), ttl_ms=10_000.0)
        finally:
            if number >= 2:
                some.set()

    calls = [asyncio.create_task(one(number)) for number in range(COMMANDS)]
    await some.wait()
    if killed == "gateway":
        await lab.gateway.kill()
        await lab.start_gateway()
    else:
        await lab.agent.kill()
        await lab.start_agent()
    return await asyncio.gather(*calls, return_exceptions=True)


async def writes(bench: RemoteBench) -> int:
    """How often the instrument itself has seen its value being set."""
    await bench.until(is_online)
    return int(await bench["probe"].count_writes(ttl_ms=5_000.0))


async def test_a_killed_gateway_loses_no_outcome_and_runs_nothing_twice(tmp_path: Path) -> None:
    async with running_lab(tmp_path, service_ms=SERVICE_MS) as lab, connect(lab.link, observe=True) as bench:
        await take_control(bench)
        ended = await outcomes(bench, lab, "gateway")
        assert all(end is None or isinstance(end, CommandEndedError) for end in ended), ended
        done = sum(end is None for end in ended)
        assert done >= 3
        assert await writes(bench) == done
        # The lease is what it was, and what comes now is carried out.
        await bench["probe"].set_value(5.0, ttl_ms=5_000.0)
        assert await writes(bench) == done + 1


async def test_a_killed_agent_says_what_it_cannot_know_and_runs_nothing_twice(tmp_path: Path) -> None:
    async with running_lab(tmp_path, service_ms=SERVICE_MS) as lab, connect(lab.link, observe=True) as bench:
        await take_control(bench)
        ended = await outcomes(bench, lab, "agent")
        done = sum(end is None for end in ended)
        unknown = sum(isinstance(end, OutcomeUnknownError) for end in ended)
        cancelled = sum(isinstance(end, CommandCancelledError) for end in ended)
        assert done + unknown + cancelled == COMMANDS, ended
        assert done >= 3
        assert unknown <= 1
        assert done <= await writes(bench) <= done + unknown
        await bench["probe"].set_value(5.0, ttl_ms=5_000.0)
