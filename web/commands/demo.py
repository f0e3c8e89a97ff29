"""``tongke demo``: everything on this machine, with simulated instruments."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="try everything on this machine, with simulated instruments",
        description="Start a server, a lab PC's agent and four simulated benches, and print the addresses to open. "
        "Ctrl-C ends it all. Only this machine can connect.",
    )
    parser.add_argument("--port", type=int, default=8080, help="the server's port (8080); 0 takes a free one")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep data and logs here (a temporary folder)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demo until interrupted."""
    from signaling.errors import OurError
    from web.demo import run_demo

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with contextlib.ExitStack() as stack:
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongke-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            asyncio.run(run_demo(folder.resolve(), options.port, _announce))
        except (TimeoutError, OSError, OurError) as error:
            sys.stderr.write(f"tongke demo: {str(error) or 'a part did not start in time'}\n")
            for log in sorted(folder.glob("*.log")):
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
                sys.stderr.writelines(f"  {log.stem}: {line}\n" for line in tail)
            return 1
    return 0


def _announce(url: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from web.demo_instruments import KINDS

    # An address is there to be opened: never broken, however narrow the window.
    console = Console(width=max(Console().width, 120), soft_wrap=True, highlight=False)
    table = Table("Bench", "Control it", "Watch it", box=None, pad_edge=False, header_style="bold")
    for kind in KINDS:
        table.add_row(kind, f"{url}/demo/{kind}/student", f"{url}/demo/{kind}/observer")
    console.print(f"\n[bold]Tongke[/bold] runs here: {url}/\n")
    console.print(table)
    console.print("\nCtrl-C ends it.")
    sys.stdout.write(f"READY {url}\n")
    sys.stdout.flush()
