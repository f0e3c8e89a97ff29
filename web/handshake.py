"""What all WebSockets of the gateway share: an allowed origin, ``Hello`` in time, their frames, an orderly end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from aiohttp import WSMessage, WSMsgType, web

from signaling.errors import CallerError, Code, PeerError, TongkeError, error_for, http_status
from signaling.messages import Hello
from signaling.wire import Vocabulary
from web.settings import SETTINGS
from web.socket_writer import SocketWriter

HELLO_S = 5.0

FAIR_FRAMES = 32
"""After so many frames in a row the others have their turn: one flooding client must not starve a stop."""

_log = logging.getLogger(__name__)


async def serve_socket(
    request: web.Request,
    vocabulary: Vocabulary,
    converse: Callable[[web.WebSocketResponse, SocketWriter], Awaitable[None]],
) -> web.StreamResponse:
    """Open a WebSocket, let ``converse`` have it until it closes, and end it with the reason when that raises."""
    try:
        check_origin(request, request.app[SETTINGS].origins)
    except TongkeError as error:
        return web.Response(status=http_status(error), text=error.text)
    ws = web.WebSocketResponse(compress=False, max_msg_size=2 * vocabulary.max_bytes)
    await ws.prepare(request)
    transport = request.transport
    if transport is None:
        return ws
    writer = SocketWriter(ws, transport)
    try:
        await converse(ws, writer)
    except TongkeError as error:
        writer.close(error)
    except Exception as error:
        _log.exception("A connection to %s failed", request.path)
        writer.close(error_for(error))
    finally:
        await writer.aclose()
    return ws


async def take_frames(ws: web.WebSocketResponse, take: Callable[[bytes], None]) -> None:
    """Hand every frame over as it comes, until the socket closes. Raises :class:`PeerError`."""
    handled = 0
    while (data := frame_of(await ws.receive())) is not None:
        take(data)
        handled += 1
        if handled % FAIR_FRAMES == 0:
            await asyncio.sleep(0)


def check_origin(request: web.Request, allowed: Collection[str]) -> None:
    """That a browser's page was served by us, or from an allowed origin. Programs send none.

    Raises :class:`CallerError` ``origin_refused``.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in allowed or origin == f"{request.scheme}://{request.host}":
        return
    raise CallerError(Code.ORIGIN_REFUSED, "Pages from elsewhere may not connect here.")


async def read_hello(ws: web.WebSocketResponse, vocabulary: Vocabulary) -> Hello | None:
    """The first frame; None when the socket closed first. Raises :class:`PeerError`."""
    try:
        async with asyncio.timeout(HELLO_S):
            data = frame_of(await ws.receive())
    except TimeoutError:
        raise PeerError(Code.SILENT, "No Hello came.") from None
    if data is None:
        return None
    _, message = vocabulary.decode(data)
    if not isinstance(message, Hello):
        raise PeerError(Code.UNEXPECTED, "The first frame must be Hello.")
    return message


def frame_of(message: WSMessage) -> bytes | None:
    """The frame that a WebSocket message carries; None when the socket has closed. Raises :class:`PeerError`."""
    if message.type is WSMsgType.BINARY:
        data: bytes = message.data
        return data
    if message.type is WSMsgType.TEXT:
        raise PeerError(Code.MALFORMED, "Frames are binary here.")
    return None
