"""What every WebSocket of the gateway begins with: an allowed origin, then ``Hello`` within a few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from aiohttp import WSMessage, WSMsgType, web

from signaling.errors import CallerError, Code, PeerError
from signaling.messages import Hello
from signaling.wire import Vocabulary

HELLO_S = 5.0


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
