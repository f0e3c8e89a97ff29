"""The oscilloscope."""

from __future__ import annotations

import math
import struct

import pytest

from devices.codecs.line import LineCodec, take_block
from devices.sim.firmware.scope import MAX_CODE, POINTS, ScopeFirmware
from devices.sim.physics.rlc import ResonanceBench, Waveform


def ask(scope: ScopeFirmware, line: str, now_ms: float = 0.0) -> bytes:
    reply = LineCodec(blocks=True).decoder(b"?").feed(scope.receive(line.encode() + b"\n", now_ms))
    assert reply is not None
    return reply


def tell(scope: ScopeFirmware, line: str) -> None:
    assert scope.receive(line.encode() + b"\n", 0.0) == b""
    assert not scope.errors


def trace(scope: ScopeFirmware, channel: int, now_ms: float = 0.0) -> tuple[list[float], float, float]:
    """The volts, the first time and the time step."""
    preamble, _, rest = ask(scope, f"WAV{channel}:PRE?;:WAV{channel}:DATA?", now_ms).partition(b";")
    x0, dx, volts = map(float, preamble.decode().split(","))
    samples, _ = take_block(rest)
    return [code * volts for code in struct.unpack(f"{POINTS}b", samples)], x0, dx


def bench_with(waveform: Waveform = Waveform.SINE, amplitude_v: float = 1.5) -> ResonanceBench:
    bench = ResonanceBench()
    bench.output, bench.waveform, bench.amplitude_v, bench.frequency_hz = True, waveform, amplitude_v, 5_000.0
    return bench


def test_a_trace_shows_the_wave_from_its_trigger_on() -> None:
    scope = ScopeFirmware(bench_with())
    tell(scope, "TIM:SCAL 5e-5;CHAN1:SCAL 0.5")
    volts, x0, dx = trace(scope, 1)
    assert (x0, dx) == pytest.approx((-2.5e-4, 1e-6))
    expected = [1.5 * math.sin(2.0 * math.pi * 5_000.0 * (x0 + i * dx)) for i in range(POINTS)]
    assert volts == pytest.approx(expected, abs=0.5 / 25)


def test_the_trigger_level_moves_the_trace() -> None:
    scope = ScopeFirmware(bench_with())
    tell(scope, "TRIG:LEV 0.75;TIM:SCAL 5e-5")
    volts, _, _ = trace(scope, 1)
    assert volts[POINTS // 2] == pytest.approx(0.75, abs=0.5 / 25)
    assert volts[POINTS // 2 + 5] > volts[POINTS // 2]


def test_the_second_channel_lags_above_resonance_by_the_circuits_phase() -> None:
    bench = bench_with()
    bench.frequency_hz = 8_000.0
    scope = ScopeFirmware(bench)
    tell(scope, "TIM:SCAL 2.5e-5;CHAN2:SCAL 0.2")
    volts, x0, dx = trace(scope, 2)
    rise = next(i for i in range(POINTS // 2, POINTS) if volts[i] < 0.0 <= volts[i + 1])
    lag_deg = 360.0 * 8_000.0 * (x0 + rise * dx)
    assert lag_deg == pytest.approx(-bench.phase_deg(), abs=5.0)
    assert float(ask(scope, "MEAS:PHAS?")) == pytest.approx(bench.phase_deg(), abs=1e-3)


def test_too_fine_a_scale_clips() -> None:
    scope = ScopeFirmware(bench_with())
    tell(scope, "CHAN1:SCAL 0.1")
    volts, _, _ = trace(scope, 1)
    assert max(volts) == pytest.approx(MAX_CODE / 25 * 0.1)
    assert min(volts) == pytest.approx(-MAX_CODE / 25 * 0.1)


def test_without_a_crossing_it_runs_free() -> None:
    scope = ScopeFirmware(bench_with())
    tell(scope, "TRIG:LEV 5")
    assert trace(scope, 1, 0.0)[0] != trace(scope, 1, 0.05)[0]


def test_stopped_it_keeps_what_it_had() -> None:
    bench = bench_with()
    scope = ScopeFirmware(bench)
    tell(scope, "STOP")
    held = trace(scope, 1)[0]
    bench.amplitude_v = 0.1
    tell(scope, "STOP")
    assert trace(scope, 1)[0] == held
    tell(scope, "RUN")
    assert trace(scope, 1)[0] != held
    tell(scope, "RUN:STAT 0")
    assert ask(scope, "RUN:STAT?") == b"0"


def test_it_measures_peak_to_peak() -> None:
    scope = ScopeFirmware(bench_with())
    assert float(ask(scope, "MEAS1:VPP?")) == pytest.approx(3.0)
    assert 0.0 < float(ask(scope, "MEAS2:VPP?")) < 3.0


def test_settings_read_back_and_reset() -> None:
    scope = ScopeFirmware(ResonanceBench())
    tell(scope, "TIM:SCAL 1e-3;TRIG:LEV -1;CHAN2:SCAL 2")
    assert ask(scope, "TIM:SCAL?;TRIG:LEV?;CHAN2:SCAL?") == b"1.000000E-03;-1.000000E+00;2.000000E+00"
    tell(scope, "*RST")
    assert ask(scope, "TIM:SCAL?;CHAN2:SCAL?") == b"2.000000E-04;5.000000E-01"


def test_without_a_signal_there_is_a_flat_line() -> None:
    scope = ScopeFirmware(ResonanceBench())
    assert set(trace(scope, 2)[0]) == {0.0}
    assert ask(scope, "MEAS:PHAS?") == b"0.000"
