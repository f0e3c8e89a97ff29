"""What a transport reports, kept for the tests of every kind of port."""

from __future__ import annotations

import asyncio

from devices.ports import Transport
from signaling.errors import DeviceError


class Listener:
    """What a transport reports."""

    def __init__(self, port: Transport) -> None:
        self.data = bytearray()
        self.errors: list[DeviceError] = []
        self.news = asyncio.Event()
        port.received = self._received
        port.lost = self._lost

    def _received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def _lost(self, error: DeviceError) -> None:
        self.errors.append(error)
        self.news.set()

    async def until(self, size: int) -> bytes:
        while len(self.data) < size:
            self.news.clear()
            await self.news.wait()
        return bytes(self.data)
