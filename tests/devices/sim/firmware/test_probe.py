"""The probe."""

from __future__ import annotations

from devices.sim.firmware.probe import ProbeFirmware


def test_it_remembers_and_counts() -> None:
    probe = ProbeFirmware()
    assert probe.receive(b"VOLT 3;VOLT 4;VOLT?;MEAS:VOLT?;COUN?\n", 0.0) == b"4.000000E+00;4.000000E+00;2\n"
    assert probe.receive(b"*RST;VOLT?\n", 0.0) == b"0.000000E+00\n"
