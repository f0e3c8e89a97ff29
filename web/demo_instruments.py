"""``python -m web.demo_instruments FOLDER``: the demo's four simulated benches on ptys, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tomllib
from pathlib import Path
from typing import Any

import devices
from devices.sim.bench import start_simulation
from devices.sim.loops import loop_factory

KINDS = ("lamp", "resonance", "motor", "plate")


def bench_file(kind: str) -> Path:
    """The bench file that comes with Tongke."""
    return Path(devices.__file__).parent / "benches" / f"{kind}.toml"


def ports_of(kind: str, folder: Path) -> dict[str, Path]:
    """Where the ports of a bench file are in the demo: by port name."""
    names = [port["name"] for port in _ports(kind)]
    return {name: folder / kind / name.removesuffix("-port") for name in names}


def main() -> int:
    """Simulate until interrupted; prints ``READY`` when the ports are there."""
    folder = Path(sys.argv[1])
    with asyncio.Runner(loop_factory=loop_factory(exact=True)) as runner:
        runner.run(_simulate(folder))
    return 0


async def _simulate(folder: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        for kind in KINDS:
            baud = min(port["baud"] for port in _ports(kind))
            (folder / kind).mkdir(parents=True, exist_ok=True)
            await stack.enter_async_context(start_simulation(kind, folder / kind, baud=baud))
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        await ended.wait()


def _ports(kind: str) -> list[dict[str, Any]]:
    content = tomllib.loads(bench_file(kind).read_text(encoding="utf-8"))
    ports: list[dict[str, Any]] = content["port"]
    return ports


if __name__ == "__main__":
    sys.exit(main())
