"""Writing to one WebSocket: an outbox, and one place that empties it into the transport.

Frames that were queued in one turn of the event loop leave in one write. There is no task per socket: an idle one costs
nothing, and a slow one is looked at again every few milliseconds until its transport has room.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from signaling.errors import Code, OurError, TongkeError, close_code
from signaling.messages import FROM_SERVER, ConnectionClosing
from signaling.outbox import Outbox

_ROOM_BYTES = 32_768
"""No more than about this lies in the transport's own buffer, where nothing can overtake it."""
_RETRY_S = 0.005
_CLOSE_S = 2.0
_BINARY = 0x82
_SHORT = [bytes((_BINARY, size)) for size in range(126)]


def frame_header(size_bytes: int) -> bytes:
    """The header of an unmasked, whole, binary WebSocket message (RFC 6455 section 5.2)."""
    if size_bytes < 126:
        return _SHORT[size_bytes]
    if size_bytes < 65_536:
        return bytes((_BINARY, 126)) + size_bytes.to_bytes(2, "big")
    return bytes((_BINARY, 127)) + size_bytes.to_bytes(8, "big")


class SocketWriter:
    """The writing half of one server-side WebSocket. ``aclose()`` it when the reading half has ended."""

    __slots__ = ("_closer", "_loop", "_outbox", "_scheduled", "_transport", "_ws")

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._ws = ws
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._scheduled = False
        self._closer: asyncio.Task[None] | None = None

    def send(self, frame: bytes, *, first: bool = False) -> None:
        """Queue a frame; a connection whose queue is full is closed."""
        if self._closer is not None:
            return
        try:
            self._outbox.put(frame, first=first)
        except OurError as error:
            self.close(error)
            return
        self._schedule()

    def send_latest(self, key: str, frame: bytes) -> None:
        """Queue a frame of which only the newest per key matters."""
        if self._closer is None:
            self._outbox.put_latest(key, frame)
            self._schedule()

    def send_bulk(self, frames: list[bytes]) -> None:
        """Queue the pieces of a large value; they are dropped when too many wait already."""
        if self._closer is None and self._outbox.put_bulk(frames):
            self._schedule()

    def close(self, error: TongkeError) -> None:
        """Say why, and close."""
        if self._closer is not None:
            return
        self._closer = self._loop.create_task(self._close(error))

    @property
    def is_closing(self) -> bool:
        """Whether it takes nothing more."""
        return self._closer is not None

    async def aclose(self) -> None:
        """Let a close that has begun come to its end."""
        self._outbox.clear()
        if self._closer is None:
            self._closer = self._loop.create_task(self._close(None))
        await asyncio.wait([self._closer])

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        transport, outbox = self._transport, self._outbox
        if transport.is_closing() or self._ws.closed:
            outbox.clear()
            return
        room_bytes = _ROOM_BYTES - transport.get_write_buffer_size()
        parts: list[bytes] = []
        while room_bytes > 0 and (frame := outbox.pop()) is not None:
            parts += (frame_header(len(frame)), frame)
            room_bytes -= len(frame)
        if parts:
            transport.write(b"".join(parts))
        if len(outbox):
            self._scheduled = True
            if room_bytes <= 0 < transport.get_write_buffer_size():
                self._loop.call_later(_RETRY_S, self._flush)
            else:
                self._loop.call_soon(self._flush)

    async def _close(self, error: TongkeError | None) -> None:
        """Write what still waits and the reason, then close in order; a peer that does not follow is cut off."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                if error is None:
                    await self._ws.close()
                    return
                if error.code is Code.TOO_SLOW:
                    self._outbox.clear()
                self._flush()
                closing = ConnectionClosing(error.code, error.text, error.retry_after_ms)
                await self._ws.send_bytes(FROM_SERVER.encode(closing))
                await self._ws.close(code=close_code(error), message=error.code.value.encode())
        except (TimeoutError, ConnectionError):
            self._transport.abort()
