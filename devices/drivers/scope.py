"""The oscilloscope of the resonance bench: its traces come as binary blocks."""

from __future__ import annotations

import struct

from devices.codecs.line import take_block
from devices.driver import (
    Conversation,
    SafeState,
    Text,
    Value,
    ValueType,
    bad_reply,
    choice,
    number,
    parse_value,
    query,
    reading,
    set_point,
    switch,
)
from devices.drivers.scpi import ScpiDriver

TRACE_BYTES = 640
"""Preamble and 500 samples of one byte, with the request."""

_CHANNEL = Text("Channel", "通道")
_SCALE = Text("Volts per division", "每格电压")
_TIMEBASE = Text("Time per division", "每格时间")
_TRIGGER = Text("Trigger level", "触发电平")


class Oscilloscope(ScpiDriver):
    """Two channels: 1 sees the generator, 2 the resistor's voltage, and so the current."""

    driver_name = "tongke-scope"
    title = Text("Oscilloscope", "示波器")
    identity = r"^TONGKE,SCOPE"
    safe_state = SafeState()  # it only looks
    default_baud = 115_200
    break_off = b"\x18"  # it then forgets the rest of a trace

    amplitude_1 = reading(
        Text("Channel 1 peak to peak", "通道 1 峰峰值"), "V", read="MEAS1:VPP?", low=0, high=20, poll_ms=500
    )
    amplitude_2 = reading(
        Text("Channel 2 peak to peak", "通道 2 峰峰值"), "V", read="MEAS2:VPP?", low=0, high=20, poll_ms=500
    )
    phase = reading(
        Text("Phase of channel 2", "通道 2 相位"), "°", read="MEAS:PHAS?", low=-90, high=90, decimals=1, poll_ms=500
    )
    timebase = reading(_TIMEBASE, "s", read="TIM:SCAL?", low=1e-6, high=1.0, decimals=7, poll_ms=1_000)
    scale_1 = reading(Text("Scale of channel 1", "通道 1 量程"), "V", read="CHAN1:SCAL?", low=0, high=10, poll_ms=1_000)
    scale_2 = reading(Text("Scale of channel 2", "通道 2 量程"), "V", read="CHAN2:SCAL?", low=0, high=10, poll_ms=1_000)
    trigger_level = reading(_TRIGGER, "V", read="TRIG:LEV?", low=-20, high=20, poll_ms=1_000)
    running = reading(Text("Running", "运行"), read="RUN:STAT?", type=ValueType.BOOL, poll_ms=1_000)

    set_timebase = set_point(
        Text("Set time per division", "设定每格时间"),
        number("timebase", _TIMEBASE, "s", low=1e-6, high=1.0, step=1e-6),
        write="TIM:SCAL {timebase:.7f}",
        reads="timebase",
    )
    set_scale_1 = set_point(
        Text("Set scale of channel 1", "设定通道 1 量程"),
        number("scale", _SCALE, "V", low=0.001, high=10.0, step=0.001),
        write="CHAN1:SCAL {scale:.4f}",
        reads="scale_1",
    )
    set_scale_2 = set_point(
        Text("Set scale of channel 2", "设定通道 2 量程"),
        number("scale", _SCALE, "V", low=0.001, high=10.0, step=0.001),
        write="CHAN2:SCAL {scale:.4f}",
        reads="scale_2",
    )
    set_trigger = set_point(
        Text("Set trigger level", "设定触发电平"),
        number("level", _TRIGGER, "V", low=-20.0, high=20.0, step=0.01),
        write="TRIG:LEV {level:.4f}",
        reads="trigger_level",
    )
    set_running = set_point(
        Text("Run or hold", "运行或保持"),
        switch("on", Text("Run", "运行")),
        write="RUN:STAT {on:d}",
        reads="running",
    )

    @query(
        Text("Read a trace", "读取波形"),
        choice("channel", _CHANNEL, "1", "2", default="1"),
        result=ValueType.TRACE,
        unit="V",
        exchange_bytes=TRACE_BYTES,
    )
    async def read_trace(self, io: Conversation, channel: str) -> Value:
        """Preamble and samples in one exchange, so that they belong together."""
        timeout_ms = self.timeout_ms + self.wire_ms(TRACE_BYTES)
        reply = await self.ask(io, f"WAV{channel}:PRE?;:WAV{channel}:DATA?", timeout_ms=timeout_ms)
        preamble, _, rest = reply.partition(b";")
        numbers = [parse_value(each, ValueType.FLOAT) for each in preamble.decode("ascii").split(",")]
        match numbers:
            case [float(x0), float(dx), float(volts)]:
                samples, _ = take_block(rest)
            case _:
                raise bad_reply(preamble, "no preamble of a trace")
        codes = struct.unpack(f"{len(samples)}b", samples)
        return {"x0": x0, "dx": dx, "y": [code * volts for code in codes], "x_unit": "s", "y_unit": "V"}
