"""A WebSocket without a task: frames are handed over in the very call in which their bytes arrive.

The protocol is ``websockets``' own, sans I/O; this file is only its way to an asyncio transport. Queued frames go out
through an :class:`Outbox`, and never more of them than the kernel is about to send, so that an outcome overtakes the
bulk that was queued before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from signaling.errors import Code, OurError, PeerError, TongkeError
from signaling.outbox import Outbox
from signaling.wire import frame

TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
UNSENT_BYTES = 16_384
"""How many bytes may wait in the kernel before the next frame is held back."""

_quiet = logging.getLogger(f"{__name__}.frames")
_quiet.setLevel(logging.WARNING)  # the first frame bears the token: frames are never logged


class WebSocketClient(asyncio.Protocol):
    """One connection, dialled by :func:`dial`. Set ``on_frame`` before the first frame may come."""

    def __init__(self, uri: WebSocketURI, max_bytes: int) -> None:
        self.on_frame: Callable[[bytes], None] = lambda data: None
        self.closed: asyncio.Future[TongkeError] = asyncio.get_running_loop().create_future()
        """Why the connection ended, once it has."""
        self._protocol = ClientProtocol(uri, max_size=max_bytes, logger=_quiet)
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outbox = Outbox()
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._fragments = b""
        self._why: TongkeError | None = None

    # The Uplink of devices.agent.execution.

    def send(self, body: bytes, *, first: bool = False) -> None:
        """Send a word; when the link cannot keep up, the connection ends."""
        try:
            self._outbox.put(frame(body), first=first)
        except OurError as error:
            self.abort(error)
        else:
            self._pump()

    def send_latest(self, key: str, body: bytes) -> None:
        """Send a word unless a newer one of that key overtakes it."""
        self._outbox.put_latest(key, frame(body))
        self._pump()

    def send_bulk(self, bodies: list[bytes]) -> bool:
        """Send the pieces of a large value when nothing else is to be sent."""
        fits = self._outbox.put_bulk([frame(body) for body in bodies])
        self._pump()
        return fits

    async def opened(self) -> None:
        """Wait until the handshake is done. Raises :class:`PeerError` when the gateway does not want us."""
        await self._opened

    def abort(self, why: TongkeError) -> None:
        """End the connection at once."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Say goodbye, and end the connection within a second."""
        if self._transport is not None and self._protocol.state is State.OPEN:
            self._protocol.send_close(1001)
            self._flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.closed), 1.0)
        self.abort(OurError(Code.GOING_AWAY, "The agent ends."))

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=0)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        self._flush()
        for event in events:
            if isinstance(event, Frame):
                self._take(event)
            elif self._protocol.handshake_exc is None and not self._opened.done():
                self._opened.set_result(None)
        if self._protocol.handshake_exc is not None or self._protocol.parser_exc is not None:
            self.abort(self._reason(None))

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.receive_eof()
        why = self._why or self._reason(exc)
        self._outbox.clear()
        self._transport = None
        if not self._opened.done():
            self._opened.set_exception(why)
            self._opened.exception()  # looked at here too: the dialler may have given up
        if not self.closed.done():
            self.closed.set_result(why)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._pump()

    def _take(self, event: Frame) -> None:
        if event.opcode is Opcode.BINARY and event.fin:
            self.on_frame(bytes(event.data))
        elif event.opcode is Opcode.BINARY:
            self._fragments = bytes(event.data)
        elif event.opcode is Opcode.CONT:
            self._fragments += event.data
            if event.fin:
                self.on_frame(self._fragments)

    def _pump(self) -> None:
        """Write what may be written now; the rest follows when the kernel has sent some."""
        protocol = self._protocol
        if protocol.state is not State.OPEN:
            return
        while not self._is_paused and (data := self._outbox.pop()) is not None:
            protocol.send_binary(data)
            self._flush()

    def _flush(self) -> None:
        transport = self._transport
        for data in self._protocol.data_to_send():
            if transport is None or transport.is_closing():
                continue
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()

    def _reason(self, cause: Exception | None) -> TongkeError:
        """Why the connection ended, in words for the log."""
        protocol = self._protocol
        refused = protocol.handshake_exc
        if refused is not None:
            return PeerError(Code.UNEXPECTED, f"The gateway does not take the connection: {refused}.")
        if protocol.parser_exc is not None and not isinstance(protocol.parser_exc, EOFError):
            return PeerError(Code.MALFORMED, f"The gateway breaks the protocol: {protocol.parser_exc}.")
        if protocol.close_rcvd is not None:
            return PeerError(Code.GOING_AWAY, f"The gateway closed the connection: {protocol.close_rcvd}.")
        return PeerError(Code.LINK_LOST, f"The connection broke{f': {cause}' if cause else ''}.")


async def dial(url: str, max_bytes: int, tls: ssl.SSLContext | None = None) -> WebSocketClient:
    """Connect to ``ws://`` or ``wss://`` and wait for the handshake.

    Raises ``OSError`` or :class:`PeerError`. Bound it by a time-out; the connection is dropped when that strikes.
    """
    uri = parse_uri(url)
    if uri.secure and tls is None:
        tls = ssl.create_default_context()
    loop = asyncio.get_running_loop()
    client = WebSocketClient(uri, max_bytes)
    name = uri.host if uri.secure else None
    await loop.create_connection(
        lambda: client, uri.host, uri.port, ssl=tls if uri.secure else None, server_hostname=name
    )
    try:
        await client.opened()
    except BaseException:
        client.abort(OurError(Code.GOING_AWAY, "Nobody waits for the connection any more."))
        raise
    return client
