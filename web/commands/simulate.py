"""``tongke simulate``: instruments without hardware, on ptys that any serial program can open."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

_EXAMPLES = {"psu": "*IDN?", "dmm": "MEAS:VOLT?", "generator": "FREQ?", "scope": "TIM:SCAL?", "probe": "*IDN?"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "simulate",
        help="put simulated instruments on serial ports",
        description="Simulate a bench (lamp, resonance, motor, plate) or one instrument (psu, dmm, generator, scope, "
        "motor, plate, probe) until Ctrl-C. Faults: silence, garbage, slow, half-reply, reset, babble, hang-up.",
    )
    parser.add_argument("kind", metavar="KIND", help="a bench or an instrument, for example lamp or psu")
    parser.add_argument("--link", type=Path, metavar="DIR", help="where the links to the ports go (a new folder)")
    parser.add_argument("--baud", type=int, metavar="N", help="let each byte take its time (as fast as possible)")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="[DEVICE:]FAULT[*TIMES]",
        help="answer wrongly: silence, psu:garbage, half-reply*3; repeat for more devices",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Simulate until interrupted."""
    import asyncio

    from devices.sim.loops import loop_factory

    if options.baud is not None and options.baud <= 0:
        sys.stderr.write(f"tongke simulate: {options.baud} is no baud rate\n")
        return 2
    with contextlib.ExitStack() as stack:
        directory = options.link or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongke-")))
        runner = stack.enter_context(asyncio.Runner(loop_factory=loop_factory(exact=options.baud is not None)))
        try:
            runner.run(_simulate(options, directory))
        except (LookupError, ValueError, OSError) as error:
            sys.stderr.write(f"tongke simulate: {error.args[0] if isinstance(error, LookupError) else error}\n")
            return 2
    return 0


async def _simulate(options: argparse.Namespace, directory: Path) -> None:
    import asyncio
    import signal

    from devices.sim.bench import start_simulation

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with start_simulation(options.kind, directory, baud=options.baud) as bench:
        for fault in options.fault:
            bench.fail_as_told(fault)
        _announce(dict(bench), options)
        await ended.wait()


def _announce(ports: dict[str, str], options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Instrument", "Port", "Driver", box=None, pad_edge=False, header_style="bold")
    for device, path in ports.items():
        table.add_row(device, path, f"tongke-{device}")
    # A path is there to be copied: never broken, however narrow the window.
    console = Console(width=max(Console().width, max(map(len, ports.values())) + 40), soft_wrap=True)
    console.print(table)
    speed = f"at {options.baud} baud" if options.baud else "as fast as possible"
    console.print(f"\nSpeaking {speed}{', with faults' if options.fault else ''}. Ctrl-C ends it.")
    device, path = next(iter(ports.items()))
    if device in _EXAMPLES:
        console.print(f"Try: echo '{_EXAMPLES[device]}' | socat -t1 - {path},raw,echo=0", highlight=False, markup=False)
    console.print(f"Or:  tongke devices try --port {path} --driver tongke-{device}", highlight=False, markup=False)
    console.file.flush()
