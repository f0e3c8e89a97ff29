"""What survives a socket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.session import EventLog, ReplaySettings, key_digest, key_matches
from signaling.wire import frame


def test_events_are_numbered_from_one() -> None:
    log = EventLog()
    assert log.last_seq == 0
    assert log.append(b"a") == frame(b"a", 1)
    assert log.append(b"b") == frame(b"b", 2)
    assert log.last_seq == 2


def test_who_comes_back_gets_exactly_what_was_missed() -> None:
    log = EventLog()
    for body in (b"a", b"b", b"c"):
        log.append(body)
    assert log.since(1) == [frame(b"b", 2), frame(b"c", 3)]
    assert log.since(3) == []


def test_who_missed_more_than_is_kept_cannot_resume() -> None:
    log = EventLog(ReplaySettings(most_events=2, most_bytes=100))
    for body in (b"a", b"b", b"c"):
        log.append(body)
    assert log.since(0) is None
    assert log.since(1) == [frame(b"b", 2), frame(b"c", 3)]
    assert log.since(4) is None, "a number from the future belongs to another session"


def test_the_log_is_bounded_by_size_too() -> None:
    log = EventLog(ReplaySettings(most_events=10, most_bytes=5))
    log.append(b"aaa")
    log.append(b"bbb")
    assert log.since(0) is None
    assert log.since(1) == [frame(b"bbb", 2)]


@given(st.lists(st.one_of(st.binary(max_size=6), st.integers(-1, 40)), max_size=60))
def test_a_log_never_replays_wrongly(steps: list[bytes | int]) -> None:
    log = EventLog(ReplaySettings(most_events=8, most_bytes=30))
    everything: list[bytes] = []
    for step in steps:
        if isinstance(step, int):
            log.acknowledge(step)
        else:
            everything.append(step)
            assert log.append(step) == frame(step, len(everything))
        for seen in range(len(everything) + 1):
            missed = log.since(seen)
            assert missed is None or missed == [
                frame(body, seen + 1 + index) for index, body in enumerate(everything[seen:])
            ]
        assert log.since(len(everything)) == []


def test_a_resume_key_is_checked_by_its_digest() -> None:
    digest = key_digest("secret")
    assert b"secret" not in digest
    assert key_matches(digest, "secret")
    assert not key_matches(digest, "Secret")
