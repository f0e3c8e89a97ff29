"""How a device has been doing. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

FAILURES_UNTIL_OFFLINE = 3


@dataclass(slots=True)
class DeviceStats:
    """Plain counts of one device since the last report; times on the agent's clock."""

    exchanges: int = 0
    errors: int = 0
    failures_in_a_row: int = 0
    last_answer_ms: float | None = None
    durations_ms: deque[float] = field(default_factory=lambda: deque(maxlen=1_024))

    def succeeded(self, duration_ms: float, now_ms: float) -> None:
        """The device answered."""
        self.exchanges += 1
        self.failures_in_a_row = 0
        self.last_answer_ms = now_ms
        self.durations_ms.append(duration_ms)

    def failed(self, *, answered: bool) -> None:
        """A use of the device failed; ``answered`` when it did speak, if only to refuse."""
        self.exchanges += 1
        self.errors += 1
        self.failures_in_a_row = 0 if answered else self.failures_in_a_row + 1

    @property
    def has_gone_silent(self) -> bool:
        """Whether it has failed so often in a row that it counts as offline."""
        return self.failures_in_a_row >= FAILURES_UNTIL_OFFLINE

    def percentile_ms(self, share: float) -> float:
        """A percentile of the durations since the last report; 0 when there were none."""
        if not self.durations_ms:
            return 0.0
        ordered = sorted(self.durations_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def start_over(self) -> None:
        """A report was made: count anew."""
        self.exchanges = self.errors = 0
        self.durations_ms.clear()
