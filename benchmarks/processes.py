"""Starts the programs that a benchmark measures, each in a process of its own, and ends exactly these."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Program:
    """A running child. ``ready`` is the line by which it said that it can be used."""

    def __init__(self, process: subprocess.Popen[str], ready: str) -> None:
        self.process = process
        self.ready = ready

    def cpu_s(self) -> float:
        """Processor seconds that it has used, in user and kernel mode together (proc(5), stat fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def resident_bytes(self) -> int:
        """Memory that it holds now (proc(5), statm field 2)."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES


@contextlib.contextmanager
def running(
    arguments: Sequence[str], *, ready: str | None, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run ``python arguments…`` until the end of the block; begins when it printed a line that starts with ``ready``.

    Without ``ready`` it begins at once.

    Raises ``RuntimeError`` with the end of its log when it ends before that.
    """
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        assert process.stdout is not None
        line = "" if ready is None else next((line for line in process.stdout if line.startswith(ready)), None)
        if line is None:
            raise RuntimeError(f"{' '.join(arguments)} did not start:\n{log.read_text()[-2_000:]}")
        yield Program(process, line.strip())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
