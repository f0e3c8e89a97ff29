"""A gateway's end of the line, in memory: says words to an agent and waits for what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from devices.agent.agent import Agent, AgentSettings
from devices.agent.bench_file import BenchConfig, load_bench
from devices.messages import FROM_AGENT, DeviceChanged, Execute, ExecutionFinished, InventoryPublished
from devices.model import CommandMode, DeviceState
from devices.registry import Registry, installed_drivers
from signaling.errors import TongkeError

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


class Desk:
    """An :class:`devices.agent.execution.Uplink` that remembers every word, and speaks for the gateway."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.agent: Agent | None = None
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    # The Uplink.

    def send(self, body: bytes, *, first: bool = False) -> None:
        self._hear(body)

    def send_latest(self, key: str, body: bytes) -> None:
        self._hear(body)

    def send_bulk(self, bodies: list[bytes]) -> bool:
        for body in bodies:
            self._hear(body)
        return True

    def _hear(self, body: bytes) -> None:
        self.heard.append(FROM_AGENT.decode(b"\x92\x00" + body)[1])
        self._news.set()

    # The gateway.

    def link(self, agent: Agent) -> None:
        """Be linked, with a server clock that equals the agent's."""
        self.agent = agent
        now_ms = agent.settings.clock()
        agent.time.follower.reset()
        agent.time.follower.observe(sent_ms=now_ms, received_ms=now_ms, replied_ms=now_ms, back_ms=now_ms)
        agent.linked(self)

    def unlink(self) -> None:
        """Hang up."""
        assert self.agent is not None
        self.agent.unlinked()

    def say(self, message: object) -> None:
        """Say a word to the agent."""
        assert self.agent is not None
        self.agent.receive(message, self.agent.settings.clock())

    def execute(self, action: str, device: str = "probe", **fields: Any) -> str:
        """Send a command; its id."""
        assert self.agent is not None
        request = Execute(
            fields.pop("id", f"li/{next(self._numbers)}"),
            fields.pop("bench", "bench"),
            device,
            action,
            fields.pop("args", {}),
            fields.pop("deadline_ms", self.agent.settings.clock() + fields.pop("ttl_ms", FAR_MS)),
            fields.pop("mode", CommandMode.ORDERED),
            fields.pop("owner", "li"),
            fields.pop("fence", 1),
        )
        assert not fields
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

    async def outcome(self, command: str) -> ExecutionFinished:
        """The outcome of a command."""
        return await self.hear(ExecutionFinished, lambda finished: finished.id == command)

    def outcomes(self, command: str) -> list[ExecutionFinished]:
        """All that was said of a command's end so far."""
        return [word for word in self.heard if isinstance(word, ExecutionFinished) and word.id == command]

    async def device(self, state: DeviceState, device: str = "probe") -> None:
        """Wait until a device is in a state: as the inventory says it, or a later change."""
        while True:
            self._news.clear()
            known: DeviceState | None = None
            for word in self.heard:
                if isinstance(word, InventoryPublished):
                    reports = [report for bench in word.benches for report in bench.devices]
                elif isinstance(word, DeviceChanged):
                    reports = [word.report]
                else:
                    continue
                known = next((report.state for report in reports if report.device == device), known)
            if known is state:
                return
            await self._news.wait()

    async def result(self, action: str, device: str = "probe", **fields: Any) -> ExecutionFinished:
        """Send a command and wait for its outcome."""
        return await self.outcome(self.execute(action, device, **fields))


def bench_config(
    directory: Path, text: str, ports: dict[str, str] | None = None, registry: Registry | None = None
) -> BenchConfig:
    """What a bench file with this text says."""
    path = directory / "bench.toml"
    path.write_text(text, "utf-8")
    return load_bench(path, registry or installed_drivers(), ports)


@contextlib.asynccontextmanager
async def running_agent(directory: Path, *configs: BenchConfig, **changes: Any) -> AsyncIterator[Agent]:
    """An agent with these benches, its journal in ``directory``; linked to nobody."""
    registry = changes.pop("registry", None) or installed_drivers()
    settings = replace(AgentSettings("lab-pc", directory / "agent", registry), **changes)
    async with Agent(settings) as agent:
        await agent.configure(configs)
        yield agent


__all__ = ["FAR_MS", "PROBE", "Desk", "TongkeError", "bench_config", "running_agent"]
