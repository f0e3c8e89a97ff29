"""A driver that does what a good one never does, on top of a probe that works."""

from __future__ import annotations

import asyncio

from devices.driver import Conversation, DeviceSettings, Text, Value, ValueType, operation, query, reading
from devices.drivers.probe import Probe
from devices.registry import Registry, installed_drivers

_TITLE = Text("Odd", "怪")


class Odd(Probe):
    """A probe with an operation that can be held, and some that go wrong."""

    driver_name = "odd"
    title = _TITLE

    def __init__(self, name: str, port: str, settings: DeviceSettings, baud: int | None = None) -> None:
        super().__init__(name, port, settings, baud)
        self.entered = asyncio.Event()
        """Set while ``hold`` or ``settle`` has the port, after its first exchange."""
        self.release = asyncio.Event()

    polled = reading(_TITLE, "V", read="MEAS:VOLT?", poll_ms=20.0)

    @operation(_TITLE)
    async def hold(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        self.entered.set()
        await self.release.wait()
        await self.command(io, "VOLT 9.0")
        return None

    @operation(_TITLE)
    async def settle(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        self.entered.set()
        await io.settle(3_600_000.0)
        return None

    @operation(_TITLE)
    async def think(self, io: Conversation) -> Value:
        """Keep the port without having written anything."""
        self.entered.set()
        await self.release.wait()
        await self.command(io, "VOLT 9.0")
        return None

    @operation(_TITLE)
    async def never_end(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        await asyncio.Event().wait()
        return None

    @operation(_TITLE)
    async def fail(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        raise ZeroDivisionError("secret details")

    @query(_TITLE, result=ValueType.FLOAT)
    async def babble(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        return {"a": {1, 2, 3}}

    @query(_TITLE, result=ValueType.TRACE)
    async def nest(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        value: list[object] = []
        for _ in range(20):
            value = [value]
        return value

    @query(_TITLE, result=ValueType.TRACE)
    async def trace(self, io: Conversation) -> Value:
        await self.ask_value(io, "MEAS:VOLT?")
        return {"x0": 0.0, "dx": 1.0, "y": [float(number) for number in range(4_000)], "x_unit": "s", "y_unit": "V"}


def odd_drivers() -> Registry:
    """The installed drivers and this one."""
    registry = installed_drivers()
    registry.register(Odd)
    return registry
