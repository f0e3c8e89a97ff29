"""When which properties are read."""

from __future__ import annotations

from devices.agent.polling import PollPlan
from devices.model import DeviceDescription, Property, Text, ValueType

TITLE = Text("x", "x")


def device(**periods_ms: float | None) -> DeviceDescription:
    properties = tuple(Property(name, TITLE, ValueType.FLOAT, poll_ms=poll_ms) for name, poll_ms in periods_ms.items())
    return DeviceDescription("psu", "d", TITLE, "p", properties)


def test_properties_of_one_period_are_read_in_one_round() -> None:
    plan = PollPlan()
    plan.add(device(voltage=200.0, current=200.0, output=500.0, serial=None), 0.0)
    due_ms = [plan.next_due_ms]
    fast, slow = plan.due(0.0)
    due_ms.append(plan.next_due_ms)
    assert due_ms == [0.0, None]
    assert (fast.properties, slow.properties) == (("voltage", "current"), ("output",))
    seen = []
    for _ in range(2):
        seen.append((fast.next_property, fast.is_complete))
        fast.done += 1
    assert seen == [("voltage", False), ("current", False)]
    assert fast.is_complete
    plan.finish(fast, 30.0)
    assert plan.next_due_ms == 200.0
    assert plan.due(199.0) == []
    assert plan.due(200.0) == [fast]
    assert (fast.done, fast.values) == (0, {})


def test_periods_that_were_missed_are_skipped() -> None:
    plan = PollPlan()
    plan.add(device(voltage=100.0), 0.0)
    (round_,) = plan.due(0.0)
    plan.finish(round_, 250.0)
    assert plan.next_due_ms == 300.0


def test_a_removed_device_is_read_no_more() -> None:
    plan = PollPlan()
    plan.add(device(voltage=100.0), 0.0)
    (round_,) = plan.due(0.0)
    assert plan.holds(round_)
    plan.remove("psu")
    plan.remove("nobody")
    assert not plan.holds(round_)
    assert plan.next_due_ms is None
    plan.add(device(voltage=100.0), 0.0)
    assert not plan.holds(round_)
