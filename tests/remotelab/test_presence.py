from __future__ import annotations

from remotelab.effects import Seat
from remotelab.messages import Participant
from remotelab.presence import MOST_SHOWN, Presence
from tests.remotelab.lab import OBSERVER, STUDENT, seat


def present(*people: Seat) -> Presence:
    presence = Presence()
    for who in people:
        presence.joined(who)
        presence.connected(who.participant)
    presence.changed = False
    return presence


def test_who_may_control_is_shown_first() -> None:
    presence = present(OBSERVER, STUDENT)
    assert presence.shown == (
        Participant("student", "Student", True, True),
        Participant("observer", "Observer", False, True),
    )


def test_a_participant_with_two_windows_is_one_and_leaves_with_the_last() -> None:
    presence = present(STUDENT)
    presence.joined(seat("student", session="second"))
    assert not presence.connected("student")
    assert len(presence.shown) == 1
    assert not presence.disconnected("student")
    presence.left("student")
    assert [shown.connected for shown in presence.shown] == [True]
    assert presence.disconnected("student")
    assert [shown.connected for shown in presence.shown] == [False]
    presence.left("student")
    assert not presence.shown


def test_a_second_window_changes_nothing_that_is_shown() -> None:
    presence = present(STUDENT)
    presence.connected("student")
    presence.disconnected("student")
    presence.joined(STUDENT)
    presence.changed = False
    presence.left("student")
    assert not presence.changed


def test_only_who_is_connected_and_may_control_can_be_handed_the_control() -> None:
    presence = present(STUDENT, OBSERVER)
    assert presence.name_of("student") == "Student"
    assert presence.name_of("observer") is None
    assert presence.name_of("nobody") is None
    presence.disconnected("student")
    assert presence.name_of("student") is None


def test_a_very_long_list_is_cut() -> None:
    presence = present(*(seat(f"guest-{number}") for number in range(MOST_SHOWN + 20)))
    assert len(presence.shown) == MOST_SHOWN
