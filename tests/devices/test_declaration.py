"""The words of drivers."""

from __future__ import annotations

from devices.declaration import (
    KNOB_TIME_TO_LIVE_MS,
    MOVING_TIME_TO_LIVE_MS,
    TIME_TO_LIVE_MS,
    choice,
    expect,
    integer,
    number,
    operation,
    query,
    reading,
    set_point,
    step,
    switch,
)
from devices.model import ActionKind, Limit, Parameter, Property, Text, ValueType
from signaling.wire import Value

NAME = Text("Voltage", "电压")


async def method(self: object, io: object) -> Value:
    return None


def test_a_reading_describes_itself() -> None:
    declared = reading(NAME, "V", read="VOLT?", low=0.0, high=30.0, decimals=2, poll_ms=200.0)
    assert declared.description("voltage") == Property(
        "voltage", NAME, ValueType.FLOAT, "V", 2, 200.0, Limit(0.0, 30.0)
    )
    assert declared.read == "VOLT?"


def test_a_method_takes_the_place_of_a_text() -> None:
    assert reading(NAME)(method).method is method
    assert query(NAME)(method).method is method


def test_a_set_point_is_a_knob_with_a_short_life() -> None:
    action = set_point(NAME, switch("on", NAME), write="OUTP {on:d}", reads="output").description("set", 20.0)
    assert action.kind is ActionKind.SET_POINT
    assert action.time_to_live_ms == KNOB_TIME_TO_LIVE_MS
    assert action.reads == "output"
    assert action.expected_ms == 20.0


def test_what_moves_lives_for_a_second_at_most() -> None:
    for declared in (set_point(NAME, moves=True), operation(NAME, moves=True)):
        action = declared.description("go", 1.0)
        assert action.most_time_to_live_ms == MOVING_TIME_TO_LIVE_MS
        assert action.time_to_live_ms <= MOVING_TIME_TO_LIVE_MS


def test_a_measurement_lives_for_two_seconds() -> None:
    assert query(NAME, reads="voltage").description("measure", 1.0).time_to_live_ms == TIME_TO_LIVE_MS
    assert operation(NAME).description("reset", 1.0).time_to_live_ms == TIME_TO_LIVE_MS


def test_the_expected_time_is_wire_and_work_and_settling() -> None:
    action = operation(NAME, busy_ms=3.0, settle_ms=40.0).description("do", 2.0)
    assert action.expected_ms == 45.0
    assert action.settle_ms == 40.0


def test_parameters_carry_type_unit_limits_and_choices() -> None:
    assert number("v", NAME, "V", low=0.0, high=1.0, step=0.1, default=0.5) == Parameter(
        "v", NAME, ValueType.FLOAT, "V", Limit(0.0, 1.0, 0.1), default=0.5
    )
    assert integer("n", NAME, low=1, high=4) == Parameter("n", NAME, ValueType.INT, "", Limit(1, 4, 1))
    assert switch("on", NAME, default=True) == Parameter("on", NAME, ValueType.BOOL, default=True)
    assert choice("c", NAME, "a", "b", default="a") == Parameter(
        "c", NAME, ValueType.STR, choices=("a", "b"), default="a"
    )


def test_a_step_keeps_its_arguments() -> None:
    assert dict(step("set_output", on=False).args) == {"on": False}


def test_an_expectation_says_what_is_wrong() -> None:
    assert expect("output", False).complaint(False) is None
    assert expect("output", False).complaint(True) == "output is True, not False"
    assert expect("speed", within=0.1).complaint(-0.1) is None
    assert expect("speed", within=0.1).complaint(0.2) == "speed is 0.2, more than 0.1 from zero"
    assert expect("speed", within=0.1).complaint("fast") == "speed is fast, more than 0.1 from zero"
