"""The multimeter of the lamp bench."""

from __future__ import annotations

from devices.driver import SafeState, Text, query, reading
from devices.drivers.scpi import ScpiDriver


class Multimeter(ScpiDriver):
    """Voltage across the lamp, current through it, and its resistance while no current flows."""

    driver_name = "tongke-dmm"
    title = Text("Multimeter", "万用表")
    identity = r"^TONGKE,DMM"
    safe_state = SafeState()  # it only measures

    voltage = reading(Text("Voltage", "电压"), "V", read="MEAS:VOLT?", low=0.0, high=30.0, poll_ms=200.0)
    current = reading(Text("Current", "电流"), "A", read="MEAS:CURR?", low=0.0, high=3.0, decimals=4, poll_ms=200.0)
    resistance = reading(Text("Resistance", "电阻"), "Ω", read="MEAS:RES?", low=0.0, high=100.0)

    measure_voltage = query(Text("Measure the voltage", "测量电压"), reads="voltage")
    measure_current = query(Text("Measure the current", "测量电流"), reads="current")
    measure_resistance = query(Text("Measure the resistance (power off)", "测量电阻(断电时)"), reads="resistance")
