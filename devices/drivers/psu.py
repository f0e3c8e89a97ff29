"""The programmable power supply of the lamp bench."""

from __future__ import annotations

from devices.driver import SafeState, Text, ValueType, expect, number, reading, set_point, step, switch
from devices.drivers.scpi import ScpiDriver

_VOLTAGE = Text("Voltage", "电压")
_CURRENT = Text("Current", "电流")


class PowerSupply(ScpiDriver):
    """One channel, 0 to 30 V and 0 to 3 A, with a switched output and a current limit."""

    driver_name = "tongke-psu"
    title = Text("Power supply", "可编程电源")
    identity = r"^TONGKE,PSU"

    voltage = reading(_VOLTAGE, "V", read="MEAS:VOLT?", low=0.0, high=30.0, poll_ms=250.0)
    current = reading(_CURRENT, "A", read="MEAS:CURR?", low=0.0, high=3.0, decimals=4, poll_ms=250.0)
    output = reading(Text("Output", "输出"), read="OUTP?", type=ValueType.BOOL, poll_ms=1_000.0)
    limiting = reading(
        Text("Current limit reached", "达到限流"), read="STAT:LIM?", type=ValueType.BOOL, poll_ms=1_000.0
    )
    voltage_setting = reading(
        Text("Voltage setting", "电压设定值"), "V", read="VOLT?", low=0.0, high=30.0, poll_ms=1_000.0
    )
    current_setting = reading(Text("Current limit", "限流值"), "A", read="CURR?", low=0.0, high=3.0, poll_ms=1_000.0)

    set_voltage = set_point(
        Text("Set voltage", "设定电压"),
        number("voltage", _VOLTAGE, "V", low=0.0, high=30.0, step=0.01),
        write="VOLT {voltage:.3f}",
        reads="voltage_setting",
    )
    set_current_limit = set_point(
        Text("Set current limit", "设定限流值"),
        number("current", _CURRENT, "A", low=0.0, high=3.0, step=0.001),
        write="CURR {current:.4f}",
        reads="current_setting",
    )
    set_output = set_point(
        Text("Switch the output", "开关输出"),
        switch("on", Text("On", "接通")),
        write="OUTP {on:d}",
        reads="output",
    )

    safe_state = SafeState(
        steps=(step("set_output", on=False), step("set_voltage", voltage=0.0)),
        expectations=(
            expect("output", False),
            expect("voltage_setting", within=0.001),
            expect("current", within=0.001),
        ),
    )
