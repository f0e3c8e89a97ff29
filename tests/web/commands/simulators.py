"""``tongke simulate`` as a process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def simulator(kind: str, directory: Path, *options: str) -> Iterator[str]:
    """Run it until the end of the block, ended as by Ctrl-C; what it printed until it was ready."""
    command = [sys.executable, "-m", "web.cli", "simulate", kind, "--link", str(directory), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            shown = ""
            while "devices try" not in shown:
                line = process.stdout.readline()
                assert line, f"it ended after {shown!r}"
                shown += line
            yield shown
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0
