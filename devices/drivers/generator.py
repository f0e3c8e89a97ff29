"""The function generator of the resonance bench."""

from __future__ import annotations

from devices.driver import SafeState, Text, ValueType, choice, expect, number, reading, set_point, step, switch
from devices.drivers.scpi import ScpiDriver

_FREQUENCY = Text("Frequency", "频率")
_AMPLITUDE = Text("Amplitude", "幅度")
_OFFSET = Text("Offset", "偏置")
_WAVEFORM = Text("Waveform", "波形")


class FunctionGenerator(ScpiDriver):
    """Sine, square and triangle, 1 Hz to 1 MHz; amplitude and offset together stay within ±10 V."""

    driver_name = "tongke-generator"
    title = Text("Function generator", "函数发生器")
    identity = r"^TONGKE,GENERATOR"
    default_baud = 115_200

    frequency = reading(_FREQUENCY, "Hz", read="FREQ?", low=1.0, high=1e6, decimals=1, poll_ms=500.0)
    amplitude = reading(_AMPLITUDE, "V", read="VOLT?", low=0.0, high=10.0, poll_ms=500.0)
    offset = reading(_OFFSET, "V", read="VOLT:OFFS?", low=-10.0, high=10.0, poll_ms=1_000.0)
    waveform = reading(_WAVEFORM, read="FUNC?", type=ValueType.STR, poll_ms=1_000.0)
    output = reading(Text("Output", "输出"), read="OUTP?", type=ValueType.BOOL, poll_ms=500.0)

    set_frequency = set_point(
        Text("Set frequency", "设定频率"),
        number("frequency", _FREQUENCY, "Hz", low=1.0, high=1e6, step=1.0),
        write="FREQ {frequency:.3f}",
        reads="frequency",
    )
    set_amplitude = set_point(
        Text("Set amplitude", "设定幅度"),
        number("amplitude", _AMPLITUDE, "V", low=0.0, high=10.0, step=0.01),
        write="VOLT {amplitude:.4f}",
        reads="amplitude",
    )
    set_offset = set_point(
        Text("Set offset", "设定偏置"),
        number("offset", _OFFSET, "V", low=-10.0, high=10.0, step=0.01),
        write="VOLT:OFFS {offset:.4f}",
        reads="offset",
    )
    set_waveform = set_point(
        Text("Set waveform", "设定波形"),
        choice("waveform", _WAVEFORM, "SIN", "SQU", "TRI"),
        write="FUNC {waveform}",
        reads="waveform",
    )
    set_output = set_point(
        Text("Switch the output", "开关输出"),
        switch("on", Text("On", "接通")),
        write="OUTP {on:d}",
        reads="output",
    )

    safe_state = SafeState(steps=(step("set_output", on=False),), expectations=(expect("output", False),))
