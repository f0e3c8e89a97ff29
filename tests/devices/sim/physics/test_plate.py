"""The heated plate: two lags in a row."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.physics.plate import AMBIENT_C, Plate, PlateData

DATA = PlateData()


def heated(power_w: float) -> Plate:
    plate = Plate()
    plate.power_w = power_w
    return plate


def test_full_power_leads_to_220_degrees() -> None:
    assert DATA.final_c(60.0) == pytest.approx(220.0)
    plate = heated(60.0)
    plate.step(10_000.0)
    assert plate.plate_c == pytest.approx(220.0)
    assert plate.thermocouple_c == pytest.approx(220.0)


def test_after_one_time_constant_it_has_gone_63_percent_of_the_way() -> None:
    plate = heated(30.0)
    plate.step(DATA.time_constant_s)
    assert plate.plate_c == pytest.approx(AMBIENT_C + 100.0 * (1.0 - math.exp(-1.0)))


def test_the_thermocouple_lags_by_its_time_constant_on_a_slow_ramp() -> None:
    plate = heated(30.0)
    plate.step(12.0)
    before = plate.plate_c
    plate.step(0.5)
    slope_k_s = (plate.plate_c - before) / 0.5
    assert plate.plate_c - plate.thermocouple_c == pytest.approx(DATA.thermocouple_s * slope_k_s, rel=0.07)


@given(st.floats(0.0, 60.0), st.integers(1, 100))
def test_many_steps_end_where_one_does(power_w: float, steps: int) -> None:
    once, often = heated(power_w), heated(power_w)
    once.step(30.0)
    for _ in range(steps):
        often.step(30.0 / steps)
    assert often.plate_c == pytest.approx(once.plate_c)
    assert often.thermocouple_c == pytest.approx(once.thermocouple_c)
