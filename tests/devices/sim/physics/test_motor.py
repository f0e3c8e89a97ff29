"""The motor: exact solutions, in steps of any size."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.physics.motor import Motor, MotorData

DATA = MotorData()


def driven(volts: float) -> Motor:
    motor = Motor()
    motor.volts = volts
    return motor


def test_twelve_volts_turn_it_five_and_a_half_times_a_second() -> None:
    assert DATA.final_speed(12.0) / (2.0 * math.pi) == pytest.approx(5.405, abs=0.01)
    assert DATA.time_constant_s == pytest.approx(0.151, abs=0.001)


def test_after_one_time_constant_it_has_63_percent_of_its_speed() -> None:
    motor = driven(6.0)
    motor.step(DATA.time_constant_s)
    assert motor.speed_rad_s == pytest.approx(DATA.final_speed(6.0) * (1.0 - math.exp(-1.0)))


def test_a_standing_motor_draws_its_stall_current_and_a_running_one_its_friction() -> None:
    motor = driven(6.0)
    assert motor.current_a == pytest.approx(6.0 / DATA.resistance_ohm)
    motor.step(1.5)
    assert motor.current_a * DATA.torque_nm_a == pytest.approx(DATA.friction_nm_s * motor.speed_rad_s, rel=1e-3)


@given(st.floats(-12.0, 12.0), st.integers(1, 50))
def test_many_steps_end_where_one_does(volts: float, steps: int) -> None:
    once, often = driven(volts), driven(volts)
    once.step(0.5)
    for _ in range(steps):
        often.step(0.5 / steps)
    assert often.speed_rad_s == pytest.approx(once.speed_rad_s, abs=1e-9)
    assert often.position_rad == pytest.approx(once.position_rad, abs=1e-9)


def test_the_end_stop_holds_it_and_lets_it_go_back() -> None:
    motor = driven(12.0)
    motor.step(60.0)
    assert motor.at_end_stop
    assert motor.position_rad == DATA.end_stop_rad
    assert motor.speed_rad_s == 0.0
    motor.volts = -12.0
    motor.step(1e-9)
    motor.step(0.1)
    assert motor.speed_rad_s < 0.0
    assert not motor.at_end_stop


def test_at_the_end_stop_it_keeps_a_speed_that_leads_away() -> None:
    motor = driven(0.0)
    motor.position_rad = -DATA.end_stop_rad - 1.0
    motor.speed_rad_s = 5.0
    motor.step(0.001)
    assert motor.position_rad == -DATA.end_stop_rad
    assert motor.speed_rad_s > 4.9
