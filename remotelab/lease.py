"""The lease of one bench: who commands it, with which fencing number, until when. Pure; the table is the law.

The fencing number only grows: whenever the right to command passes from one to another, or ends, older commands become
worthless. A holder whose connections are all gone is *away*; after the grace time the bench is cleaned up and the seat
is *kept* for a while longer; whoever returns in time goes on with a new number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from remotelab.messages import Lease
from signaling.errors import CallerError, Code


class LeaseState(StrEnum):
    """How the control of a bench stands."""

    FREE = "free"
    HELD = "held"
    AWAY = "away"
    """The holder's connections are gone; the bench is left as it is."""
    KEPT = "kept"
    """The holder has been gone longer than the grace time; the bench was cleaned up and the seat is kept."""


class LeaseEvent(StrEnum):
    """What happens to a lease; the wire's ``LeaseChanged.reason``."""

    ACQUIRED = "acquired"
    RENEWED = "renewed"
    TRANSFERRED = "transferred"
    RELEASED = "released"
    REVOKED = "revoked"
    EXPIRED = "expired"
    WENT_AWAY = "away"
    GRACE_PASSED = "grace_passed"
    RETURNED = "returned"
    ABANDONED = "abandoned"


_FREE, _HELD, _AWAY, _KEPT = LeaseState.FREE, LeaseState.HELD, LeaseState.AWAY, LeaseState.KEPT

TRANSITIONS: dict[LeaseState, dict[LeaseEvent, LeaseState]] = {
    _FREE: {LeaseEvent.ACQUIRED: _HELD},
    _HELD: {
        LeaseEvent.RENEWED: _HELD,
        LeaseEvent.TRANSFERRED: _HELD,
        LeaseEvent.RELEASED: _FREE,
        LeaseEvent.REVOKED: _FREE,
        LeaseEvent.EXPIRED: _FREE,
        LeaseEvent.WENT_AWAY: _AWAY,
    },
    _AWAY: {
        LeaseEvent.TRANSFERRED: _HELD,
        LeaseEvent.RETURNED: _HELD,
        LeaseEvent.GRACE_PASSED: _KEPT,
        LeaseEvent.REVOKED: _FREE,
        LeaseEvent.EXPIRED: _FREE,
    },
    _KEPT: {
        LeaseEvent.TRANSFERRED: _HELD,
        LeaseEvent.RETURNED: _HELD,
        LeaseEvent.ABANDONED: _FREE,
        LeaseEvent.REVOKED: _FREE,
        LeaseEvent.EXPIRED: _FREE,
    },
}

_SAME_FENCE = (LeaseEvent.RENEWED, LeaseEvent.WENT_AWAY, LeaseEvent.RETURNED)


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Times of a lease, in milliseconds."""

    term_ms: float = 600_000.0
    grace_ms: float = 30_000.0
    """How long the holder may be gone before the bench is cleaned up."""
    seat_ms: float = 120_000.0
    """How long the holder may be gone before the lease is given up."""


DEFAULT_LEASE = LeaseSettings()


class LeaseKeeper:
    """The lease of one bench. An act that may not be done raises :class:`CallerError` and changes nothing."""

    def __init__(self, settings: LeaseSettings = DEFAULT_LEASE) -> None:
        self._settings = settings
        self.state = LeaseState.FREE
        self.fence = 0
        self.holder: str | None = None
        self.holder_name = ""
        self.expires_ms = 0.0
        self._left_ms = 0.0

    @property
    def is_held(self) -> bool:
        """Whether somebody has the lease, present or not."""
        return self.state is not LeaseState.FREE

    @property
    def shown(self) -> Lease | None:
        """The lease as everybody may see it."""
        if self.holder is None:
            return None
        away = self.state is not LeaseState.HELD
        return Lease(self.holder, self.holder_name, self.fence, self.expires_ms, away)

    def restore(self, fence: int, holder: str | None, name: str, expires_ms: float, now_ms: float) -> None:
        """Take up what was on disk; a holder counts as gone since now."""
        self.fence = fence
        if holder is not None:
            self.state, self.holder, self.holder_name = LeaseState.AWAY, holder, name
            # The clock may have been set back while the gateway was away.
            self.expires_ms, self._left_ms = min(expires_ms, now_ms + self._settings.term_ms), now_ms

    def raise_fence(self, at_least: int) -> None:
        """An agent has seen this number already: never fall below it."""
        self.fence = max(self.fence, at_least)

    def acquire(self, participant: str, name: str, now_ms: float) -> bool:
        """Take the free lease; False when the participant holds it already."""
        if self.holder == participant:
            return False
        if self.is_held:
            wait_ms = max(0.0, self.expires_ms - now_ms)
            raise CallerError(Code.LEASE_TAKEN, f"{self.holder_name} has the control.", retry_after_ms=wait_ms)
        self._move(LeaseEvent.ACQUIRED)
        self._give(participant, name, now_ms)
        return True

    def check(self, participant: str, fence: int) -> None:
        """That this participant holds the lease under this number.

        Raises :class:`CallerError` ``not_controller`` or ``stale_fence``.
        """
        if self.holder != participant:
            raise CallerError(
                Code.NOT_CONTROLLER, "Somebody else has the control." if self.holder else "Take control first."
            )
        if fence != self.fence:
            raise CallerError(Code.STALE_FENCE, "The control has changed hands since; this came too late.")

    def renew(self, now_ms: float) -> None:
        """Another term from now."""
        self._move(LeaseEvent.RENEWED)
        self.expires_ms = now_ms + self._settings.term_ms

    def transfer(self, participant: str, name: str, now_ms: float) -> None:
        """Hand the lease over; the new holder starts a full term."""
        if not self.is_held:
            raise CallerError(Code.NOT_CONTROLLER, "Nobody has the control that could be handed over.")
        self._move(LeaseEvent.TRANSFERRED)
        self._give(participant, name, now_ms)

    def end(self, event: LeaseEvent) -> None:
        """Released, revoked, expired or abandoned."""
        if not self.is_held:
            raise CallerError(Code.NOT_CONTROLLER, "Nobody has the control.")
        self._move(event)
        self.holder, self.holder_name = None, ""

    def went_away(self, now_ms: float) -> None:
        """The holder's last connection is gone."""
        self._move(LeaseEvent.WENT_AWAY)
        self._left_ms = now_ms

    def returned(self) -> None:
        """The holder is back in time."""
        self._move(LeaseEvent.RETURNED)

    def grace_passed(self) -> None:
        """The holder has been gone for long: older commands are worthless from now on."""
        self._move(LeaseEvent.GRACE_PASSED)

    def due(self, now_ms: float) -> LeaseEvent | None:
        """What time has brought about and must now be applied: expired, grace passed, abandoned, or nothing."""
        if self.is_held and self.expires_ms <= now_ms:
            return LeaseEvent.EXPIRED
        if self.state is LeaseState.AWAY and self._left_ms + self._settings.grace_ms <= now_ms:
            return LeaseEvent.GRACE_PASSED
        if self.state is LeaseState.KEPT and self._left_ms + self._settings.seat_ms <= now_ms:
            return LeaseEvent.ABANDONED
        return None

    @property
    def next_ms(self) -> float | None:
        """When :meth:`due` has something to say at the earliest."""
        if self.state is LeaseState.FREE:
            return None
        if self.state is LeaseState.AWAY:
            return min(self.expires_ms, self._left_ms + self._settings.grace_ms)
        if self.state is LeaseState.KEPT:
            return min(self.expires_ms, self._left_ms + self._settings.seat_ms)
        return self.expires_ms

    def _give(self, participant: str, name: str, now_ms: float) -> None:
        self.holder, self.holder_name = participant, name
        self.expires_ms = now_ms + self._settings.term_ms

    def _move(self, event: LeaseEvent) -> None:
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise ValueError(f"a lease that is {self.state} cannot be {event}")
        self.state = following
        if event not in _SAME_FENCE:
            self.fence += 1
