from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from devices.messages import Execute, InventoryPublished, RaiseFence
from remotelab.messages import BenchChanged, BenchSnapshot, BenchState, Command, CommandFinished
from signaling.errors import Code
from signaling.messages import Hello, Ping, Pong, ValueChunk, Welcome
from tests.remotelab.lab import BENCH, done, report
from tests.web.lab import Server, Socket


async def agent(server: Server, token: str | None = None) -> Socket:
    socket = await server.open("/agent/socket")
    await socket.send(Hello((1,), server.agent_token(BENCH) if token is None else token, "agent"))
    return socket


async def test_an_agent_brings_its_bench_and_carries_out_commands(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        lab = await agent(server)
        assert (await lab.next(Welcome)).participant == "lab-pc"
        await lab.send(Ping(3.0))
        now_ms = (await lab.next(Pong)).replied_ms
        await lab.send(InventoryPublished("lab-pc", "boot-1", (report(),)))
        await lab.next(RaiseFence)
        student = await server.join(server.token(bench=BENCH), bench=BENCH)
        assert (await student.next(BenchSnapshot)).state is BenchState.ONLINE
        fence = await student.take_control()
        await student.send(Command("command-1", fence, "psu", "set_voltage", {"voltage": 3.3}, now_ms + 50.0, 5_000.0))
        execute = await lab.next(Execute)
        assert (execute.id, execute.fence) == ("student/command-1", fence)
        await lab.send(done(execute.id, chunks="value-1"))
        await lab.send(ValueChunk("value-1", 0, 1, b"\x01"))
        assert (await student.next(CommandFinished)).chunks == "value-1"
        assert (await student.next(ValueChunk)).data == b"\x01"
        await lab.ws.close()
        assert (await student.next(BenchChanged)).state is BenchState.OFFLINE


@pytest.mark.parametrize(("kind", "code"), [("student", Code.TOKEN_INVALID), ("nothing", Code.FORBIDDEN)])
async def test_a_token_that_is_not_an_agents_opens_nothing(tmp_path: Path, kind: str, code: Code) -> None:
    async with Server(tmp_path) as server:
        lab = await agent(server, server.token() if kind == "student" else server.agent_token())
        assert (await lab.farewell())[0].code is code


async def test_a_bench_that_the_token_does_not_name_is_not_taken(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        lab = await agent(server, server.agent_token("other"))
        await lab.send(InventoryPublished("lab-pc", "boot-1", (report(),)))
        assert (await lab.farewell())[0].code is Code.FORBIDDEN


@pytest.mark.parametrize("data", [b"\xc1", b"\x92\x00\x81\xa4type\xa7Execute", b"x" * 1_100_000])
async def test_a_frame_that_cannot_be_read_closes_the_link(tmp_path: Path, data: bytes) -> None:
    async with Server(tmp_path) as server:
        lab = await agent(server)
        await lab.next(Welcome)
        await lab.ws.send_bytes(data)
        assert (await lab.farewell())[0].code in (Code.MALFORMED, Code.UNKNOWN_TYPE, Code.TOO_LARGE)


async def test_an_agent_that_connects_twice_replaces_itself(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        first = await agent(server)
        await first.next(Welcome)
        second = await agent(server)
        await second.next(Welcome)
        assert (await first.farewell())[0].code is Code.REPLACED


async def test_pages_are_no_agents(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await server.open("/agent/socket", Origin="https://evil.example")


async def test_who_leaves_before_saying_hello_is_no_event(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        await (await server.open("/agent/socket")).ws.close()


async def test_a_mistake_of_ours_is_not_told_in_detail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server(tmp_path) as server:

        def explode(*_: object) -> None:
            raise ZeroDivisionError("the secret inside")

        monkeypatch.setattr("remotelab.agents.Agents.said", explode)
        lab = await agent(server)
        await lab.next(Welcome)
        await lab.send(Ping(1.0))
        assert (await lab.farewell())[0].code is Code.INTERNAL
