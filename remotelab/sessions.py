"""One participant's session on one bench: what survives its socket, and what is said through it."""

from __future__ import annotations

from remotelab.effects import Seat
from remotelab.ports import Peer
from remotelab.rate import TokenBucket
from signaling.errors import TongkeError
from signaling.session import EventLog, key_digest, key_matches
from signaling.wire import frame

REQUESTS_PER_S = 20.0
REQUESTS_BURST = 60.0
"""Requests other than commands and stops: each of them may cost a write to the disk or a word to everybody."""


class Session:
    """A session with or without a socket (``peer``). Small: a school may leave thousands of them idle."""

    __slots__ = (
        "_digest",
        "admissions",
        "bad_frames",
        "bench",
        "heard_ms",
        "log",
        "lost_ms",
        "peer",
        "requests",
        "seat",
        "telemetry",
    )

    def __init__(self, bench: str, seat: Seat, resume_key: str, peer: Peer, now_ms: float) -> None:
        self.bench = bench
        self.seat = seat
        self.peer: Peer | None = peer
        self.log = EventLog()
        self.heard_ms = now_ms
        self.lost_ms = now_ms
        """When its socket was lost, if it was."""
        self.bad_frames = 0
        self.requests = TokenBucket(REQUESTS_PER_S, REQUESTS_BURST, now_ms)
        self.admissions = False
        self.telemetry = False
        self._digest = key_digest(resume_key)

    def opens_with(self, resume_key: str) -> bool:
        """Whether this key resumes this session."""
        return key_matches(self._digest, resume_key)

    def renew_key(self, resume_key: str) -> None:
        """Each socket gets its own key."""
        self._digest = key_digest(resume_key)

    def say(self, body: bytes, *, replayed: bool) -> None:
        """Send an encoded word; a replayed one is numbered and kept until it is acknowledged."""
        data = self.log.append(body) if replayed else frame(body)
        if self.peer is not None:
            self.peer.send(data)

    def close(self, error: TongkeError) -> None:
        """Close the socket, if there is one; the session stays."""
        if self.peer is not None:
            self.peer.close(error)
