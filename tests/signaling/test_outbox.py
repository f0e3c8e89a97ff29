"""What leaves first, and what happens when a reader is slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import Code, OurError
from signaling.outbox import Outbox, OutboxSettings


def _drain(outbox: Outbox) -> list[bytes]:
    frames = []
    while (frame := outbox.pop()) is not None:
        frames.append(frame)
    return frames


def test_control_leaves_before_telemetry_and_telemetry_before_bulk() -> None:
    outbox = Outbox()
    assert outbox.put_bulk([b"b1", b"b2"])
    outbox.put_latest("psu", b"t1")
    outbox.put(b"c1")
    outbox.put(b"c2")
    outbox.put(b"stop", first=True)
    assert len(outbox) == 6
    assert _drain(outbox) == [b"stop", b"c1", b"c2", b"t1", b"b1", b"b2"]
    assert len(outbox) == 0


def test_of_telemetry_only_the_newest_per_key_waits() -> None:
    outbox = Outbox()
    outbox.put_latest("a", b"a1")
    outbox.put_latest("b", b"b1")
    outbox.put_latest("a", b"a2")
    assert _drain(outbox) == [b"b1", b"a2"]
    assert outbox.replaced == 1


def test_a_reader_that_is_too_slow_is_told_apart() -> None:
    outbox = Outbox(OutboxSettings(most_frames=2))
    outbox.put(b"1")
    outbox.put(b"2")
    with pytest.raises(OurError) as caught:
        outbox.put(b"3")
    assert caught.value.code is Code.TOO_SLOW
    assert _drain(outbox) == [b"1", b"2"]


def test_the_control_lane_is_bounded_by_size_too() -> None:
    outbox = Outbox(OutboxSettings(most_bytes=3))
    outbox.put(b"12")
    with pytest.raises(OurError):
        outbox.put(b"34")
    assert outbox.pop() == b"12"
    outbox.put(b"345")


def test_a_large_value_waits_whole_or_not_at_all() -> None:
    outbox = Outbox(OutboxSettings(most_bulk_bytes=4))
    assert outbox.put_bulk([b"12", b"34"])
    assert not outbox.put_bulk([b"5"])
    assert _drain(outbox) == [b"12", b"34"]
    assert outbox.put_bulk([b"5678"])


def test_a_closed_socket_leaves_nothing_behind() -> None:
    outbox = Outbox(OutboxSettings(most_bytes=2, most_bulk_bytes=2))
    outbox.put(b"12")
    outbox.put_latest("a", b"a")
    outbox.put_bulk([b"12"])
    outbox.clear()
    assert outbox.pop() is None
    outbox.put(b"12")
    assert outbox.put_bulk([b"12"])


@given(st.lists(st.tuples(st.sampled_from(["put", "first", "latest", "bulk", "pop"]), st.integers(0, 3)), max_size=60))
def test_nothing_is_lost_or_doubled_but_what_was_replaced(steps: list[tuple[str, int]]) -> None:
    outbox = Outbox()
    sent: set[bytes] = set()
    received: list[bytes] = []
    newest: dict[str, bytes] = {}
    for number, (step, key) in enumerate(steps):
        frame = b"%d" % number
        if step == "pop":
            popped = outbox.pop()
            received += [] if popped is None else [popped]
        elif step == "latest":
            overtaken = newest.get(str(key))
            if overtaken is not None and overtaken not in received:
                sent.discard(overtaken)
            newest[str(key)] = frame
            outbox.put_latest(str(key), frame)
            sent.add(frame)
        else:
            sent.add(frame)
            if step == "bulk":
                assert outbox.put_bulk([frame])
            else:
                outbox.put(frame, first=step == "first")
    received += _drain(outbox)
    assert len(received) == len(set(received))
    assert set(received) == sent
