"""Which interlocks block, by fresh readings only."""

from __future__ import annotations

from devices.agent.interlocks import Change, Interlocks
from devices.model import BenchDescription, DeviceDescription, Interlock, Property, Text, ValueType

TITLE = Text("x", "x")
HOT = Interlock("hot", TITLE, "plate.temperature > 80", ("plate.set_power",), makes_safe=True)
ON = Interlock("on", TITLE, "psu.output", ("motor.*",))


def bench(*interlocks: Interlock) -> BenchDescription:
    temperature = Property("temperature", TITLE, ValueType.FLOAT, poll_ms=1_000.0)
    serial = Property("serial", TITLE, ValueType.STR)
    plate = DeviceDescription("plate", "d", TITLE, "p", (temperature, serial))
    psu = DeviceDescription("psu", "d", TITLE, "p", (Property("output", TITLE, ValueType.BOOL, poll_ms=100.0),))
    return BenchDescription("b", TITLE, (plate, psu), interlocks)


def test_nothing_known_blocks_until_it_is_known() -> None:
    interlocks = Interlocks(bench(HOT, ON))
    assert list(interlocks.blocking) == ["hot", "on"]
    assert not interlocks.wants_safe_state
    assert interlocks.forbidding("plate", "set_power", 0.0) is HOT
    assert interlocks.take("plate", "temperature", 20.0, 0.0)
    assert interlocks.evaluate(0.0) == [Change(HOT, blocking=False, was_blocking=True, is_met=False)]
    assert list(interlocks.blocking) == ["on"]
    assert interlocks.forbidding("plate", "set_power", 0.0) is None
    assert interlocks.forbidding("plate", "reset", 0.0) is None
    assert interlocks.forbidding("motor", "run", 0.0) is ON


def test_a_condition_that_comes_true_is_told_once() -> None:
    interlocks = Interlocks(bench(HOT))
    interlocks.take("plate", "temperature", 90.0, 0.0)
    assert interlocks.evaluate(0.0) == [Change(HOT, blocking=True, was_blocking=True, is_met=True)]
    assert interlocks.wants_safe_state
    interlocks.take("plate", "temperature", 91.0, 1.0)
    assert interlocks.evaluate(1.0) == []


def test_readings_grow_old_after_three_polls_but_not_before_two_seconds() -> None:
    interlocks = Interlocks(bench(HOT, ON))
    interlocks.take("plate", "temperature", 20.0, 0.0)
    interlocks.take("psu", "output", False, 0.0)
    assert len(interlocks.evaluate(2_000.0)) == 2
    assert [change.interlock for change in interlocks.evaluate(2_001.0)] == [ON]
    assert interlocks.forbidding("plate", "set_power", 3_000.0) is None
    assert [change.interlock for change in interlocks.evaluate(3_001.0)] == [HOT]
    assert list(interlocks.blocking) == ["hot", "on"]


def test_a_device_that_went_away_is_unknown() -> None:
    interlocks = Interlocks(bench(HOT))
    interlocks.take("plate", "temperature", 20.0, 0.0)
    interlocks.evaluate(0.0)
    interlocks.forget("psu")
    assert interlocks.evaluate(0.0) == []
    interlocks.forget("plate")
    assert [change.blocking for change in interlocks.evaluate(0.0)] == [True]


def test_readings_that_decide_nothing_are_not_kept() -> None:
    interlocks = Interlocks(bench(HOT))
    assert not interlocks.take("psu", "output", True, 0.0)
    assert interlocks.names == {"plate.temperature"}


def test_a_changed_bench_goes_on_from_the_readings_that_it_still_needs() -> None:
    before = Interlocks(bench(HOT, ON))
    before.take("plate", "temperature", 20.0, 0.0)
    before.take("psu", "output", True, 0.0)
    after = Interlocks(bench(HOT))
    after.adopt(before)
    after.evaluate(0.0)
    assert not after.blocking


def test_a_bench_without_interlocks_blocks_nothing() -> None:
    interlocks = Interlocks(bench())
    assert interlocks.evaluate(0.0) == []
    assert interlocks.forbidding("plate", "set_power", 0.0) is None
