"""What every benchmark says: on which machine, with which versions, how many samples, and the percentiles."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PACKAGES = ("aiohttp", "uvloop", "websockets", "msgpack", "pyserial")


def percentile(samples: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; not a number when there are no samples."""
    if not samples:
        return float("nan")
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered)) - 1))]


def spread(samples: Sequence[float], unit: str, digits: int = 1) -> dict[str, float]:
    """Count, median, 99th percentile, maximum: ``samples``, ``p50_UNIT``, ``p99_UNIT``, ``max_UNIT``."""
    return {
        "samples": len(samples),
        f"p50_{unit}": round(percentile(samples, 50), digits),
        f"p99_{unit}": round(percentile(samples, 99), digits),
        f"max_{unit}": round(max(samples, default=float("nan")), digits),
    }


def machine() -> dict[str, Any]:
    """The machine and the versions that a figure was measured with."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*[f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in row])
    Console().print(table)


def write(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Write the figures, with the machine, as JSON."""
    if path is not None:
        path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n", "utf-8")
