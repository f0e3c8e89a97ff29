"""The heated plate with a thermocouple."""

from __future__ import annotations

from devices.driver import SafeState, Text, ValueType, expect, number, operation, reading, set_point, step
from devices.drivers.line import LineDriver

_POWER = Text("Heating power", "加热功率")


class HeatedPlate(LineDriver):
    """Heats up to 180 °C, where its own cut-off trips."""

    driver_name = "tongke-plate"
    title = Text("Heated plate", "加热板")
    identity = r"^TONGKE PLATE"
    ask_who = "I?"

    temperature = reading(Text("Temperature", "温度"), "°C", read="T?", low=0.0, high=200.0, decimals=1, poll_ms=500.0)
    power = reading(_POWER, "%", read="P?", low=0.0, high=100.0, decimals=0, poll_ms=500.0)
    tripped = reading(
        Text("Over-temperature cut-off", "超温保护已动作"), read="S?", type=ValueType.BOOL, poll_ms=1_000.0
    )

    set_power = set_point(
        Text("Set heating power", "设定加热功率"),
        number("power", _POWER, "%", low=0.0, high=100.0, step=1.0),
        write="P {power:.1f}",
        reads="power",
    )
    reset_cut_off = operation(Text("Reset the cut-off", "复位超温保护"), write="R")

    safe_state = SafeState(steps=(step("set_power", power=0.0),), expectations=(expect("power", within=0.0),))
