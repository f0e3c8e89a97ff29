"""Who is on a bench: participants and how many sessions each of them has. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from remotelab.effects import Seat
from remotelab.messages import Participant
from signaling.tokens import Right

MOST_SHOWN = 100
"""A longer list of participants is cut: it helps nobody and costs everybody."""


@dataclass(slots=True)
class _Present:
    name: str
    may_control: bool
    sessions: int = 0
    connected: int = 0


class Presence:
    """The participants of one bench."""

    def __init__(self) -> None:
        self._present: dict[str, _Present] = {}
        self.changed = False
        """Whether somebody has yet to be told."""

    def joined(self, seat: Seat) -> None:
        """A new session, not yet connected."""
        present = self._present.get(seat.participant)
        if present is None:
            present = self._present[seat.participant] = _Present(seat.name, seat.may(Right.CONTROL))
        present.sessions += 1
        self.changed = True

    def connected(self, participant: str) -> bool:
        """A session has a socket now; whether it is the participant's first."""
        present = self._present[participant]
        present.connected += 1
        self.changed = self.changed or present.connected == 1
        return present.connected == 1

    def disconnected(self, participant: str) -> bool:
        """A session has lost its socket; whether it was the participant's last."""
        present = self._present[participant]
        present.connected -= 1
        self.changed = self.changed or present.connected == 0
        return present.connected == 0

    def left(self, participant: str) -> None:
        """A session is over for good."""
        present = self._present[participant]
        present.sessions -= 1
        if present.sessions == 0:
            del self._present[participant]
            self.changed = True

    def name_of(self, participant: str) -> str | None:
        """The name of somebody who is connected and may control; None otherwise."""
        present = self._present.get(participant)
        return present.name if present is not None and present.connected and present.may_control else None

    @property
    def shown(self) -> tuple[Participant, ...]:
        """Who is here: those who may control first, and no more than can be shown."""
        ordered = sorted(self._present.items(), key=lambda item: not item[1].may_control)
        return tuple(
            Participant(participant, present.name, present.may_control, present.connected > 0)
            for participant, present in ordered[:MOST_SHOWN]
        )
