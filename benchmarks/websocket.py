"""A WebSocket client that costs next to nothing, so that the server is measured. RFC 6455, binary frames."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from websockets.speedups import apply_mask

_LONG, _HUGE = 126, 127
_BINARY, _CLOSE, _PING = 0x82, 0x88, 0x89


class RawWebSocket(asyncio.Protocol):
    """Call :meth:`send`; whole messages are handed to ``received``, and ``closed`` is done when the socket ends."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._opened: asyncio.Future[None] = loop.create_future()
        self._received = received
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, url: str, received: Callable[[bytes], None]) -> RawWebSocket:
        """Open a WebSocket at an ``http://`` address. Raises ConnectionError."""
        where = urlsplit(url)
        _, socket = await asyncio.get_running_loop().create_connection(
            lambda: cls(received), where.hostname or "", where.port or 80
        )
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {where.path or '/'} HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert socket._transport is not None
        socket._transport.write(request.encode())
        await socket._opened
        return socket

    def send(self, data: bytes) -> None:
        """Send one binary message."""
        assert self._transport is not None
        mask = os.urandom(4)
        size = len(data)
        if size < _LONG:
            header = bytes((_BINARY, 0x80 | size))
        else:
            header = bytes((_BINARY, 0x80 | _LONG)) + size.to_bytes(2, "big")
        self._transport.write(header + mask + apply_mask(data, mask))

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of :class:`asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        """Part of :class:`asyncio.Protocol`."""
        if self._buffer:
            data = self._buffer + data
        if not self._opened.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._opened.set_exception(ConnectionError(head.decode("latin-1")[:200]))
                return
            self._opened.set_result(None)
        at = 0
        while (after := self._frame(data, at)) is not None:
            at = after
        self._buffer = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of :class:`asyncio.Protocol`."""
        if not self._opened.done():
            self._opened.set_exception(ConnectionError("the server hung up"))
        if not self.closed.done():
            self.closed.set_result(None)

    def _frame(self, data: bytes, at: int) -> int | None:
        """Handle the frame that begins there; where the next one begins, or None when it is not whole yet."""
        if len(data) < at + 2:
            return None
        size, start = data[at + 1], at + 2
        if size >= _LONG:
            width = 2 if size == _LONG else 8
            size, start = int.from_bytes(data[start : start + width], "big"), start + width
        end = start + size
        if len(data) < end:
            return None
        if data[at] == _BINARY:
            self._received(data[start:end])
        elif data[at] == _CLOSE:
            self.close()
        return end
