"""A function generator on a series circuit of resistor, coil and capacitor, in the steady state.

Channel 1 of the scope sees the generator's voltage, channel 2 the voltage across the resistor. For each harmonic of the
wave, ``U_R / U = R / (R + R_coil + R_generator + j (ωL - 1/ωC))``; harmonics add up. The transient has gone
(2L/R is a fraction of a millisecond) before a person or a serial line can look.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

HARMONICS = 31


class Waveform(StrEnum):
    """What the generator can do, in SCPI's short words."""

    SINE = "SIN"
    SQUARE = "SQU"
    TRIANGLE = "TRI"


@dataclass(frozen=True, slots=True)
class SeriesCircuit:
    """The components; resonance is at 1 / (2π √(LC))."""

    resistance_ohm: float = 100.0
    inductance_h: float = 10e-3
    capacitance_f: float = 100e-9
    coil_ohm: float = 8.0

    @property
    def resonance_hz(self) -> float:
        """Where the current is largest, and in phase."""
        return 1.0 / (2.0 * math.pi * math.sqrt(self.inductance_h * self.capacitance_f))

    def transfer(self, frequency_hz: float) -> complex:
        """The voltage across the resistor, relative to the generator's, with its phase."""
        if frequency_hz == 0.0:
            return 0j
        omega = 2.0 * math.pi * frequency_hz
        reactance = omega * self.inductance_h - 1.0 / (omega * self.capacitance_f)
        return self.resistance_ohm / complex(self.resistance_ohm + self.coil_ohm, reactance)


def _sine(k: int) -> float:
    return 1.0 if k == 1 else 0.0


def _square(k: int) -> float:
    return 4.0 / (math.pi * k)


def _triangle(k: int) -> float:
    return math.copysign(8.0 / (math.pi * k) ** 2, 1.0 if k % 4 == 1 else -1.0)


_SERIES: Mapping[Waveform, Callable[[int], float]] = {
    Waveform.SINE: _sine,
    Waveform.SQUARE: _square,
    Waveform.TRIANGLE: _triangle,
}
"""The amplitude of each odd harmonic ``sin(k ω t)`` of a wave of amplitude 1."""


class ResonanceBench:
    """What the generator is set to, and what the two channels then show."""

    def __init__(self, circuit: SeriesCircuit | None = None) -> None:
        self.circuit = circuit or SeriesCircuit()
        self.frequency_hz = 1_000.0
        self.amplitude_v = 1.0
        """From zero to the peak."""
        self.offset_v = 0.0
        self.waveform = Waveform.SINE
        self.output = False

    def trace(self, channel: int, start_s: float, step_s: float, count: int) -> list[float]:
        """What channel 1 or 2 shows at so many times; the wave's rising zero crossing is at time 0."""
        if not self.output:
            return [0.0] * count
        phases = [2.0 * math.pi * self.frequency_hz * (start_s + i * step_s) for i in range(count)]
        if channel == 1:
            return [self.offset_v + self.amplitude_v * _wave(self.waveform, phase) for phase in phases]
        # The capacitor lets no direct current through: the offset does not appear here.
        parts = [(k, abs(part), cmath.phase(part)) for k, part in self._harmonics()]
        return [sum(height * math.sin(k * phase + shift) for k, height, shift in parts) for phase in phases]

    def peak_to_peak(self, channel: int) -> float:
        """The height of the wave that a channel shows."""
        if not self.output:
            return 0.0
        if channel == 1:
            return 2.0 * self.amplitude_v
        if self.waveform is Waveform.SINE:
            return 2.0 * self.amplitude_v * abs(self.circuit.transfer(self.frequency_hz))
        period_s = 1.0 / self.frequency_hz
        values = self.trace(2, 0.0, period_s / 500, 500)
        return max(values) - min(values)

    def phase_deg(self) -> float:
        """How far the current runs ahead of the voltage, in the fundamental."""
        return math.degrees(cmath.phase(self.circuit.transfer(self.frequency_hz)))

    def _harmonics(self) -> list[tuple[int, complex]]:
        series = _SERIES[self.waveform]
        return [
            (k, self.amplitude_v * series(k) * self.circuit.transfer(k * self.frequency_hz))
            for k in range(1, HARMONICS + 1, 2)
            if series(k) != 0.0
        ]


def _wave(waveform: Waveform, phase: float) -> float:
    """A wave of amplitude 1 with its rising zero crossing at phase 0."""
    if waveform is Waveform.SINE:
        return math.sin(phase)
    turn = phase / (2.0 * math.pi) % 1.0
    if waveform is Waveform.SQUARE:
        return 1.0 if turn < 0.5 else -1.0
    return 4.0 * turn if turn < 0.25 else 2.0 - 4.0 * turn if turn < 0.75 else 4.0 * turn - 4.0
