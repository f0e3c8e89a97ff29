"""The power supply."""

from __future__ import annotations

import pytest

from devices.sim.firmware.psu import SupplyFirmware
from devices.sim.physics.lamp import LampCircuit


def ask(supply: SupplyFirmware, line: str, now_ms: float = 0.0) -> str:
    return supply.receive(line.encode() + b"\n", now_ms).decode().strip()


def test_it_keeps_what_it_is_told() -> None:
    supply = SupplyFirmware(LampCircuit())
    assert ask(supply, "VOLT 12;CURR 0.5;OUTP ON;VOLT?;CURR?;OUTP?") == "1.200000E+01;5.000000E-01;1"


def test_it_measures_at_its_terminals() -> None:
    circuit = LampCircuit()
    supply = SupplyFirmware(circuit)
    ask(supply, "VOLT 12;OUTP 1;CURR 3")
    assert float(ask(supply, "MEAS:VOLT?", 5_000.0)) == pytest.approx(12.0)
    assert float(ask(supply, "MEAS:CURR?", 5_000.0)) == pytest.approx(circuit.current_a, rel=1e-5)
    assert float(ask(supply, "MEAS:POW?", 5_000.0)) == pytest.approx(12.0 * circuit.current_a, rel=1e-5)


def test_it_says_when_it_limits_the_current() -> None:
    supply = SupplyFirmware(LampCircuit())
    assert ask(supply, "STAT:LIM?") == "0"
    assert ask(supply, "CURR 0.1;VOLT 12;OUTP ON;STAT:LIM?") == "1"


def test_it_refuses_more_than_it_can() -> None:
    supply = SupplyFirmware(LampCircuit())
    assert ask(supply, "VOLT 31;:SYST:ERR?") == '-222,"Data out of range"'
    assert ask(supply, "CURR 4;:SYST:ERR?") == '-222,"Data out of range"'


def test_switching_it_off_and_on_leaves_the_lamp_warm() -> None:
    circuit = LampCircuit()
    supply = SupplyFirmware(circuit)
    ask(supply, "VOLT 12;OUTP ON;CURR 3")
    supply.restart(2_000.0)
    assert (circuit.output, circuit.supply_v, circuit.limit_a) == (False, 0.0, 1.0)
    assert circuit.temperature_k > 1_000.0
