"""Arguments within bounds, and the lab's own bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.limits import ArgumentError, LimitError, checked_arguments, tightened
from devices.model import Action, ActionKind, DeviceDescription, Limit, Parameter, Text, ValueType
from signaling.errors import Code

TITLE = Text("x", "x")


def action(*parameters: Parameter) -> Action:
    return Action("set", TITLE, ActionKind.SET_POINT, parameters)


VOLTAGE = Parameter("voltage", TITLE, ValueType.FLOAT, "V", Limit(0.0, 30.0, 0.1))
COUNT = Parameter("count", TITLE, ValueType.INT, "", Limit(1, 10), default=3)
SHAPE = Parameter("shape", TITLE, ValueType.STR, choices=("sine", "square"))
LABEL = Parameter("label", TITLE, ValueType.STR)
ON = Parameter("on", TITLE, ValueType.BOOL)


@pytest.mark.parametrize(
    ("parameter", "value", "checked"),
    [
        (VOLTAGE, 3, 3.0),
        (VOLTAGE, 30.0, 30.0),
        (COUNT, 10, 10),
        (SHAPE, "sine", "sine"),
        (LABEL, "灯", "灯"),
        (ON, False, False),
    ],
)
def test_good_arguments_come_as_the_driver_wants_them(parameter: Parameter, value: object, checked: object) -> None:
    result = checked_arguments(action(parameter), {parameter.name: value})[parameter.name]
    assert result == checked
    assert type(result) is type(checked)


def test_defaults_are_filled_in() -> None:
    assert checked_arguments(action(COUNT), {}) == {"count": 3}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (VOLTAGE, math.nan),
        (VOLTAGE, math.inf),
        (VOLTAGE, -math.inf),
        (VOLTAGE, True),
        (VOLTAGE, "3"),
        (VOLTAGE, "3 V"),
        (VOLTAGE, None),
        (VOLTAGE, [3.0]),
        (VOLTAGE, 10**400),
        (COUNT, 2.0),
        (COUNT, True),
        (COUNT, "2"),
        (SHAPE, "triangle"),
        (SHAPE, 1),
        (LABEL, "x" * 257),
        (LABEL, "OUTP ON\nOUTP OFF"),
        (LABEL, b"x"),
        (ON, 1),
        (ON, "true"),
        (Parameter("trace", TITLE, ValueType.TRACE), {"y": []}),
    ],
)
def test_bad_arguments_are_refused(parameter: Parameter, value: object) -> None:
    with pytest.raises(ArgumentError) as caught:
        checked_arguments(action(parameter), {parameter.name: value})
    assert caught.value.code is Code.BAD_ARGUMENT
    assert caught.value.parameter == parameter.name


def test_unknown_and_missing_names_are_refused() -> None:
    with pytest.raises(ArgumentError) as unknown:
        checked_arguments(action(VOLTAGE), {"voltage": 1.0, "x" * 80: 1})
    assert unknown.value.code is Code.BAD_ARGUMENT
    assert unknown.value.parameter == "x" * 40
    with pytest.raises(ArgumentError, match="voltage is missing"):
        checked_arguments(action(VOLTAGE), {})


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        (VOLTAGE, 30.1, "set: voltage = 30.1 V is out of limits; allowed from 0 V up to 30 V."),
        (VOLTAGE, -1, "set: voltage = -1 V is out of limits; allowed from 0 V up to 30 V."),
        (Parameter("n", TITLE, ValueType.INT, limit=Limit(high=5)), 6, "set: n = 6 is out of limits; allowed up to 5."),
        (Parameter("n", TITLE, ValueType.INT, limit=Limit(low=5)), 4, "set: n = 4 is out of limits; allowed from 5."),
        (COUNT, 10**400, "set: count = an enormous number is out of limits; allowed from 1 up to 10."),
    ],
)
def test_a_value_out_of_limits_is_named_with_its_bounds(parameter: Parameter, value: object, text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        checked_arguments(action(parameter), {parameter.name: value})
    assert caught.value.code is Code.OUT_OF_LIMITS
    assert caught.value.text == text


@given(st.floats(), st.floats(0, 10), st.floats(10, 20))
def test_only_finite_numbers_between_the_bounds_pass(value: float, low: float, high: float) -> None:
    parameter = Parameter("x", TITLE, ValueType.FLOAT, limit=Limit(low, high))
    try:
        assert low <= checked_arguments(action(parameter), {"x": value})["x"] <= high  # type: ignore[operator]  # a float
    except ArgumentError:
        assert not low <= value <= high


DEVICE = DeviceDescription(
    "psu",
    "tongke-psu",
    TITLE,
    "p",
    actions=(action(VOLTAGE, SHAPE), Action("go", TITLE, ActionKind.OPERATION, (COUNT,))),
)


def test_the_labs_limits_replace_the_drivers_bounds() -> None:
    narrowed = tightened(DEVICE, {"set.voltage": Limit(high=12.0), "go.count": Limit(2, 4, 2)})
    voltage = narrowed.actions[0].parameters[0]
    assert voltage.limit == Limit(0.0, 12.0, 0.1)
    assert narrowed.actions[0].parameters[1] is SHAPE
    assert narrowed.actions[1].parameters[0].limit == Limit(2, 4, 2)
    with pytest.raises(ArgumentError):
        checked_arguments(narrowed.actions[0], {"voltage": 13.0, "shape": "sine"})


@pytest.mark.parametrize(
    ("place", "limit", "words"),
    [
        ("set.voltage", Limit(high=31.0), "above the driver's own 30"),
        ("set.voltage", Limit(low=-1.0), "below the driver's own 0"),
        ("set.voltage", Limit(5.0, 4.0), "nothing lies between"),
        ("set.current", Limit(high=1.0), "no parameter of an action of tongke-psu"),
        ("fly.voltage", Limit(high=1.0), "no parameter"),
        ("set.shape", Limit(high=1.0), "not a number"),
        ("go.count", Limit(low=5), "its default 3"),
    ],
)
def test_limits_that_do_not_fit_are_refused_in_words(place: str, limit: Limit, words: str) -> None:
    with pytest.raises(LimitError, match=words):
        tightened(DEVICE, {place: limit})


def test_open_bounds_may_be_closed_by_the_lab() -> None:
    open_ended = DeviceDescription("d", "d", TITLE, "p", actions=(action(Parameter("x", TITLE, ValueType.FLOAT)),))
    assert tightened(open_ended, {"set.x": Limit(high=2.0)}).actions[0].parameters[0].limit == Limit(None, 2.0)
    assert tightened(open_ended, {"set.x": Limit(low=2.0)}).actions[0].parameters[0].limit == Limit(2.0, None)
