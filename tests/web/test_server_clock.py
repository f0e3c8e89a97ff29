from __future__ import annotations

import time

import pytest

from web.server_clock import server_clock


def test_it_starts_at_the_present_unix_time_and_never_goes_back() -> None:
    clock = server_clock()
    assert clock() == pytest.approx(time.time() * 1_000.0, abs=5_000.0)
    readings = [clock() for _ in range(1_000)]
    assert readings == sorted(readings)


def test_it_does_not_follow_a_wall_clock_that_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = server_clock()
    before = clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock() >= before
