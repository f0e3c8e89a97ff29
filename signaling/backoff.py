"""How long to wait before dialling again: exponential with jitter, so that a thousand agents do not return at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackoffSettings:
    """The shortest and the longest ceiling of a delay, in milliseconds, and how the ceiling grows."""

    first_ms: float = 250.0
    most_ms: float = 15_000.0
    factor: float = 2.0


DEFAULT_BACKOFF = BackoffSettings()


class Backoff:
    """Delays between attempts. ``uniform`` draws from [0, 1); a success starts over."""

    def __init__(self, uniform: Callable[[], float], settings: BackoffSettings = DEFAULT_BACKOFF) -> None:
        self._uniform = uniform
        self._settings = settings
        self._ceiling_ms = settings.first_ms

    def succeeded(self) -> None:
        """The connection held: the next failure waits briefly again."""
        self._ceiling_ms = self._settings.first_ms

    def next_ms(self, at_least_ms: float = 0.0) -> float:
        """How long to wait now; never less than half of the ceiling nor than what the server asked for."""
        ceiling_ms = self._ceiling_ms
        self._ceiling_ms = min(self._settings.most_ms, ceiling_ms * self._settings.factor)
        return max(at_least_ms, ceiling_ms * (0.5 + 0.5 * self._uniform()))
