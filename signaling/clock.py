"""Following the server's clock over a link whose delay nobody knows.

A :class:`ClockFollower` is fed ping exchanges. Each gives an offset that is wrong by at most half of its round
trip, so the exchange with the shortest round trip is the best (the idea of RFC 5905 section 10); it ages by the
drift that two quartz clocks may have. An exchange that contradicts the best one means that a clock has jumped, and
starts the filter anew.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

DRIFT_PER_MS = 100e-6
"""Two ordinary quartz clocks part by at most this much: 100 parts in a million."""


@dataclass(frozen=True, slots=True)
class ClockSample:
    """One ping exchange: ``offset_ms`` is server minus local, right to within ``error_ms`` at local time ``at_ms``."""

    offset_ms: float
    error_ms: float
    at_ms: float

    def error_at(self, now_ms: float) -> float:
        """How wrong the offset may be by now."""
        return self.error_ms + DRIFT_PER_MS * abs(now_ms - self.at_ms)


class ClockFollower:
    """Converts between a local clock and the server's, knowing how wrong it may be. All times in milliseconds."""

    def __init__(self, *, keep: int = 16) -> None:
        self._samples: deque[ClockSample] = deque(maxlen=keep)
        self._best: ClockSample | None = None
        self.round_trip_ms: float | None = None
        self.jumps = 0

    @property
    def is_set(self) -> bool:
        """Whether there has been an exchange since the start or the last :meth:`reset`."""
        return self._best is not None

    def reset(self) -> None:
        """Forget everything: another server, or the same one after a restart."""
        self._samples.clear()
        self._best = None
        self.round_trip_ms = None

    def observe(self, *, sent_ms: float, received_ms: float, replied_ms: float, back_ms: float) -> None:
        """Take one exchange: sent and back on the local clock, received and replied on the server's."""
        round_trip_ms = max(0.0, (back_ms - sent_ms) - (replied_ms - received_ms))
        offset_ms = ((received_ms - sent_ms) + (replied_ms - back_ms)) / 2
        sample = ClockSample(offset_ms, round_trip_ms / 2, back_ms)
        self.round_trip_ms = round_trip_ms
        best = self._best
        if best is not None:
            apart_ms = abs(best.offset_ms - offset_ms)
            if apart_ms > best.error_at(back_ms) + sample.error_ms + 1.0 or back_ms < best.at_ms:
                self.jumps += 1
                self._samples.clear()
        self._samples.append(sample)
        self._best = min(self._samples, key=lambda kept: kept.error_at(back_ms))

    def error_ms(self, now_ms: float) -> float:
        """How wrong a conversion made at local time ``now_ms`` may be; infinite before the first exchange."""
        return self._best.error_at(now_ms) if self._best else float("inf")

    def server_ms(self, local_ms: float) -> float:
        """The server's time at a local time: the best guess. Raises ``LookupError`` before the first exchange."""
        if self._best is None:
            raise LookupError("no ping exchange yet")
        return local_ms + self._best.offset_ms

    def earliest_server_ms(self, local_ms: float) -> float:
        """The server's time at a local time, never too late: what a sender stamps on a command."""
        return self.server_ms(local_ms) - self.error_ms(local_ms)

    def latest_local_ms(self, server_ms: float, now_ms: float) -> float:
        """The local time by which a server deadline has surely not yet passed: what a deadline is checked against."""
        if self._best is None:
            raise LookupError("no ping exchange yet")
        return server_ms - self._best.offset_ms - self.error_ms(now_ms)
