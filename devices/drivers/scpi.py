"""Instruments that speak SCPI over a serial line: data is enough to declare them.

``read`` is a query (``"MEAS:VOLT?"``), ``write`` a command with the arguments in braces (``"VOLT {voltage:.3f}"``;
a switch is ``{on:d}``). A write is sent together with ``*OPC?`` and ``SYST:ERR?``, in one exchange: done means done,
and what the instrument did not like comes back in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from devices.codecs.line import LineCodec
from devices.declaration import DeclaredAction, DeclaredProperty
from devices.driver import DeviceSettings, Driver, bad_reply, parse_value, refused
from devices.model import Parameter, ValueType
from devices.ports import Conversation
from signaling.wire import Value

OVERLOAD = 9.9e37
"""What SCPI instruments report in place of a value that they cannot measure (SCPI 1999, 7.2.1.4)."""

_CONFIRMATION = re.compile(r'\+?1\s*;\s*([+-]?\d+)\s*(?:,\s*"?([^"]*)"?)?\s*$')


class ScpiDriver(Driver):
    """The family of SCPI instruments."""

    request_end: ClassVar[bytes] = b"\n"
    reply_end: ClassVar[bytes] = b"\n"
    confirm: ClassVar[str] = ";*OPC?;:SYST:ERR?"
    """What is appended to a write; empty for an instrument that knows neither, whose writes are then not confirmed."""
    max_reply_bytes: ClassVar[int] = 65_536

    def __init__(self, name: str, port: str, settings: DeviceSettings, baud: int | None = None) -> None:
        self.codec = LineCodec(self.request_end, self.reply_end, blocks=True, max_reply_bytes=self.max_reply_bytes)
        super().__init__(name, port, settings, baud)
        self._error_may_wait = True
        """Whether the error queue may hold an old error, which must not be blamed on the next write."""

    async def ask(self, io: Conversation, command: str, *, timeout_ms: float | None = None) -> bytes:
        """The raw reply to a query."""
        before, self._error_may_wait = self._error_may_wait, True
        reply = await io.ask(command.encode("ascii"), timeout_ms=timeout_ms)
        self._error_may_wait = before
        return reply

    async def ask_value(self, io: Conversation, command: str, type: ValueType = ValueType.FLOAT) -> Value:
        """The reply to a query as a value. Raises :class:`DeviceError`, also for a reported overload."""
        reply = (await self.ask(io, command)).decode("ascii")
        value = parse_value(reply, type)
        if type is ValueType.FLOAT and isinstance(value, float) and abs(value) >= OVERLOAD:
            raise refused("it cannot measure this (overload)")
        return value

    async def command(self, io: Conversation, command: str) -> None:
        """Do a command and wait until it is done. Raises :class:`DeviceError` ``device_refused``."""
        if not self.confirm:
            await io.tell(command.encode("ascii"))
            return
        clear = "*CLS;" if self._error_may_wait else ""
        self._error_may_wait = True
        reply = (await io.ask(f"{clear}{command}{self.confirm}".encode("ascii"))).decode("ascii")
        confirmation = _CONFIRMATION.match(reply)
        if confirmation is None:
            raise bad_reply(reply, "no confirmation")
        if int(confirmation[1]) != 0:
            raise refused(f"{confirmation[2] or 'no reason given'} ({int(confirmation[1])})")
        self._error_may_wait = False

    async def ask_identity(self, io: Conversation) -> str:
        """The reply to ``*IDN?``."""
        self._error_may_wait = True
        return (await self.ask(io, "*IDN?")).decode("ascii").strip()

    async def perform_read(self, io: Conversation, declared: DeclaredProperty) -> Value:
        """Ask the declared query."""
        return await self.ask_value(io, str(declared.read), declared.type)

    async def perform_write(self, io: Conversation, declared: DeclaredAction, args: Mapping[str, Value]) -> Value:
        """Send the declared command with its arguments."""
        await self.command(io, str(declared.write).format(**args))
        return None

    def exchange_bytes(self, declared: DeclaredProperty | DeclaredAction) -> int:
        """Counted on the declared texts."""
        if isinstance(declared, DeclaredProperty):
            return len(str(declared.read)) + 16
        return len(example(declared)) + len(self.confirm) + 20


def example(declared: DeclaredAction) -> str:
    """The declared text with example arguments. Raises what a wrong format raises."""
    return str(declared.write).format(**{each.name: _example(each) for each in declared.parameters})


def _example(parameter: Parameter) -> Value:
    if parameter.type is ValueType.STR:
        return parameter.choices[0]
    if parameter.type is ValueType.BOOL:
        return False
    value = parameter.limit.high or 0.0
    return int(value) if parameter.type is ValueType.INT else float(value)
