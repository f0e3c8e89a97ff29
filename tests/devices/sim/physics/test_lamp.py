"""The lamp: balances that can be computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.physics.lamp import AMBIENT_K, Filament, LampCircuit


def lit(volts: float, *, limit_a: float = 3.0) -> LampCircuit:
    circuit = LampCircuit()
    circuit.supply_v, circuit.limit_a, circuit.output = volts, limit_a, True
    circuit.advance(0.0)
    return circuit


def settled(circuit: LampCircuit) -> LampCircuit:
    circuit.advance(60_000.0)
    circuit.advance(120_000.0)
    return circuit


def test_a_cold_lamp_draws_the_current_of_its_cold_resistance() -> None:
    assert lit(12.0).current_a == pytest.approx(12.0 / (10.0 + 2.0))


def test_tungsten_has_twelve_times_its_cold_resistance_at_white_heat() -> None:
    assert Filament().resistance_ohm(AMBIENT_K) == pytest.approx(2.0)
    assert Filament().resistance_ohm(8.0 * AMBIENT_K) == pytest.approx(2.0 * 8.0**1.2)


@given(st.floats(0.5, 30.0))
def test_a_hot_lamp_gives_away_what_it_takes(volts: float) -> None:
    circuit = settled(lit(volts))
    power_w = circuit.current_a**2 * circuit.lamp_ohm
    assert power_w == pytest.approx(circuit.filament.loss_w(circuit.temperature_k), rel=1e-3)
    assert circuit.lamp_v == pytest.approx(circuit.current_a * circuit.lamp_ohm)
    assert circuit.terminal_v == pytest.approx(volts)


def test_twelve_volts_make_it_white_hot() -> None:
    circuit = settled(lit(12.0))
    assert 2_200 < circuit.temperature_k < 2_600
    assert 8.0 < circuit.lamp_v < 9.0


def test_the_current_limit_holds_and_is_reported() -> None:
    circuit = settled(lit(12.0, limit_a=0.1))
    assert circuit.current_a == 0.1
    assert circuit.limiting
    assert circuit.terminal_v == pytest.approx(0.1 * (10.0 + circuit.lamp_ohm))
    assert not settled(lit(12.0)).limiting


def test_with_the_output_off_nothing_flows_and_it_cools_to_ambient() -> None:
    circuit = settled(lit(12.0))
    circuit.output = False
    assert circuit.current_a == 0.0
    assert circuit.terminal_v == 0.0
    assert not circuit.limiting
    circuit.advance(circuit_time := 1_000_000.0)
    circuit.advance(circuit_time + 1_000_000.0)
    assert circuit.temperature_k == pytest.approx(AMBIENT_K, abs=0.1)


def test_a_little_warmth_is_lost_exponentially() -> None:
    """Near ambient the losses are linear: 4 k_rad T³ + k_cond, so the time constant is C over that."""
    filament = Filament()
    circuit = LampCircuit(filament)
    circuit.temperature_k = AMBIENT_K + 1.0
    circuit.advance(0.0)
    tau_s = filament.heat_capacity_j_k / (4.0 * filament.radiation_w_k4 * AMBIENT_K**3 + filament.conduction_w_k)
    circuit.advance(tau_s * 1_000.0)
    assert circuit.temperature_k - AMBIENT_K == pytest.approx(math.exp(-1.0), rel=0.02)


def test_many_small_steps_and_few_large_ones_end_alike() -> None:
    often, seldom = lit(12.0), lit(12.0)
    for millisecond in range(0, 2_001, 10):
        often.advance(float(millisecond))
    seldom.advance(2_000.0)
    assert often.temperature_k == pytest.approx(seldom.temperature_k, rel=0.01)


def test_a_clock_that_jumps_back_changes_nothing() -> None:
    circuit = lit(12.0)
    circuit.advance(1_000.0)
    before = circuit.temperature_k
    circuit.advance(500.0)
    assert circuit.temperature_k == before
