"""The function generator."""

from __future__ import annotations

from devices.sim.firmware.generator import GeneratorFirmware
from devices.sim.physics.rlc import ResonanceBench, Waveform


def ask(generator: GeneratorFirmware, line: str) -> str:
    return generator.receive(line.encode() + b"\n", 0.0).decode().strip()


def test_it_keeps_what_it_is_told() -> None:
    bench = ResonanceBench()
    generator = GeneratorFirmware(bench)
    reply = ask(generator, "FREQ 5033;VOLT 2;VOLT:OFFS -1;FUNC SQU;OUTP ON;FREQ?;VOLT?;VOLT:OFFS?;FUNC?;OUTP?")
    assert reply == "5.033000E+03;2.000000E+00;-1.000000E+00;SQU;1"
    assert bench.waveform is Waveform.SQUARE
    ask(generator, "*RST")
    assert (bench.output, bench.frequency_hz, bench.waveform) == (False, 1_000.0, Waveform.SINE)


def test_amplitude_and_offset_together_stay_within_ten_volts() -> None:
    generator = GeneratorFirmware(ResonanceBench())
    assert ask(generator, "VOLT 6;VOLT:OFFS 5;:SYST:ERR?") == '-221,"Settings conflict"'
    assert ask(generator, "VOLT:OFFS -4;VOLT 7;:SYST:ERR?") == '-221,"Settings conflict"'
    assert ask(generator, "VOLT?;VOLT:OFFS?") == "6.000000E+00;-4.000000E+00"
