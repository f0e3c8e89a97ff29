"""What a simulated port needs from the instrument behind it."""

from __future__ import annotations

from typing import Protocol


class Firmware(Protocol):
    """One instrument as seen from its serial connector."""

    cancel: bytes
    """A byte that discards what it was about to send, as a break or a device clear does; empty when it knows none."""

    def receive(self, data: bytes, now_ms: float) -> bytes:
        """Take bytes from the line; the bytes that it answers with."""
        ...

    def restart(self, now_ms: float) -> None:
        """Power off and on: settings and half-read input are gone, the physical world is not."""
        ...
