"""Looking things up in the description of a bench."""

from __future__ import annotations

from devices.model import Action, ActionKind, BenchDescription, DeviceDescription, Property, Text, ValueType

VOLTAGE = Property("voltage", Text("Voltage", "电压"), ValueType.FLOAT, unit="V")
SET_VOLTAGE = Action("set_voltage", Text("Set the voltage", "设定电压"), next(iter(ActionKind)))
SUPPLY = DeviceDescription("psu", "scpi_psu", Text("Supply", "电源"), "ttyS0", (VOLTAGE,), (SET_VOLTAGE,))
BENCH = BenchDescription("lamp", Text("Lamp", "灯"), (SUPPLY,))


def test_a_bench_knows_its_devices_by_name() -> None:
    assert BENCH.device("psu") is SUPPLY
    assert BENCH.device("dmm") is None


def test_a_device_knows_its_properties_and_actions_by_name() -> None:
    assert SUPPLY.property("voltage") is VOLTAGE
    assert SUPPLY.action("set_voltage") is SET_VOLTAGE


def test_an_action_is_no_property_and_a_property_is_no_action() -> None:
    assert SUPPLY.property("set_voltage") is None
    assert SUPPLY.action("voltage") is None
