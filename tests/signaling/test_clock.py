"""Following a clock: never later than the truth where lateness would hurt, and quick to notice a jump."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.clock import DRIFT_PER_MS, ClockFollower

delays = st.floats(0.0, 400.0)


def _exchange(follower: ClockFollower, *, at_ms: float, offset_ms: float, out_ms: float, back_ms: float) -> float:
    """One ping that leaves at local time ``at_ms``; returns the local time at which the answer is there."""
    received = at_ms + out_ms + offset_ms
    replied = received + 0.1
    back = replied + back_ms - offset_ms
    follower.observe(sent_ms=at_ms, received_ms=received, replied_ms=replied, back_ms=back)
    return back


def test_nothing_can_be_converted_before_the_first_exchange() -> None:
    follower = ClockFollower()
    assert not follower.is_set
    assert follower.error_ms(0.0) == float("inf")
    with pytest.raises(LookupError):
        follower.server_ms(0.0)
    with pytest.raises(LookupError):
        follower.latest_local_ms(0.0, 0.0)


@given(st.lists(st.tuples(delays, delays), min_size=1, max_size=30), st.floats(-1e9, 1e9))
def test_a_command_never_seems_younger_nor_a_deadline_later_than_it_is(
    links: list[tuple[float, float]], offset_ms: float
) -> None:
    follower = ClockFollower()
    now_ms = 1_000.0
    for out_ms, back_ms in links:
        now_ms = _exchange(follower, at_ms=now_ms, offset_ms=offset_ms, out_ms=out_ms, back_ms=back_ms) + 500.0
        slack = 1e-6 * (1.0 + abs(offset_ms))
        assert follower.earliest_server_ms(now_ms) <= now_ms + offset_ms + slack
        assert follower.latest_local_ms(now_ms + offset_ms, now_ms) <= now_ms + slack
        assert abs(follower.server_ms(now_ms) - (now_ms + offset_ms)) <= follower.error_ms(now_ms) + slack
    assert follower.jumps == 0


def test_the_exchange_with_the_shortest_round_trip_is_believed() -> None:
    follower = ClockFollower()
    _exchange(follower, at_ms=0.0, offset_ms=5_000.0, out_ms=200.0, back_ms=10.0)
    _exchange(follower, at_ms=1_000.0, offset_ms=5_000.0, out_ms=1.0, back_ms=1.0)
    back = _exchange(follower, at_ms=2_000.0, offset_ms=5_000.0, out_ms=10.0, back_ms=200.0)
    assert follower.server_ms(back) == pytest.approx(back + 5_000.0)
    assert follower.round_trip_ms == pytest.approx(210.0)
    assert follower.error_ms(back) == pytest.approx(1.0 + DRIFT_PER_MS * (back - 1_002.1))


def test_an_old_exchange_gives_way_to_a_newer_one_as_it_ages() -> None:
    follower = ClockFollower(keep=100)
    _exchange(follower, at_ms=0.0, offset_ms=0.0, out_ms=1.0, back_ms=1.0)
    back = _exchange(follower, at_ms=60_000.0, offset_ms=0.0, out_ms=2.0, back_ms=2.0)
    assert follower.error_ms(back) == pytest.approx(2.0)


@pytest.mark.parametrize("jump_ms", [60_000.0, -60_000.0])
def test_a_jump_of_either_clock_starts_the_filter_anew(jump_ms: float) -> None:
    follower = ClockFollower()
    _exchange(follower, at_ms=0.0, offset_ms=0.0, out_ms=1.0, back_ms=1.0)
    back = _exchange(follower, at_ms=1_000.0, offset_ms=jump_ms, out_ms=20.0, back_ms=20.0)
    assert follower.jumps == 1
    assert follower.server_ms(back) == pytest.approx(back + jump_ms)


def test_a_local_clock_that_runs_backwards_is_a_jump() -> None:
    follower = ClockFollower()
    _exchange(follower, at_ms=10_000.0, offset_ms=0.0, out_ms=1.0, back_ms=1.0)
    _exchange(follower, at_ms=1_000.0, offset_ms=0.0, out_ms=5.0, back_ms=5.0)
    assert follower.jumps == 1


def test_reset_forgets_the_old_server() -> None:
    follower = ClockFollower()
    _exchange(follower, at_ms=0.0, offset_ms=7.0, out_ms=1.0, back_ms=1.0)
    follower.reset()
    assert not follower.is_set
    assert follower.round_trip_ms is None
