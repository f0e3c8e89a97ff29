"""A simulation in a process of its own, started and ended by this one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path


class SimulatorProcess:
    """A running simulation: ``ports`` maps device to path, ``1/device`` to path when there are several copies."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, str]) -> None:
        self.process = process
        self.ports = ports

    async def tell(self, line: str) -> None:
        """Give a command of ``python -m devices.sim --control`` and wait until it holds. Raises ValueError."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the simulator was started without pipes")
        self.process.stdin.write(line.encode() + b"\n")
        answer = (await self.process.stdout.readline()).decode().strip()
        if answer != "ok":
            raise ValueError(answer or "the simulator has ended")


@contextlib.asynccontextmanager
async def simulator_process(
    kind: str, directory: Path | str, *, baud: int | None = None, service_ms: float = 0.0, copies: int = 1
) -> AsyncIterator[SimulatorProcess]:
    """Start ``python -m devices.sim``, wait for its ports, end it in the end. Raises RuntimeError when it fails."""
    command = ["-m", "devices.sim", "--control", "--kind", kind, "--link", str(directory), "--copies", str(copies)]
    command += ["--service-ms", str(service_ms), *(["--baud", str(baud)] if baud else [])]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes to the simulator")
    try:
        ready = await process.stdout.readline()
        if not ready:
            raise RuntimeError(f"the simulator of {kind} did not start")
        yield SimulatorProcess(process, json.loads(ready)["ports"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.stdin.close()  # its standard input's end is its own
        await process.wait()
