"""``GET /lab/{bench}/socket``: a participant's WebSocket, joined to the gateway."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from remotelab.messages import FROM_CLIENT
from remotelab.service import Gateway
from signaling.errors import TongkeError, error_for, http_status
from signaling.tokens import Audience, check
from web.handshake import check_origin, frame_of, read_hello
from web.keys import KEYS
from web.settings import SETTINGS
from web.socket_writer import SocketWriter

GATEWAY = web.AppKey("gateway", Gateway)

FAIR_FRAMES = 32
"""After so many frames in a row the others have their turn: one flooding client must not starve a stop."""

_log = logging.getLogger(__name__)


async def lab_socket(request: web.Request) -> web.StreamResponse:
    """Let a participant talk to the gateway until the socket closes."""
    try:
        check_origin(request, request.app[SETTINGS].origins)
    except TongkeError as error:
        return web.Response(status=http_status(error), text=error.text)
    ws = web.WebSocketResponse(compress=False, max_msg_size=2 * FROM_CLIENT.max_bytes)
    await ws.prepare(request)
    transport = request.transport
    if transport is None:
        return ws
    peer = SocketWriter(ws, transport)
    try:
        await _serve(request, ws, peer)
    except TongkeError as error:
        peer.close(error)
    except Exception as error:
        _log.exception("A participant's connection failed")
        peer.close(error_for(error))
    finally:
        await peer.aclose()
    return ws


async def _serve(request: web.Request, ws: web.WebSocketResponse, peer: SocketWriter) -> None:
    hello = await read_hello(ws, FROM_CLIENT)
    if hello is None:
        return
    app = request.app
    gateway = app[GATEWAY]
    grant = check(hello.token, Audience.BENCH, app[KEYS], now_s=gateway.now_ms() / 1000.0)
    session = gateway.join(peer, request.match_info["bench"], hello, grant)
    del hello
    try:
        handled = 0
        while (data := frame_of(await ws.receive())) is not None:
            gateway.received(session, peer, data)
            handled += 1
            if handled % FAIR_FRAMES == 0:
                await asyncio.sleep(0)
    finally:
        gateway.lost(session, peer)
