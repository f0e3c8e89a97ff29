"""Waiting before dialling again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.backoff import Backoff, BackoffSettings


@given(st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=1, max_size=20))
def test_delays_grow_to_a_ceiling_and_never_fall_below_half_of_it(draws: list[float]) -> None:
    settings = BackoffSettings(first_ms=100.0, most_ms=1_000.0, factor=3.0)
    source = iter(draws)
    backoff = Backoff(lambda: next(source), settings)
    ceiling_ms = 100.0
    for _ in draws:
        delay_ms = backoff.next_ms()
        assert ceiling_ms / 2 <= delay_ms <= ceiling_ms
        ceiling_ms = min(1_000.0, ceiling_ms * 3.0)


def test_a_success_starts_over() -> None:
    backoff = Backoff(lambda: 0.0)
    first_ms = backoff.next_ms()
    assert backoff.next_ms() == 2 * first_ms
    backoff.succeeded()
    assert backoff.next_ms() == first_ms


def test_what_the_server_asks_for_is_respected() -> None:
    assert Backoff(lambda: 0.5).next_ms(at_least_ms=9_000.0) == 9_000.0
