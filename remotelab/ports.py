"""What the gateway needs from outside: sockets to talk through, a disk to remember on, a log to account to."""

from __future__ import annotations

from typing import Protocol

from remotelab.effects import BenchRecord, Record
from signaling.errors import TongkeError


class Peer(Protocol):
    """One participant's socket. Nothing here waits or raises: who cannot keep up is closed by the socket itself."""

    def send(self, frame: bytes) -> None:
        """Send a frame in order; no frame of this kind is ever dropped."""
        ...

    def send_latest(self, key: str, frame: bytes) -> None:
        """Send a frame of which only the newest per key matters."""
        ...

    def send_bulk(self, frames: list[bytes]) -> None:
        """Send the pieces of a large value when nothing else waits."""
        ...

    def close(self, error: TongkeError) -> None:
        """Say why, and close."""
        ...


class AgentLink(Protocol):
    """The connection to an agent. Nothing here waits or raises."""

    def send(self, message: object, *, first: bool = False) -> None:
        """Send a word of ``devices.messages``; ``first`` overtakes what still waits to be written."""
        ...

    def close(self, error: TongkeError) -> None:
        """Say why, and close."""
        ...


class LeaseStore(Protocol):
    """Where the gateway remembers benches across restarts."""

    async def load(self) -> list[BenchRecord]:
        """Everything that is remembered. Raises :class:`OurError` ``storage_failed``."""
        ...

    async def save(self, record: BenchRecord) -> None:
        """Remember a bench; returns when it is on disk. Raises :class:`OurError` ``storage_failed``."""
        ...


class AuditLog(Protocol):
    """Who did what, when, with what result."""

    def append(self, bench: str, record: Record) -> None:
        """Take a line at once; it is written soon, without holding anybody up."""
        ...
