"""What a bench counts: plain integers that the metrics read."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from devices.model import CommandStatus
from remotelab.messages import CommandFinished
from signaling.errors import Code

LATENCY_BOUNDS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0)
"""Upper bounds of the classes in which latencies are counted; above the last there is one more."""


@dataclass(slots=True)
class LatencyCount:
    """How many latencies fell into each class, and their sum."""

    classes: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_MS) + 1))
    sum_ms: float = 0.0

    def observe(self, latency_ms: float) -> None:
        """Count one."""
        self.classes[bisect_left(LATENCY_BOUNDS_MS, latency_ms)] += 1
        self.sum_ms += latency_ms


@dataclass(slots=True)
class BenchStats:
    """Counts of one bench since the gateway started."""

    admitted: int = 0
    resolved: int = 0
    stops: int = 0
    refusals: dict[Code, int] = field(default_factory=dict)
    outcomes: dict[CommandStatus, int] = field(default_factory=dict)
    gateway_ms: LatencyCount = field(default_factory=LatencyCount)
    """From the gateway's receipt of a command to its answer."""
    waiting_ms: LatencyCount = field(default_factory=LatencyCount)
    """From the agent's receipt to the first byte on the wire."""
    service_ms: LatencyCount = field(default_factory=LatencyCount)
    """From the first byte written to the last byte read."""

    def refused(self, code: Code) -> None:
        """Count a refusal."""
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def finished(self, outcome: CommandFinished) -> None:
        """Count an outcome and where its milliseconds went."""
        self.outcomes[outcome.status] = self.outcomes.get(outcome.status, 0) + 1
        ledger = outcome.ledger
        if ledger.gateway_replied_ms is not None:
            self.gateway_ms.observe(ledger.gateway_replied_ms - ledger.gateway_received_ms)
        if ledger.first_byte_ms is not None and ledger.agent_received_ms is not None:
            self.waiting_ms.observe(ledger.first_byte_ms - ledger.agent_received_ms)
            if ledger.last_byte_ms is not None:
                self.service_ms.observe(ledger.last_byte_ms - ledger.first_byte_ms)
