"""Counting how a device does."""

from __future__ import annotations

from devices.agent.health import DeviceStats


def test_a_device_has_gone_silent_after_three_failures_in_a_row() -> None:
    stats = DeviceStats()
    stats.failed(answered=False)
    stats.failed(answered=False)
    stats.failed(answered=True)
    stats.failed(answered=False)
    stats.failed(answered=False)
    silent = [stats.has_gone_silent]
    stats.failed(answered=False)
    silent.append(stats.has_gone_silent)
    stats.succeeded(1.0, 10.0)
    silent.append(stats.has_gone_silent)
    assert silent == [False, True, False]
    assert (stats.exchanges, stats.errors, stats.last_answer_ms) == (7, 6, 10.0)


def test_percentiles_are_of_the_time_since_the_last_report() -> None:
    stats = DeviceStats()
    assert stats.percentile_ms(0.5) == 0.0
    for duration_ms in range(100):
        stats.succeeded(float(duration_ms), 0.0)
    assert (stats.percentile_ms(0.5), stats.percentile_ms(0.99), stats.percentile_ms(1.0)) == (50.0, 99.0, 99.0)
    stats.start_over()
    assert (stats.exchanges, stats.errors, stats.percentile_ms(0.5)) == (0, 0, 0.0)
