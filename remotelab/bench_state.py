"""The life of a bench as a table: what can be done with it, and what changes that. All of it is in this file."""

from __future__ import annotations

from enum import StrEnum

from remotelab.messages import BenchState


class BenchEvent(StrEnum):
    """What happens to a bench."""

    CAME_FREE = "came_free"
    """Its agent is here; nobody holds the lease and nothing is left to clean up."""
    CAME_LEASED = "came_leased"
    CAME_UNCLEAN = "came_unclean"
    AGENT_LEFT = "agent_left"
    LEASED = "leased"
    VACATED = "vacated"
    """The lease ended with nothing left to clean up."""
    CLEAN_UP_BEGAN = "clean_up_began"
    VERIFIED_FREE = "verified_free"
    """The safe state was verified and nobody holds the lease."""
    VERIFIED_LEASED = "verified_leased"
    NOT_VERIFIED = "not_verified"
    QUARANTINE_LIFTED = "quarantine_lifted"
    """A supervisor asked for another clean-up."""
    RECORD_LOST = "record_lost"
    """The disk refused the bench's record, so nothing more may be promised about it."""


_OFFLINE, _ONLINE, _IN_USE = BenchState.OFFLINE, BenchState.ONLINE, BenchState.IN_USE
_DRAINING, _QUARANTINED = BenchState.DRAINING, BenchState.QUARANTINED

TRANSITIONS: dict[BenchState, dict[BenchEvent, BenchState]] = {
    _OFFLINE: {
        BenchEvent.CAME_FREE: _ONLINE,
        BenchEvent.CAME_LEASED: _IN_USE,
        BenchEvent.CAME_UNCLEAN: _DRAINING,
        BenchEvent.VACATED: _OFFLINE,
        BenchEvent.CLEAN_UP_BEGAN: _OFFLINE,
        BenchEvent.NOT_VERIFIED: _QUARANTINED,
        BenchEvent.RECORD_LOST: _QUARANTINED,
    },
    _ONLINE: {
        BenchEvent.AGENT_LEFT: _OFFLINE,
        BenchEvent.LEASED: _IN_USE,
        BenchEvent.RECORD_LOST: _QUARANTINED,
    },
    _IN_USE: {
        BenchEvent.AGENT_LEFT: _OFFLINE,
        BenchEvent.VACATED: _ONLINE,
        BenchEvent.CLEAN_UP_BEGAN: _DRAINING,
        BenchEvent.RECORD_LOST: _QUARANTINED,
    },
    _DRAINING: {
        BenchEvent.AGENT_LEFT: _OFFLINE,
        BenchEvent.VACATED: _DRAINING,
        BenchEvent.CLEAN_UP_BEGAN: _DRAINING,
        BenchEvent.VERIFIED_FREE: _ONLINE,
        BenchEvent.VERIFIED_LEASED: _IN_USE,
        BenchEvent.NOT_VERIFIED: _QUARANTINED,
        BenchEvent.RECORD_LOST: _QUARANTINED,
    },
    _QUARANTINED: {
        BenchEvent.AGENT_LEFT: _QUARANTINED,
        BenchEvent.QUARANTINE_LIFTED: _DRAINING,
        BenchEvent.RECORD_LOST: _QUARANTINED,
    },
}


def after(state: BenchState, event: BenchEvent) -> BenchState:
    """The state that an event leads to. Raises ``ValueError`` for an event that cannot happen in this state."""
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise ValueError(f"{event} cannot happen to a bench that is {state}")
    return following
