"""The resonant circuit, checked against the formulas of the textbook."""

from __future__ import annotations

import cmath
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.physics.rlc import ResonanceBench, SeriesCircuit, Waveform

CIRCUIT = SeriesCircuit()


def driven(frequency_hz: float, waveform: Waveform = Waveform.SINE, amplitude_v: float = 2.0) -> ResonanceBench:
    bench = ResonanceBench()
    bench.frequency_hz, bench.waveform, bench.amplitude_v, bench.output = frequency_hz, waveform, amplitude_v, True
    return bench


def test_resonance_lies_where_thomson_says() -> None:
    assert CIRCUIT.resonance_hz == pytest.approx(5_032.9, abs=0.1)


def test_at_resonance_only_the_resistances_count_and_nothing_is_shifted() -> None:
    peak = CIRCUIT.transfer(CIRCUIT.resonance_hz)
    assert abs(peak) == pytest.approx(100.0 / 108.0)
    assert cmath.phase(peak) == pytest.approx(0.0, abs=1e-9)


@given(st.floats(10.0, 1e6))
def test_nothing_is_larger_than_the_peak(frequency_hz: float) -> None:
    assert abs(CIRCUIT.transfer(frequency_hz)) <= 100.0 / 108.0 + 1e-12


def test_the_bandwidth_is_resistance_over_inductance() -> None:
    half_width_hz = 108.0 / CIRCUIT.inductance_h / (2.0 * math.pi) / 2.0
    low = math.sqrt(CIRCUIT.resonance_hz**2 + half_width_hz**2) - half_width_hz
    high = low + 2.0 * half_width_hz
    for edge, phase_deg in ((low, 45.0), (high, -45.0)):
        assert abs(CIRCUIT.transfer(edge)) == pytest.approx(100.0 / 108.0 / math.sqrt(2.0))
        assert math.degrees(cmath.phase(CIRCUIT.transfer(edge))) == pytest.approx(phase_deg)


def test_the_capacitor_lets_no_direct_current_through() -> None:
    assert CIRCUIT.transfer(0.0) == 0.0
    bench = driven(5_000.0)
    bench.offset_v = 3.0
    assert sum(bench.trace(1, 0.0, 1e-6, 200)) / 200 == pytest.approx(3.0, abs=1e-9)
    assert sum(bench.trace(2, 0.0, 1e-6, 200)) / 200 == pytest.approx(0.0, abs=1e-9)


def test_the_second_channel_has_the_amplitude_and_phase_of_the_transfer() -> None:
    bench = driven(8_000.0)
    part = CIRCUIT.transfer(8_000.0)
    times = [i * 3e-6 for i in range(50)]
    expected = [2.0 * abs(part) * math.sin(2 * math.pi * 8_000.0 * t + cmath.phase(part)) for t in times]
    assert bench.trace(2, 0.0, 3e-6, 50) == pytest.approx(expected)
    assert bench.peak_to_peak(2) == pytest.approx(4.0 * abs(part))
    assert bench.phase_deg() == pytest.approx(math.degrees(cmath.phase(part)))


@pytest.mark.parametrize("waveform", list(Waveform))
def test_each_wave_has_its_shape(waveform: Waveform) -> None:
    quarter = driven(250.0, waveform).trace(1, 0.0005, 0.001, 4)
    eighth = {Waveform.SINE: math.sqrt(0.5), Waveform.SQUARE: 1.0, Waveform.TRIANGLE: 0.5}[waveform]
    assert quarter == pytest.approx([2.0 * eighth, 2.0 * eighth, -2.0 * eighth, -2.0 * eighth])
    assert driven(250.0, waveform).peak_to_peak(1) == 4.0


@pytest.mark.parametrize("waveform", list(Waveform))
def test_harmonics_add_up_to_the_wave_where_the_circuit_is_transparent(waveform: Waveform) -> None:
    bench = driven(1_000.0, waveform)
    bench.circuit = SeriesCircuit(resistance_ohm=1e6, inductance_h=1e-9, capacitance_f=1.0, coil_ohm=0.0)
    for through, source in zip(bench.trace(2, 33e-6, 50e-6, 20), bench.trace(1, 33e-6, 50e-6, 20), strict=True):
        assert through == pytest.approx(source, abs=0.35)


def test_a_square_wave_below_resonance_rings_higher_than_its_fundamental() -> None:
    resonance_third = CIRCUIT.resonance_hz / 3.0
    sine, square = driven(resonance_third), driven(resonance_third, Waveform.SQUARE)
    assert square.peak_to_peak(2) > 2.0 * sine.peak_to_peak(2)


def test_without_output_there_is_nothing_to_see() -> None:
    bench = driven(1_000.0)
    bench.output = False
    assert bench.trace(1, 0.0, 1e-3, 3) == [0.0, 0.0, 0.0]
    assert bench.peak_to_peak(1) == 0.0
