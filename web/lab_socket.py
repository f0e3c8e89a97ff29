"""``GET /lab/{bench}/socket``: a participant's WebSocket, joined to the gateway."""

from __future__ import annotations

import functools

from aiohttp import web

from remotelab.messages import FROM_CLIENT
from remotelab.service import Gateway
from signaling.tokens import Audience, check
from web.handshake import read_hello, serve_socket, take_frames
from web.keys import KEYS
from web.socket_writer import SocketWriter

GATEWAY = web.AppKey("gateway", Gateway)


async def lab_socket(request: web.Request) -> web.StreamResponse:
    """Let a participant talk to the gateway until the socket closes."""
    return await serve_socket(request, FROM_CLIENT, functools.partial(_converse, request))


async def _converse(request: web.Request, ws: web.WebSocketResponse, peer: SocketWriter) -> None:
    hello = await read_hello(ws, FROM_CLIENT)
    if hello is None:
        return
    app = request.app
    gateway = app[GATEWAY]
    grant = check(hello.token, Audience.BENCH, app[KEYS], now_s=gateway.now_ms() / 1000.0)
    session = gateway.join(peer, request.match_info["bench"], hello, grant)
    del hello
    try:
        await take_frames(ws, functools.partial(gateway.received, session, peer))
    finally:
        gateway.lost(session, peer)
