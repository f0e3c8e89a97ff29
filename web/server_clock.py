"""The server's clock: Unix time at the process's start, advanced by a clock that never jumps and counts suspension."""

from __future__ import annotations

import time
from collections.abc import Callable


def server_clock() -> Callable[[], float]:
    """A clock in milliseconds that starts at the present Unix time."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    offset_ms = time.time() * 1000.0 - time.clock_gettime(boot) * 1000.0

    def now_ms() -> float:
        return time.clock_gettime(boot) * 1000.0 + offset_ms

    return now_ms
