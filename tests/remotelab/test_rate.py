from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remotelab.rate import TokenBucket


def test_a_burst_passes_and_then_the_pace_is_kept() -> None:
    bucket = TokenBucket(per_s=10.0, burst=2.0, now_ms=0.0)
    assert [bucket.take(0.0), bucket.take(0.0)] == [None, None]
    assert bucket.take(0.0) == 100.0
    assert bucket.take(50.0) == 50.0
    assert bucket.take(100.0) is None


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    bucket = TokenBucket(per_s=1_000.0, burst=1.0, now_ms=10.0)
    assert bucket.take(10.0) is None
    assert bucket.take(5.0) == 1.0


@given(st.lists(st.floats(0.0, 50.0), max_size=200), st.floats(1.0, 1_000.0), st.floats(1.0, 50.0))
def test_never_more_pass_than_the_burst_and_the_pace_allow(pauses: list[float], per_s: float, burst: float) -> None:
    bucket = TokenBucket(per_s, burst, 0.0)
    now_ms, passed = 0.0, 0
    for pause_ms in pauses:
        now_ms += pause_ms
        passed += bucket.take(now_ms) is None
        assert passed <= burst + now_ms * per_s / 1_000.0 + 1e-6
