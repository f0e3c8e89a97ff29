"""The link to the gateway, over a real WebSocket to a scripted gateway."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.agent.agent import Agent
from devices.agent.link import GatewayLink, LinkSettings
from devices.messages import BenchStopped, InventoryPublished, StopBench
from devices.model import CommandStatus, DeviceState
from devices.sim.bench import SimulatedBench, start_simulation
from signaling.backoff import BackoffSettings
from signaling.errors import Code
from signaling.messages import ConnectionClosing, ValueChunk
from signaling.wire import frame
from tests.devices.agent.desk import ODD, SocketDesk, agent_settings, bench_config, socket_desk
from tests.devices.agent.odd import Odd

TOKEN = "a-secret-token"
QUICK = BackoffSettings(first_ms=1.0, most_ms=20.0)


@contextlib.asynccontextmanager
async def linked(
    directory: Path, desk: SocketDesk, text: str = ODD, **changes: Any
) -> AsyncIterator[tuple[Agent, SimulatedBench]]:
    """An agent with one probe that dials a scripted gateway."""
    settings = replace(LinkSettings(desk.url, TOKEN, backoff=QUICK), **changes)
    async with start_simulation("probe", directory / "sim") as simulation:
        config = bench_config(directory, text, simulation.ports)
        async with Agent(agent_settings(directory)) as agent:
            await agent.configure([config])
            task = asyncio.create_task(GatewayLink(settings, agent, lambda: 0.5).run())
            try:
                await desk.linked()
                await desk.device(DeviceState.ONLINE)
                yield agent, simulation
            finally:
                task.cancel()
                await asyncio.wait([task])


def odd(agent: Agent) -> Odd:
    driver = agent.benches["bench"].workers["probe-port"].devices["probe"].driver
    assert isinstance(driver, Odd)
    return driver


async def test_the_agent_introduces_itself_and_serves(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk):
        assert (desk.hellos[0].token, desk.hellos[0].versions) == (TOKEN, (1,))
        finished = await desk.result("set_value", args={"value": 2.0})
        assert finished.status is CommandStatus.DONE
        assert finished.agent_received_ms is not None
        assert finished.last_byte_ms is not None
        assert finished.agent_received_ms < finished.last_byte_ms <= desk.now_ms() + 1_000.0
        assert (await desk.result("measure")).value == 2.0


async def test_nothing_is_published_before_the_clock_is_known(tmp_path: Path) -> None:
    async with socket_desk() as desk:
        desk.answers_pings = False
        async with start_simulation("probe", tmp_path / "sim") as simulation:
            config = bench_config(tmp_path, ODD, simulation.ports)
            async with Agent(agent_settings(tmp_path)) as agent:
                await agent.configure([config])
                settings = LinkSettings(desk.url, TOKEN, ping_every_s=0.01, silence_s=0.1, backoff=QUICK)
                task = asyncio.create_task(GatewayLink(settings, agent, lambda: 0.5).run())
                await desk.until(lambda: len(desk.hellos) >= 2)  # silence was noticed, and dialled again
                assert desk.heard == []
                desk.answers_pings = True
                await desk.linked(2)
                task.cancel()
                await asyncio.wait([task])


async def test_a_broken_link_is_dialled_again_and_nothing_that_waited_runs(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk) as (agent, _):
        held = desk.execute("hold")
        await odd(agent).entered.wait()
        waiting = desk.request("set_value", args={"value": 5.0})
        desk.say(waiting)
        queue = agent.benches["bench"].workers["probe-port"].agenda.queue
        await desk.until(lambda: waiting.id in queue)
        desk.hang_up()
        await desk.linked(2)
        assert waiting.id not in queue
        odd(agent).release.set()
        assert (await desk.outcome(held)).status is CommandStatus.DONE
        desk.say(waiting)
        lost = await desk.outcome(waiting.id)
        assert (lost.status, lost.code, lost.repeated) == (CommandStatus.CANCELLED, Code.LINK_LOST, True)
        assert (await desk.result("count_writes")).value == 1


async def test_words_of_a_newer_gateway_are_ignored(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk):
        desk.say_bytes(frame(b"\x81\xa4type\xa6Future"))
        assert (await desk.result("measure")).status is CommandStatus.DONE
        assert len(desk.hellos) == 1


@pytest.mark.parametrize("noise", [b"", b"\xc1", frame(b"\x82\xa4type\xa9StopBench\xa2id\x07"), b"\x93\x00\x80\x00"])
async def test_noise_ends_the_connection_and_not_the_agent(
    tmp_path: Path, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk):
        desk.say_bytes(noise)
        await desk.linked(2)
        assert (await desk.result("measure")).status is CommandStatus.DONE
        assert [record for record in caplog.records if record.levelno == logging.ERROR]


async def test_a_gateway_that_falls_silent_is_left(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk, ping_every_s=0.02, silence_s=0.4):
        desk.answers_pings = False
        await desk.until(lambda: len(desk.hellos) >= 2)
        desk.answers_pings = True
        await desk.linked(2)


async def test_the_gateways_reason_and_its_wish_to_be_left_alone_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk):
        caplog.set_level(logging.INFO)
        desk.say(ConnectionClosing(Code.GOING_AWAY, "Back in a moment.", 30.0))
        await desk.linked(2)
        assert "Back in a moment." in caplog.text
        assert "Next try in 0.0 s" in caplog.text


async def test_the_token_is_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with socket_desk() as desk, linked(tmp_path, desk):
        desk.hang_up()
        await desk.linked(2)
        assert (await desk.result("measure")).status is CommandStatus.DONE
    assert TOKEN not in "".join(record.getMessage() for record in caplog.records if "server" not in record.name)
    assert TOKEN not in repr(LinkSettings("ws://x", TOKEN))


async def test_nobody_listening_is_no_reason_to_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with socket_desk() as desk:
        url = desk.url
    async with Agent(agent_settings(tmp_path)) as agent:
        settings = LinkSettings(url, TOKEN, backoff=QUICK)
        task = asyncio.create_task(GatewayLink(settings, agent, lambda: 0.5).run())
        while caplog.text.count("cannot be reached") < 3:  # noqa: ASYNC110  # the log is what is looked at
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])


async def test_a_server_that_is_no_gateway_is_not_spoken_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server, Agent(agent_settings(tmp_path)) as agent:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/agent/socket"
        task = asyncio.create_task(GatewayLink(LinkSettings(url, TOKEN, backoff=QUICK), agent, lambda: 0.5).run())
        while "403" not in caplog.text:  # noqa: ASYNC110  # the log is what is looked at
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])


async def test_a_gateway_that_never_welcomes_is_left(tmp_path: Path) -> None:
    async with socket_desk() as desk, Agent(agent_settings(tmp_path)) as agent:
        desk.welcomes = False
        settings = LinkSettings(desk.url, TOKEN, open_within_s=0.05, backoff=QUICK)
        task = asyncio.create_task(GatewayLink(settings, agent, lambda: 0.5).run())
        await desk.until(lambda: len(desk.hellos) >= 2)
        task.cancel()
        await asyncio.wait([task])


async def test_a_large_value_does_not_stand_before_a_stop(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk):
        traces = [desk.execute("trace") for _ in range(8)]
        desk.say(StopBench("s", "bench"))
        assert (await desk.hear(BenchStopped)).verified
        done = [command for command in traces if (await desk.outcome(command)).chunks]
        for command in done:
            await desk.until(lambda id=command: complete(desk, id))  # type: ignore[misc]  # bound at once


def complete(desk: SocketDesk, value: str) -> bool:
    pieces = [word for word in desk.heard if isinstance(word, ValueChunk) and word.value == value]
    return bool(pieces) and len(pieces) == pieces[0].count


async def test_a_clock_that_jumps_makes_no_late_command_run(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk, ping_every_s=0.01) as (agent, _):
        follower = agent.time.follower
        before_ms = desk.clock_ahead_ms
        desk.clock_ahead_ms += 3_600_000.0
        await desk.until(lambda: follower.jumps > 0)
        stale = await desk.result("set_value", args={"value": 1.0}, deadline_ms=desk.now_ms() - 3_500_000.0)
        assert stale.status is CommandStatus.EXPIRED
        assert (await desk.result("measure")).status is CommandStatus.DONE
        desk.clock_ahead_ms = before_ms
        await desk.until(lambda: follower.jumps > 1)
        assert (await desk.result("measure")).status is CommandStatus.DONE


async def test_the_inventory_is_the_first_word(tmp_path: Path) -> None:
    async with socket_desk() as desk, linked(tmp_path, desk) as (agent, _):
        assert isinstance(desk.heard[0], InventoryPublished)
        assert desk.heard[0].agent == "lab-pc"
        assert desk.heard[0].boot == agent.settings.boot
