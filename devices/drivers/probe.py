"""An instrument with one value: for measuring and testing what lies between a person and an instrument."""

from __future__ import annotations

from devices.driver import SafeState, Text, ValueType, expect, number, query, reading, set_point, step
from devices.drivers.scpi import ScpiDriver

_VALUE = Text("Value", "数值")


class Probe(ScpiDriver):
    """The smallest SCPI instrument; answers at once."""

    driver_name = "tongke-probe"
    title = Text("Probe", "探针")
    identity = r"^TONGKE,PROBE"

    value = reading(_VALUE, "V", read="MEAS:VOLT?", low=-1_000.0, high=1_000.0)
    writes = reading(Text("Number of writes", "写入次数"), read="COUN?", type=ValueType.INT)

    measure = query(Text("Measure", "测量"), reads="value")
    count_writes = query(Text("Count the writes", "统计写入次数"), reads="writes")
    set_value = set_point(
        Text("Set the value", "设定数值"),
        number("value", _VALUE, "V", low=-1_000.0, high=1_000.0, step=0.001),
        write="VOLT {value:.3f}",
        reads="value",
    )

    safe_state = SafeState(steps=(step("set_value", value=0.0),), expectations=(expect("value", within=0.0),))
