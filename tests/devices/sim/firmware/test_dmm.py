"""The multimeter."""

from __future__ import annotations

import pytest

from devices.sim.firmware.dmm import OVERLOAD, MultimeterFirmware
from devices.sim.physics.lamp import LampCircuit


def ask(meter: MultimeterFirmware, line: str, now_ms: float = 0.0) -> str:
    return meter.receive(line.encode() + b"\n", now_ms).decode().strip()


def test_it_measures_across_and_through_the_lamp() -> None:
    circuit = LampCircuit()
    circuit.supply_v, circuit.output = 6.0, True
    meter = MultimeterFirmware(circuit)
    ask(meter, "*OPC?")
    for header in ("MEAS:VOLT?", "MEAS:VOLT:DC?"):
        assert float(ask(meter, header)) == pytest.approx(1.0, rel=1e-3)
    for header in ("MEAS:CURR?", "MEASURE:CURRENT:DC?"):
        assert float(ask(meter, header)) == pytest.approx(0.5, rel=1e-3)


def test_the_resistance_is_measured_only_without_power() -> None:
    circuit = LampCircuit()
    meter = MultimeterFirmware(circuit)
    assert float(ask(meter, "MEAS:RES?")) == pytest.approx(2.0)
    circuit.supply_v, circuit.output = 6.0, True
    assert ask(meter, "MEAS:RES?") == OVERLOAD
