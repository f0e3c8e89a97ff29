from __future__ import annotations

from devices.model import CommandStatus
from remotelab.messages import CommandFinished, Ledger
from remotelab.stats import LATENCY_BOUNDS_MS, BenchStats, LatencyCount
from signaling.errors import Code


def test_latencies_are_counted_by_class() -> None:
    count = LatencyCount()
    for latency_ms in (0.5, 1.0, 3.0, 99_999.0):
        count.observe(latency_ms)
    assert count.classes[0] == 2
    assert count.classes[LATENCY_BOUNDS_MS.index(5.0)] == 1
    assert count.classes[-1] == 1
    assert count.sum_ms == 100_003.5


def test_refusals_are_counted_by_code() -> None:
    stats = BenchStats()
    stats.refused(Code.QUEUE_FULL)
    stats.refused(Code.QUEUE_FULL)
    assert stats.refusals == {Code.QUEUE_FULL: 2}


def test_an_outcome_counts_only_the_steps_that_it_reached() -> None:
    stats = BenchStats()
    whole = Ledger(0.0, 1.0, 2.0, 5.0, 9.0, 10.0)
    started = Ledger(0.0, 1.0, 2.0, 5.0)
    stats.finished(CommandFinished("command-1", CommandStatus.DONE, whole))
    stats.finished(CommandFinished("command-2", CommandStatus.UNKNOWN, started))
    stats.finished(CommandFinished("command-3", CommandStatus.UNKNOWN, Ledger(0.0, 1.0)))
    assert stats.outcomes == {CommandStatus.DONE: 1, CommandStatus.UNKNOWN: 2}
    assert stats.gateway_ms.sum_ms == 9.0
    assert stats.waiting_ms.sum_ms == 6.0
    assert stats.service_ms.sum_ms == 4.0
