"""One device as the agent knows it at present."""

from __future__ import annotations

from collections.abc import Callable

from devices.agent.health import DeviceStats
from devices.driver import Driver
from devices.messages import DeviceHealth, DeviceReport
from devices.model import DeviceState
from signaling.backoff import Backoff, BackoffSettings
from signaling.errors import Code

IDENTIFY_BACKOFF = BackoffSettings(first_ms=500.0, most_ms=5_000.0)


class AttachedDevice:
    """A driver and the state of the instrument behind it."""

    def __init__(self, driver: Driver, uniform: Callable[[], float]) -> None:
        self.driver = driver
        self.name = driver.name
        self.state = DeviceState.CONNECTING
        self.code: Code | None = None
        self.text = ""
        self.identity = ""
        """What it last said it is, on the port as it is open now; empty before that."""
        self.stats = DeviceStats()
        self.backoff = Backoff(uniform, IDENTIFY_BACKOFF)
        self.identify_at_ms: float | None = None
        """When its identity is asked for next; None while that is under way or of no use."""

    @property
    def is_online(self) -> bool:
        """Whether it can be commanded."""
        return self.state is DeviceState.ONLINE

    def become(self, state: DeviceState, code: Code | None = None, text: str = "") -> bool:
        """Take on a state; whether that is news."""
        news = (self.state, self.code, self.text) != (state, code, text)
        self.state, self.code, self.text = state, code, text
        return news

    def report(self) -> DeviceReport:
        """How it stands, for the gateway."""
        return DeviceReport(self.name, self.state, self.code, self.text, self.identity)

    def health(self, bench: str, waiting: int, last_answer_ms: float | None) -> DeviceHealth:
        """How it has been doing since the last report, which ends here."""
        stats = self.stats
        health = DeviceHealth(
            bench,
            self.name,
            stats.exchanges,
            stats.errors,
            stats.percentile_ms(0.5),
            stats.percentile_ms(0.99),
            waiting,
            last_answer_ms,
        )
        stats.start_over()
        return health
