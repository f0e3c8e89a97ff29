"""The DC motor with encoder, whose controller has a PID to tune."""

from __future__ import annotations

from devices.driver import (
    Conversation,
    SafeState,
    Text,
    Value,
    ValueType,
    bad_reply,
    choice,
    expect,
    number,
    reading,
    set_point,
    step,
)
from devices.drivers.modbus import READ_INPUT, ModbusDriver, Register, RegisterType

MODES = ("off", "voltage", "speed", "position")

_FLOAT = RegisterType.FLOAT32
_MODE = Register(0)
_SPEED = Text("Speed", "转速")
_POSITION = Text("Position", "位置")
_VOLTAGE = Text("Voltage", "电压")
_MODE_TITLE = Text("Mode", "模式")
_EXCHANGE_BYTES = 36


class MotorController(ModbusDriver):
    """Drives by voltage, or holds a speed or a position by its PID."""

    driver_name = "tongke-motor"
    title = Text("Motor with encoder", "带编码器的电机")
    identity = r"^TONGKE MOTOR"
    default_baud = 115_200

    speed = reading(
        _SPEED, "r/s", read=Register(0, _FLOAT, function=READ_INPUT), low=-6, high=6, decimals=2, poll_ms=100
    )
    position = reading(
        _POSITION, "r", read=Register(2, _FLOAT, function=READ_INPUT), low=-10, high=10, decimals=2, poll_ms=100
    )
    current = reading(
        Text("Current", "电流"), "A", read=Register(4, _FLOAT, function=READ_INPUT), low=-6, high=6, poll_ms=200
    )
    voltage = reading(_VOLTAGE, "V", read=Register(6, _FLOAT, function=READ_INPUT), low=-12, high=12, poll_ms=200)
    at_end_stop = reading(
        Text("At an end stop", "到达限位"),
        read=Register(8, function=READ_INPUT, bit=0),
        type=ValueType.BOOL,
        poll_ms=200,
    )
    kp = reading(Text("Proportional gain", "比例系数"), "V/r", read=Register(8, _FLOAT), low=0, high=100, poll_ms=2_000)
    ki = reading(Text("Integral gain", "积分系数"), "V/r/s", read=Register(10, _FLOAT), low=0, high=100, poll_ms=2_000)
    kd = reading(Text("Derivative gain", "微分系数"), "V·s/r", read=Register(12, _FLOAT), low=0, high=10, poll_ms=2_000)

    @reading(_MODE_TITLE, type=ValueType.STR, poll_ms=500)
    async def mode(self, io: Conversation) -> Value:
        """The mode's name instead of its number."""
        number = await self.read_register(io, _MODE, ValueType.INT)
        if not isinstance(number, int) or number >= len(MODES):
            raise bad_reply(str(number), "no mode")
        return MODES[number]

    @set_point(_MODE_TITLE, choice("mode", _MODE_TITLE, *MODES), reads="mode", moves=True, exchange_bytes=16)
    async def set_mode(self, io: Conversation, mode: str) -> None:
        """``off`` lets it run down."""
        await self.write_register(io, _MODE, MODES.index(mode))

    @set_point(
        Text("Drive by voltage", "电压驱动"),
        number("voltage", _VOLTAGE, "V", low=-12.0, high=12.0, step=0.1),
        reads="voltage",
        moves=True,
        exchange_bytes=_EXCHANGE_BYTES,
    )
    async def set_voltage(self, io: Conversation, voltage: float) -> None:
        """Set-point first, so that an old one never moves anything."""
        await self._drive(io, Register(2, _FLOAT), voltage, "voltage")

    @set_point(
        Text("Hold a speed", "保持转速"),
        number("speed", _SPEED, "r/s", low=-5.0, high=5.0, step=0.1),
        reads="speed",
        moves=True,
        exchange_bytes=_EXCHANGE_BYTES,
    )
    async def set_speed(self, io: Conversation, speed: float) -> None:
        """By the PID."""
        await self._drive(io, Register(4, _FLOAT), speed, "speed")

    @set_point(
        Text("Go to a position", "转到位置"),
        number("position", _POSITION, "r", low=-9.5, high=9.5, step=0.05),
        reads="position",
        moves=True,
        exchange_bytes=_EXCHANGE_BYTES,
    )
    async def set_position(self, io: Conversation, position: float) -> None:
        """By the PID."""
        await self._drive(io, Register(6, _FLOAT), position, "position")

    set_kp = set_point(
        Text("Set kp", "设定 kp"),
        number("kp", Text("kp", "kp"), "V/r", low=0.0, high=100.0, step=0.1),
        write=Register(8, _FLOAT),
        reads="kp",
    )
    set_ki = set_point(
        Text("Set ki", "设定 ki"),
        number("ki", Text("ki", "ki"), "V/r/s", low=0.0, high=100.0, step=0.1),
        write=Register(10, _FLOAT),
        reads="ki",
    )
    set_kd = set_point(
        Text("Set kd", "设定 kd"),
        number("kd", Text("kd", "kd"), "V·s/r", low=0.0, high=10.0, step=0.01),
        write=Register(12, _FLOAT),
        reads="kd",
    )

    safe_state = SafeState(
        steps=(step("set_mode", mode="off"),),
        expectations=(expect("mode", "off"), expect("speed", within=0.02)),
        within_ms=3_000.0,
    )

    async def _drive(self, io: Conversation, set_point: Register, value: float, mode: str) -> None:
        await self.write_register(io, set_point, value)
        await self.write_register(io, _MODE, MODES.index(mode))
