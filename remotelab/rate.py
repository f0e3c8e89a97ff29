"""How often somebody may do something: a token bucket. Pure."""

from __future__ import annotations


class TokenBucket:
    """Lets ``per_s`` through each second on average, and ``burst`` at once after a rest."""

    __slots__ = ("_at_ms", "_burst", "_per_ms", "_tokens")

    def __init__(self, per_s: float, burst: float, now_ms: float) -> None:
        self._per_ms = per_s / 1000.0
        self._burst = burst
        self._tokens = burst
        self._at_ms = now_ms

    def take(self, now_ms: float) -> float | None:
        """Take one token: None when it was there, otherwise how many milliseconds until it will be."""
        if now_ms > self._at_ms:
            self._tokens = min(self._burst, self._tokens + (now_ms - self._at_ms) * self._per_ms)
            self._at_ms = now_ms
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return None
        return (1.0 - self._tokens) / self._per_ms
