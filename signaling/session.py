"""What survives a socket: the events that its participant has not yet acknowledged, and the secret to come back with.

*Resume* is the same session on a new socket with the missed events replayed. When too much was missed the session
is gone and the participant *rejoins*: a new session, a fresh snapshot.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from dataclasses import dataclass

from signaling.wire import frame


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How much one session may hold for a participant who is away."""

    most_events: int = 512
    most_bytes: int = 262_144


DEFAULT_REPLAY = ReplaySettings()


class EventLog:
    """The numbered events of one session, kept until acknowledged. Bounded: the oldest go first."""

    __slots__ = ("_bodies", "_first", "_settings", "_size_bytes")

    def __init__(self, settings: ReplaySettings = DEFAULT_REPLAY) -> None:
        self._settings = settings
        self._bodies: deque[bytes] = deque()
        self._first = 1
        self._size_bytes = 0

    @property
    def last_seq(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._first + len(self._bodies) - 1

    def append(self, body: bytes) -> bytes:
        """Number an encoded event, keep it, and return its frame."""
        self._bodies.append(body)
        self._size_bytes += len(body)
        seq = self.last_seq
        while len(self._bodies) > self._settings.most_events or self._size_bytes > self._settings.most_bytes:
            self._drop_first()
        return frame(body, seq)

    def acknowledge(self, seq: int) -> None:
        """Events up to ``seq`` have arrived; a number from the future acknowledges no more than there is."""
        while self._bodies and self._first <= seq:
            self._drop_first()

    def since(self, seq: int) -> list[bytes] | None:
        """The frames after ``seq``, or None when some of them are no longer kept or never were."""
        if not self._first - 1 <= seq <= self.last_seq:
            return None
        skip = seq - self._first + 1
        return [frame(body, self._first + index) for index, body in enumerate(self._bodies) if index >= skip]

    def _drop_first(self) -> None:
        self._size_bytes -= len(self._bodies.popleft())
        self._first += 1


def key_digest(resume_key: str) -> bytes:
    """What is kept of a resume key: enough to check it, not enough to present it."""
    return hashlib.sha256(resume_key.encode()).digest()


def key_matches(digest: bytes, resume_key: str) -> bool:
    """Whether a presented key is the one whose digest was kept, in constant time."""
    return hmac.compare_digest(digest, key_digest(resume_key))
