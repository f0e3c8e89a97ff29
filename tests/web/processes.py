"""The server, a lab PC and an instrument as real processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from devices.journal import JournalSettings
from devices.journal_file import JournalFile
from devices.sim.process import simulator_process
from signaling.tokens import Audience, Grant, Right, sign
from web.app import KEY_FILE
from web.keys import load_keys

BENCH = "probe"

SETTINGS = """\
grace_s = 600
seat_s = 600
"""

BENCH_FILE = """\
[bench]
name = "probe"
title = { en = "Probe", zh = "探针" }
link_loss_s = 600

[[port]]
name = "probe-port"
path = "%s"

[[device]]
name = "probe"
driver = "tongke-probe"
port = "probe-port"
"""


class Killable:
    """A process of ours that is started, killed outright, and started again."""

    def __init__(self, name: str, *arguments: str, log: Path) -> None:
        self._name = name
        self._arguments = list(arguments)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *more: str, ready: bool = True) -> str:
        """Start it, and return what stood behind ``READY``."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "web.cli", *self._arguments, *more, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        if not ready:
            return ""
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().split()
        assert line[:1] == ["READY"], self._log.read_text()
        return line[1]

    async def kill(self) -> None:
        """No farewell: SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Lab:
    """One instrument, its lab PC and the server."""

    def __init__(self, folder: Path, port_path: str) -> None:
        self._data = folder / "server"
        settings, bench = folder / "tongke.toml", folder / "probe.toml"
        settings.write_text(SETTINGS)
        bench.write_text(BENCH_FILE % port_path)
        # A journal that has been there for long: a new one could not vouch for commands of the first minutes.
        JournalFile.open(folder / "agent", "an earlier life", JournalSettings(new_doubt_ms=0.0)).close()
        self.url = ""
        self.gateway = Killable(
            "gateway", "serve", "--settings", str(settings), "--data", str(self._data), log=folder / "gateway.log"
        )
        self.agent = Killable(
            "agent", "agent", "--bench", str(bench), "--data", str(folder / "agent"), log=folder / "agent.log"
        )

    async def start_gateway(self) -> None:
        """Start the server, from the second time on where it was before."""
        port = self.url.rpartition(":")[2] or "0"
        self.url = await self.gateway.start("--port", port)

    async def start_agent(self) -> None:
        """Start the lab PC's agent."""
        await self.agent.start("--gateway", self.url, "--token", self._token(Audience.AGENT), ready=False)

    @property
    def link(self) -> str:
        """A link for a student."""
        return f"{self.url}/lab/{BENCH}#token={self._token(Audience.BENCH)}"

    def _token(self, audience: Audience) -> str:
        rights = frozenset({Right.OBSERVE, Right.CONTROL, Right.STOP, Right.SUPERVISE})
        grant = Grant(audience, f"{audience}-1", "Test", (BENCH,), rights, time.time() + 3_600)
        return sign(grant, load_keys(self._data / KEY_FILE), now_s=time.time())


@contextlib.asynccontextmanager
async def running_lab(folder: Path, *, service_ms: float) -> AsyncIterator[Lab]:
    """Everything running; the instrument thinks for ``service_ms`` about each request."""
    async with simulator_process("probe", folder / "ports", service_ms=service_ms) as simulator:
        lab = Lab(folder, simulator.ports["probe"])
        try:
            await lab.start_gateway()
            await lab.start_agent()
            yield lab
        finally:
            await lab.agent.kill()
            await lab.gateway.kill()
