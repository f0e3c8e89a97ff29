"""What can be wrong with an instrument or its cable, on request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What happens to a request while the fault lasts."""

    SILENCE = "silence"
    """It is not even noticed."""
    GARBAGE = "garbage"
    """It is done, and answered with noise."""
    SLOW = "slow"
    """It is done, and answered much later."""
    HALF_REPLY = "half-reply"
    """It is done, and the answer stops in the middle."""
    RESET = "reset"
    """The instrument restarts instead; its settings are lost."""
    BABBLE = "babble"
    """It is done, and answered three times."""
    HANG_UP = "hang-up"
    """It is done, and the cable is pulled in the middle of the answer."""


@dataclass(slots=True)
class ActiveFault:
    """A fault at work."""

    fault: Fault
    times: int | None
    """How many more requests it hits; None until it is cleared."""
    slow_ms: float


def noise(size: int) -> bytes:
    """Bytes as a wrong baud rate makes them: always the same ones, none of them text."""
    return bytes(0x80 | (i * 73 + 29) & 0x7F for i in range(size)) + b"\n"
