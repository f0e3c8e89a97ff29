"""``tongke demo`` as a process: everything there, everything restarted, everything gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.model import DeviceState
from remotelab.client import RemoteBench, connect
from remotelab.messages import BenchState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


class Demo:
    """A running demo."""

    def __init__(self, process: asyncio.subprocess.Process, shown: str, url: str) -> None:
        self.process = process
        self.shown = shown
        self.url = url

    def child(self, word: str) -> int:
        """The process of one part."""
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if word.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise LookupError(word)

    def link(self, bench: str, role: str) -> str:
        """A link as the start page makes it."""
        body = json.dumps({"bench": bench, "role": role, "name": "Test"}).encode()
        request = urllib.request.Request(  # noqa: S310  # our own server
            f"{self.url}/demo/join", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # our own server
            given = json.load(answer)
        return f"{self.url}{given['path']}#token={given['token']}"


@contextlib.asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[Demo]:
    command = [sys.executable, "-m", "web.cli", "demo", "--port", "0", "--data", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        shown = ""
        while not (line := (await process.stdout.readline()).decode()).startswith("READY "):
            assert line, shown
            shown += line
        yield Demo(process, shown, line.split()[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.wait()


def is_usable(bench: RemoteBench) -> bool:
    states = {report.state for report in bench.devices.values()}
    return bench.state in (BenchState.ONLINE, BenchState.IN_USE) and states == {DeviceState.ONLINE}


async def test_one_command_brings_four_benches_that_can_be_driven_and_takes_them_away_again(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo:
        assert f"{demo.url}/demo/lamp/student" in demo.shown
        children = [demo.child(word) for word in ("serve", "agent", "demo_instruments")]
        async with connect(demo.link("lamp", "student")) as bench:
            await bench["psu"].set_voltage(3.3)
            await bench["psu"].set_output(True)
            await bench.until(lambda bench: abs((bench["psu"].voltage or 0.0) - 3.3) < 0.1)
            assert await bench.stop()
        for name in ("resonance", "motor", "plate"):
            async with connect(demo.link(name, "observer"), observe=True) as bench:
                await bench.until(is_usable)
    assert demo.process.returncode == 0
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("part", ["agent", "serve", "demo_instruments"])
async def test_a_part_that_dies_is_started_again(tmp_path: Path, part: str) -> None:
    async with running_demo(tmp_path) as demo, connect(demo.link("lamp", "student"), observe=True) as bench:
        await bench.until(is_usable)
        os.kill(demo.child(part), signal.SIGKILL)
        if part == "serve":
            await bench.until(lambda bench: not bench.is_connected)
        else:
            await bench.until(lambda bench: not is_usable(bench))
        await bench.until(lambda bench: bench.is_connected and is_usable(bench))
        await bench.acquire()
        # No interlock blocks this one while the meter has not been read again.
        await bench["psu"].set_current_limit(0.5)
