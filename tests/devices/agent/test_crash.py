"""Agents that are killed with commands in every stage of life: nothing runs twice, and each outcome is one and true."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.agent.clock import boot_id
from devices.journal import JournalSettings
from devices.journal_file import JournalFile
from devices.messages import BenchStopped, RaiseFence, ResolveExecutions, StopBench
from devices.model import CommandStatus, DeviceState
from devices.sim.bench import SimulatedBench, start_simulation
from devices.sim.faults import Fault
from devices.sim.firmware.probe import ProbeFirmware
from signaling.errors import Code
from tests.devices.agent.desk import PROBE, SocketDesk, bench_config, desk_with, socket_desk

DONE, UNKNOWN, CANCELLED = CommandStatus.DONE, CommandStatus.UNKNOWN, CommandStatus.CANCELLED
ROOT = Path(__file__).parents[3]


class AgentProcess:
    """``tongke agent`` in a process of its own, with a bench of one probe."""

    def __init__(self, directory: Path, desk: SocketDesk, simulation: SimulatedBench) -> None:
        self._directory = directory
        self._desk = desk
        self._simulation = simulation
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until its probe is online."""
        links = len(self._desk.hellos)
        bench = self._directory / "bench.toml"
        bench.write_text(PROBE, "utf-8")
        arguments = ["--bench", str(bench), "--gateway", self._desk.url, "--token", "t", "--quiet"]
        arguments += ["--data", str(self._directory / "agent"), "--port", f"probe-port={self._simulation['probe']}"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "web.cli", "agent", *arguments, cwd=ROOT
        )
        await self._desk.linked(links + 1)
        await self._desk.device(DeviceState.ONLINE)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and wait for its end."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await self._process.wait()


@contextlib.asynccontextmanager
async def crash_site(directory: Path) -> AsyncIterator[tuple[SocketDesk, AgentProcess, SimulatedBench]]:
    """A gateway, an agent process whose journal is old enough to vouch, and its instrument."""
    JournalFile.open(directory / "agent", boot_id(), JournalSettings(new_doubt_ms=0.0)).close()
    async with socket_desk() as desk, start_simulation("probe", directory / "sim") as simulation:
        agent = AgentProcess(directory, desk, simulation)
        try:
            await agent.start()
            yield desk, agent, simulation
        finally:
            await agent.end()


def writes(simulation: SimulatedBench) -> int:
    """How often the instrument was set."""
    firmware = simulation.instruments["probe"].firmware
    assert isinstance(firmware, ProbeFirmware)
    return firmware.writes


def killed(file: JournalFile) -> None:
    """What ``kill -9`` leaves of a journal."""
    os.close(file._fd)
    os.close(file._lock)


async def requested(desk: SocketDesk, simulation: SimulatedBench, requests: int) -> None:
    """Wait until the instrument has seen more requests than that."""
    await desk.until(lambda: simulation.instruments["probe"].requests > requests)


async def resolved(desk: SocketDesk, *commands: str) -> list[tuple[CommandStatus, Code | None]]:
    """What the agent says became of commands."""
    desk.say(ResolveExecutions(commands))
    outcomes = [await desk.outcome(command) for command in commands]
    return [(outcome.status, outcome.code) for outcome in outcomes]


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SILENCE])
async def test_a_killed_agent_tells_the_truth_about_every_command(tmp_path: Path, fault: Fault) -> None:
    async with crash_site(tmp_path) as (desk, agent, simulation):
        done = desk.request("set_value", args={"value": 1.0})
        desk.say(done)
        await desk.outcome(done.id)
        simulation.fail(fault, times=1)
        seen = simulation.instruments["probe"].requests
        running = desk.request("set_value", args={"value": 2.0})
        waiting = desk.request("set_value", args={"value": 3.0})
        unsent = desk.request("set_value", args={"value": 4.0})
        desk.say(running)
        desk.say(waiting)
        await requested(desk, simulation, seen)
        await agent.end()
        carried_out = writes(simulation)
        assert carried_out == (2 if fault is Fault.SLOW else 1)
        await agent.start()
        commands = (done, running, waiting, unsent)
        expected = [
            (DONE, None),
            (UNKNOWN, Code.OUTCOME_LOST),
            (CANCELLED, Code.NEVER_STARTED),
            (CANCELLED, Code.NEVER_STARTED),
        ]
        assert await resolved(desk, *(command.id for command in commands)) == expected
        desk.heard.clear()
        for command in commands:
            desk.say(command)
        assert [(o.status, o.code) for o in [await desk.outcome(command.id) for command in commands]] == expected
        assert (await desk.result("measure")).status is DONE
        assert writes(simulation) == carried_out


async def test_killed_again_and_again_every_command_keeps_one_outcome(tmp_path: Path) -> None:
    async with crash_site(tmp_path) as (desk, agent, simulation):
        known: dict[str, CommandStatus] = {}
        everything: list[str] = []
        for heard_before_kill in (0, 3):
            commands = [desk.execute("set_value", args={"value": float(n)}) for n in range(8)]
            everything += commands
            await desk.until(lambda c=commands, n=heard_before_kill: sum(map(bool, map(desk.outcomes, c))) >= n)  # type: ignore[misc]  # bound at once
            await agent.end()
            for command in commands:
                for outcome in desk.outcomes(command):
                    known[command] = outcome.status
            await agent.start()
            statuses = dict(zip(everything, [s for s, _ in await resolved(desk, *everything)], strict=True))
            assert {command: statuses[command] for command in known} == known
            known = statuses
        counted = list(known.values())
        assert counted.count(DONE) <= writes(simulation) <= counted.count(DONE) + counted.count(UNKNOWN)
        assert set(counted) <= {DONE, UNKNOWN, CANCELLED}


async def test_fences_and_stops_outlive_a_kill(tmp_path: Path) -> None:
    async with crash_site(tmp_path) as (desk, agent, simulation):
        desk.say(RaiseFence("bench", 9))
        desk.say(StopBench("s", "bench"))
        await desk.hear(BenchStopped)
        await agent.end()
        await agent.start()
        assert (await desk.result("set_value", args={"value": 1.0}, fence=8)).code is Code.STALE_FENCE
        assert (await desk.result("set_value", args={"value": 1.0}, fence=9)).code is Code.BENCH_STOPPED
        assert writes(simulation) in (1, 2)  # the stop's own, which the next life makes sure of


async def test_an_agent_that_is_asked_to_end_leaves_its_bench_safe(tmp_path: Path) -> None:
    async with crash_site(tmp_path) as (desk, agent, simulation):
        await desk.result("set_value", args={"value": 5.0})
        assert await agent.end(signal.SIGTERM) == 0
        assert writes(simulation) == 2
        await agent.start()
        assert (await desk.result("measure")).value == 0.0


async def test_after_a_crash_of_the_machine_nothing_is_run_that_may_have_run_before(tmp_path: Path) -> None:
    killed(JournalFile.open(tmp_path / "agent", "boot-1", JournalSettings(new_doubt_ms=0.0)))
    async with start_simulation("probe", tmp_path / "sim") as simulation:
        config = bench_config(tmp_path, PROBE, simulation.ports)
        async with desk_with(tmp_path, config, boot="boot-2") as desk:
            await desk.device(DeviceState.ONLINE)
            perhaps = await desk.result("set_value", args={"value": 1.0}, ttl_ms=5_000.0)
            assert (perhaps.status, perhaps.code) == (UNKNOWN, Code.OUTCOME_LOST)
            assert writes(simulation) == 0
            assert (await desk.result("measure", ttl_ms=5_000.0)).status is DONE
            # No command may live for longer than 10 s, so this one was surely sent after the start.
            assert (await desk.result("set_value", args={"value": 1.0}, ttl_ms=30_000.0)).status is DONE
