"""The agent's own clock and its idea of the gateway's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from signaling.clock import ClockFollower

Clock: TypeAlias = Callable[[], float]
"""Milliseconds that only ever grow, also while the machine is suspended."""


if hasattr(time, "CLOCK_BOOTTIME"):

    def boottime_ms() -> float:
        """Milliseconds since the machine started, suspension included: a PC that slept must know that time passed."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000.0

else:

    def boottime_ms() -> float:
        """Milliseconds of the monotonic clock."""
        return time.monotonic() * 1_000.0


def unix_ms() -> float:
    """The lab PC's calendar time: only for what must be compared across restarts."""
    return time.time() * 1_000.0


def boot_id() -> str:
    """Changes with every start of the machine; where the system does not tell, with every start of the agent."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"process-{time.time_ns()}"


class ServerTime:
    """Conversions to the gateway's clock that do not raise before it is known."""

    def __init__(self, clock: Clock) -> None:
        self.now_ms = clock
        self.follower = ClockFollower()

    def on_server(self, local_ms: float | None) -> float | None:
        """A local reading on the gateway's clock; None when there is nothing to tell."""
        if local_ms is None or not self.follower.is_set:
            return None
        return self.follower.server_ms(local_ms)

    def start_by_ms(self, deadline_ms: float, now_ms: float) -> float | None:
        """The local time by which something with this server deadline must start; None before the clock is known."""
        return self.follower.latest_local_ms(deadline_ms, now_ms) if self.follower.is_set else None
