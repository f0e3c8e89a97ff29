"""``python -m devices.sim``: a simulation in a process of its own, for benchmarks and tests.

It prints one line of JSON, ``{"ports": {device: path}}``, when the ports are there, and runs until it is interrupted
or, with ``--control``, until its standard input ends. Each line of that is ``[DEVICE:]FAULT[*TIMES]``,
``unplug [DEVICE]`` or ``work [DEVICE]``; each is answered by ``ok`` or by what is wrong with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

from devices.sim.bench import SimulatedBench, start_simulation
from devices.sim.loops import loop_factory


def main() -> int:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m devices.sim", description="Simulated instruments on ptys.")
    parser.add_argument("--kind", required=True, help="lamp, resonance, motor, plate, probe, or one of their devices")
    parser.add_argument("--link", required=True, type=Path, metavar="DIR", help="where the links to the ptys go")
    parser.add_argument("--baud", type=int, help="simulate the time of each byte (default: as fast as possible)")
    parser.add_argument("--service-ms", type=float, default=0.0, help="how long an instrument thinks (default: 0)")
    parser.add_argument("--copies", type=int, default=1, help="so many benches, in DIR/1, DIR/2 and so on")
    parser.add_argument("--control", action="store_true", help="take faults from standard input")
    args = parser.parse_args()
    with asyncio.Runner(loop_factory=loop_factory(exact=bool(args.baud or args.service_ms))) as runner:
        try:
            return runner.run(_run(args))
        except (LookupError, OSError) as error:
            sys.stderr.write(f"devices.sim: {error}\n")
            return 2


async def _run(args: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        benches = []
        for copy in range(1, args.copies + 1):
            directory = args.link / str(copy) if args.copies > 1 else args.link
            simulation = start_simulation(args.kind, directory, baud=args.baud, service_ms=args.service_ms)
            benches.append(await stack.enter_async_context(simulation))
        ports = {
            f"{copy}/{device}" if args.copies > 1 else device: path
            for copy, bench in enumerate(benches, 1)
            for device, path in bench.items()
        }
        _say(json.dumps({"ports": ports}))
        if args.control:
            await _obey(benches, ended)
        else:
            await ended.wait()
    return 0


async def _obey(benches: list[SimulatedBench], ended: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    interrupted = loop.create_task(ended.wait())
    try:
        while not ended.is_set():
            line = loop.create_task(reader.readline())
            await asyncio.wait({line, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done() or not line.result():
                line.cancel()
                return
            _say(_control(benches, line.result().decode("utf-8", "replace").split()))
    finally:
        interrupted.cancel()
        transport.close()


def _control(benches: list[SimulatedBench], words: list[str]) -> str:
    word, device = words[0] if words else "", words[1] if len(words) > 1 else None
    try:
        for bench in benches:
            if word == "work":
                bench.work(device)
            elif word == "unplug":
                bench.unplug(device)
            else:
                bench.fail_as_told(word)
    except ValueError as error:
        return str(error)
    return "ok"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
