"""A gateway's end of the line: says words to an agent and waits for what it answers, in memory or over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from devices.agent.agent import Agent, AgentSettings
from devices.agent.bench_file import BenchConfig, load_bench
from devices.agent.clock import boottime_ms
from devices.messages import (
    FROM_AGENT,
    TO_AGENT,
    DeviceChanged,
    Execute,
    ExecutionFinished,
    InventoryPublished,
    ResolveExecutions,
)
from devices.model import CommandMode, DeviceState
from devices.registry import Registry
from devices.sim.bench import SimulatedBench, start_simulation
from signaling.messages import Hello, Ping, Pong, Welcome
from tests.devices.agent.odd import Odd, odd_drivers

T = TypeVar("T")

FAR_MS = 60_000.0
"""A time to live that no test outlives."""

PROBE = """
[bench]
name = "bench"
title = { en = "Bench", zh = "实验台" }

[[port]]
name = "probe-port"
path = "PATH"

[[device]]
name = "probe"
driver = "tongke-probe"
port = "probe-port"
"""

ODD = PROBE.replace("tongke-probe", "odd")


class Desk:
    """What both kinds of desk can do: remember every word, and say the usual ones."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    def say(self, message: object) -> None:
        """Say a word to the agent."""
        raise NotImplementedError

    def now_ms(self) -> float:
        """The gateway's clock."""
        raise NotImplementedError

    def note(self, message: object) -> None:
        """The agent has said something."""
        self.heard.append(message)
        self._news.set()

    def request(self, action: str, device: str = "probe", **fields: Any) -> Execute:
        """A command, not sent yet."""
        return Execute(
            fields.get("id", f"li/{next(self._numbers)}"),
            fields.get("bench", "bench"),
            device,
            action,
            fields.get("args", {}),
            fields.get("deadline_ms", self.now_ms() + fields.get("ttl_ms", FAR_MS)),
            fields.get("mode", CommandMode.ORDERED),
            fields.get("owner", "li"),
            fields.get("fence", 1),
        )

    def execute(self, action: str, device: str = "probe", **fields: Any) -> str:
        """Send a command; its id."""
        request = self.request(action, device, **fields)
        self.say(request)
        return request.id

    async def hear(self, kind: type[T], matches: Callable[[T], bool] = lambda word: True) -> T:
        """The first word of that kind that has been or will be said."""
        while True:
            self._news.clear()
            for word in self.heard:
                if isinstance(word, kind) and matches(word):
                    return word
            await self._news.wait()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at whenever the agent has said something, and now and then."""
        while not is_so():
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 0.01)

    def resolve(self, *commands: str) -> None:
        """Ask what became of commands."""
        self.say(ResolveExecutions(commands))

    async def outcome(self, command: str) -> ExecutionFinished:
        """The outcome of a command."""
        return await self.hear(ExecutionFinished, lambda finished: finished.id == command)

    def outcomes(self, command: str) -> list[ExecutionFinished]:
        """All that was said of a command's end so far."""
        return [word for word in self.heard if isinstance(word, ExecutionFinished) and word.id == command]

    async def result(self, action: str, device: str = "probe", **fields: Any) -> ExecutionFinished:
        """Send a command and wait for its outcome."""
        return await self.outcome(self.execute(action, device, **fields))

    async def device(self, state: DeviceState, device: str = "probe") -> None:
        """Wait until a device is in a state: as the newest inventory or change says it."""
        while self._state(device) is not state:
            self._news.clear()
            await self._news.wait()

    def _state(self, device: str) -> DeviceState | None:
        state: DeviceState | None = None
        for word in self.heard:
            if isinstance(word, InventoryPublished):
                reports = [report for bench in word.benches for report in bench.devices]
            elif isinstance(word, DeviceChanged):
                reports = [word.report]
            else:
                continue
            state = next((report.state for report in reports if report.device == device), state)
        return state


class MemoryDesk(Desk):
    """An :class:`devices.agent.execution.Uplink` whose clock equals the agent's."""

    def __init__(self, agent: Agent) -> None:
        super().__init__()
        self.agent = agent

    @property
    def odd(self) -> Odd:
        """The driver of the bench's only device."""
        driver = self.agent.benches["bench"].workers["probe-port"].devices["probe"].driver
        assert isinstance(driver, Odd)
        return driver

    def send(self, body: bytes, *, first: bool = False) -> None:
        self.note(FROM_AGENT.decode(b"\x92\x00" + body)[1])

    def send_latest(self, key: str, body: bytes) -> None:
        self.send(body)

    def send_bulk(self, bodies: list[bytes]) -> bool:
        for body in bodies:
            self.send(body)
        return True

    def now_ms(self) -> float:
        return self.agent.settings.clock()

    def link(self) -> None:
        """Be linked from now on."""
        now_ms = self.now_ms()
        self.agent.time.follower.reset()
        self.agent.time.follower.observe(sent_ms=now_ms, received_ms=now_ms, replied_ms=now_ms, back_ms=now_ms)
        self.agent.linked(self)

    def unlink(self) -> None:
        """Hang up."""
        self.agent.unlinked()

    def say(self, message: object) -> None:
        # Over the wire and back, as a link would do it.
        self.agent.receive(TO_AGENT.decode(TO_AGENT.encode(message))[1], self.now_ms())


class SocketDesk(Desk):
    """A scripted gateway on a WebSocket: welcomes, answers pings, and notes the rest. One agent at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.hellos: list[Hello] = []
        self.clock_ahead_ms = 1_000_000_000.0
        self.answers_pings = True
        self.welcomes = True
        self.silence_ms = 15_000.0
        self._socket: ServerConnection | None = None

    def now_ms(self) -> float:
        return boottime_ms() + self.clock_ahead_ms

    def say(self, message: object) -> None:
        self.say_bytes(TO_AGENT.encode(message))

    def say_bytes(self, frame: bytes) -> None:
        """Say anything at all."""
        assert self._socket is not None
        self._socket.protocol.send_binary(frame)
        self._socket.send_data()

    def hang_up(self) -> None:
        """Break the connection without a word."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def linked(self, times: int = 1) -> None:
        """Wait until the agent has introduced itself so often and published its benches since."""
        while len(self.hellos) < times or not any(isinstance(word, InventoryPublished) for word in self.heard):
            self._news.clear()
            await self._news.wait()

    async def handle(self, socket: ServerConnection) -> None:
        """One connection of an agent."""
        with contextlib.suppress(ConnectionClosed):
            async for data in socket:
                assert isinstance(data, bytes)
                received_ms = self.now_ms()
                match FROM_AGENT.decode(data)[1]:
                    case Hello() as hello:
                        self._socket = socket
                        self.heard.clear()
                        self.hellos.append(hello)
                        if self.welcomes:
                            welcome = Welcome(1, (), "s", "", False, "a", received_ms, self.silence_ms, 1 << 20)
                            self.say(welcome)
                        self._news.set()
                    case Ping(sent_ms=sent_ms):
                        if self.answers_pings:
                            self.say(Pong(sent_ms, received_ms, self.now_ms()))
                    case word:
                        self.note(word)


@contextlib.asynccontextmanager
async def socket_desk() -> AsyncIterator[SocketDesk]:
    """A scripted gateway on a free port of this machine."""
    desk = SocketDesk()
    async with serve(desk.handle, "127.0.0.1", 0, compression=None, max_size=4 << 20) as server:
        port = server.sockets[0].getsockname()[1]
        desk.url = f"ws://127.0.0.1:{port}/agent/socket"
        yield desk


def bench_config(
    directory: Path, text: str, ports: dict[str, str] | None = None, registry: Registry | None = None
) -> BenchConfig:
    """What a bench file with this text says."""
    path = directory / "bench.toml"
    path.write_text(text, "utf-8")
    return load_bench(path, registry or odd_drivers(), ports)


def agent_settings(directory: Path, **changes: Any) -> AgentSettings:
    """An agent whose journal is in ``directory``."""
    return replace(AgentSettings("lab-pc", directory / "agent", odd_drivers()), **changes)


@contextlib.asynccontextmanager
async def desk_with(directory: Path, *configs: BenchConfig, **changes: Any) -> AsyncIterator[MemoryDesk]:
    """An agent with these benches and a desk that is linked to it."""
    async with Agent(agent_settings(directory, **changes)) as agent:
        await agent.configure(configs)
        desk = MemoryDesk(agent)
        desk.link()
        yield desk


@contextlib.asynccontextmanager
async def probe_bench(
    directory: Path, text: str = PROBE, **changes: Any
) -> AsyncIterator[tuple[MemoryDesk, SimulatedBench]]:
    """A desk, an agent and one simulated probe that is online."""
    async with start_simulation("probe", directory / "sim") as simulation:
        config = bench_config(directory, text, simulation.ports)
        async with desk_with(directory, config, **changes) as desk:
            await desk.device(DeviceState.ONLINE)
            yield desk, simulation
