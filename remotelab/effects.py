"""What the cores of a bench want done: words to say, lines to record, state to put on disk. Plain data.

Effects are carried out in the order in which they are returned. Whatever follows a :class:`Persist` waits until the
disk has it, so that nothing is confirmed to anybody that a crash could take back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from signaling.tokens import Right
from signaling.wire import Value, word


@word
class Seat:
    """Who asks: one session of one participant, with what the token allows."""

    session: str
    participant: str
    name: str
    rights: frozenset[Right]
    until_ms: float
    """When the token ends."""

    def may(self, right: Right) -> bool:
        """Whether the token grants a right."""
        return right in self.rights


@word
class Tell:
    """Say something to one session. ``replayed``: it is numbered, kept, and said again after a resume."""

    session: str
    message: object
    replayed: bool = False


@word
class TellAll:
    """Say something to every session of the bench but those in ``but``.

    With ``latest`` it is lossy: on a slow link only the newest of that key arrives. Otherwise it is replayed.
    """

    message: object
    latest: str | None = None
    but: tuple[str, ...] = ()


@word
class TellAgent:
    """Say something to the bench's agent; ``first`` overtakes everything, even what waits for the disk."""

    message: object
    first: bool = False


@word
class SendValue:
    """Pass the pieces of a large value on to a session as they come, behind everything else."""

    session: str
    value: str


@word
class BenchRecord:
    """What a bench must remember across a restart of the gateway."""

    bench: str
    fence: int = 0
    holder: str | None = None
    holder_name: str = ""
    expires_ms: float = 0.0
    unclean: bool = False
    """The bench was commanded and its safe state has not been verified since."""
    quarantined: str | None = None
    """Why, when it is."""
    stopped: bool = False


@word
class Persist:
    """Put a record on disk before the effects that follow. When that fails ``request`` of ``session`` is refused."""

    record: BenchRecord
    session: str | None = None
    request: str | None = None


@word
class Record:
    """One line of the audit log."""

    time_ms: float
    event: str
    participant: str
    detail: Mapping[str, Value]


Effect: TypeAlias = Tell | TellAll | TellAgent | SendValue | Persist | Record
