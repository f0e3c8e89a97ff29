from __future__ import annotations

from remotelab.messages import TelemetryHistory
from remotelab.telemetry import MOST_COLUMNS, TelemetryRing


def test_history_has_a_row_for_each_reading_and_a_column_for_each_property() -> None:
    ring = TelemetryRing("psu")
    ring.add(1.0, {"voltage": 3.3})
    ring.add(2.0, {"current": 0.1})
    assert ring.history() == TelemetryHistory(
        "psu", ("time_ms", "voltage", "current"), ((1.0, 3.3, None), (2.0, None, 0.1))
    )
    assert ring.latest == {"voltage": 3.3, "current": 0.1}


def test_there_is_no_history_before_the_first_reading() -> None:
    assert TelemetryRing("psu").history() is None


def test_the_oldest_reading_gives_way() -> None:
    ring = TelemetryRing("psu", keep=3)
    for time in range(5):
        ring.add(float(time), {"voltage": time})
    history = ring.history()
    assert len(ring) == 3
    assert history is not None
    assert [row[0] for row in history.rows] == [2.0, 3.0, 4.0]


def test_traces_and_endless_columns_are_not_kept() -> None:
    ring = TelemetryRing("scope")
    ring.add(1.0, {"trace": {"y": [1.0]}, "list": [1], "raw": b"x", "text": "x" * 1_000, "mode": "fast"})
    ring.add(2.0, {f"p{number}": number for number in range(100)})
    history = ring.history()
    assert history is not None
    assert history.columns[:2] == ("time_ms", "mode")
    assert len(history.columns) == 1 + MOST_COLUMNS
