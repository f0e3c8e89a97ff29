"""Instruments that speak Modbus RTU: a property is a register, a write goes to a register.

``read=Register(0, RegisterType.FLOAT32, function=READ_INPUT)``; ``write=Register(2, RegisterType.FLOAT32)`` for an
action with one parameter. What needs more than one register is a method that uses :meth:`ModbusDriver.write_register`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from devices.codecs.modbus_rtu import (
    READ_HOLDING,
    READ_INPUT,
    REPORT_SERVER_ID,
    ModbusCodec,
    read_registers,
    registers_of,
    write_registers,
)
from devices.declaration import DeclaredAction, DeclaredProperty
from devices.driver import DeviceSettings, Driver, bad_reply, parse_value
from devices.model import ValueType
from devices.ports import Conversation
from signaling.wire import Value

__all__ = ["READ_HOLDING", "READ_INPUT", "ModbusDriver", "Register", "RegisterType"]

FRAME_OVERHEAD_BYTES = 16
"""Address, function, first register, count and CRC of request and reply."""


class RegisterType(StrEnum):
    """How registers hold a value; two-register values have the high word first."""

    UINT16 = ">H"
    INT16 = ">h"
    UINT32 = ">I"
    INT32 = ">i"
    FLOAT32 = ">f"


@dataclass(frozen=True, slots=True)
class Register:
    """Where a value lies, and in what form: value = raw × ``scale``."""

    first: int
    type: RegisterType = RegisterType.UINT16
    scale: float = 1.0
    function: int = READ_HOLDING
    bit: int | None = None
    """The bit that is a switch of its own."""

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(self.type) // 2

    def value_of(self, registers: tuple[int, ...], type: ValueType) -> Value:
        """The value that the registers hold. Raises :class:`DeviceError` ``bad_reply`` when it is no number."""
        raw = struct.unpack(self.type, struct.pack(f">{self.count}H", *registers))[0]
        if self.bit is not None:
            return bool(int(raw) >> self.bit & 1)
        if type is ValueType.BOOL:
            return bool(raw)
        return parse_value(repr(raw if self.scale == 1.0 else raw * self.scale), type)

    def registers_for(self, value: Value) -> tuple[int, ...]:
        """The registers that hold the value."""
        if not isinstance(value, int | float):
            raise TypeError(f"a register holds no {type(value).__name__}")
        raw = value / self.scale if self.type is RegisterType.FLOAT32 else round(value / self.scale)
        return struct.unpack(f">{self.count}H", struct.pack(self.type, raw))


class ModbusDriver(Driver):
    """The family of Modbus RTU instruments; ``address`` in the bench file, 1 without it."""

    def __init__(self, name: str, port: str, settings: DeviceSettings, baud: int | None = None) -> None:
        self.codec = ModbusCodec(1 if settings.address is None else settings.address)
        super().__init__(name, port, settings, baud)
        # MODBUS over Serial Line 1.02, 2.5.1.1: 3.5 characters of silence, fixed to 1.75 ms above 19,200 baud.
        self.gap_ms = 0.0 if baud is None else 1.75 if baud > 19_200 else 3.5 * 11_000.0 / baud

    async def read_register(self, io: Conversation, register: Register, type: ValueType = ValueType.FLOAT) -> Value:
        """The value of a register."""
        reply = await io.ask(read_registers(register.first, register.count, function=register.function))
        return register.value_of(registers_of(reply), type)

    async def write_register(self, io: Conversation, register: Register, value: Value) -> None:
        """Write a register; when this returns, the instrument has confirmed it."""
        await io.ask(write_registers(register.first, register.registers_for(value)))

    async def ask_identity(self, io: Conversation) -> str:
        """Function 17, Report Server ID; an instrument that does not know it overrides this."""
        reply = (await io.ask(bytes((REPORT_SERVER_ID,))))[2:]
        text = reply.decode("ascii", "replace").strip()
        if not text.isprintable():
            raise bad_reply(reply, "no identity")
        return text

    async def perform_read(self, io: Conversation, declared: DeclaredProperty) -> Value:
        """Read the declared register."""
        return await self.read_register(io, _register(declared.read), declared.type)

    async def perform_write(self, io: Conversation, declared: DeclaredAction, args: Mapping[str, Value]) -> Value:
        """Write the one argument to the declared register."""
        (value,) = args.values()
        await self.write_register(io, _register(declared.write), value)
        return None

    def exchange_bytes(self, declared: DeclaredProperty | DeclaredAction) -> int:
        """Counted on the declared register."""
        register = _register(declared.read if isinstance(declared, DeclaredProperty) else declared.write)
        return FRAME_OVERHEAD_BYTES + 2 * register.count


def _register(declared: object) -> Register:
    if not isinstance(declared, Register):
        raise TypeError(f"{declared!r} is no Register")
    return declared
