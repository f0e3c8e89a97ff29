"""``GET /agent/socket``: the WebSocket on which a lab PC dials in, joined to the gateway."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from devices.messages import FROM_AGENT, TO_AGENT
from signaling.errors import CallerError, Code, TongkeError, error_for, http_status
from signaling.tokens import Audience, check
from web.handshake import check_origin, frame_of, read_hello
from web.keys import KEYS
from web.lab_socket import FAIR_FRAMES, GATEWAY
from web.settings import SETTINGS
from web.socket_writer import SocketWriter

_log = logging.getLogger(__name__)


class AgentSocket:
    """A :class:`remotelab.ports.AgentLink` over a WebSocket."""

    def __init__(self, writer: SocketWriter) -> None:
        self._writer = writer

    def send(self, message: object, *, first: bool = False) -> None:
        """Queue a word for the agent."""
        self._writer.send(TO_AGENT.encode(message), first=first)

    def close(self, error: TongkeError) -> None:
        """Say why, and close."""
        self._writer.close(error)


async def agent_socket(request: web.Request) -> web.StreamResponse:
    """Let an agent talk to the gateway until the socket closes."""
    try:
        check_origin(request, request.app[SETTINGS].origins)
    except TongkeError as error:
        return web.Response(status=http_status(error), text=error.text)
    ws = web.WebSocketResponse(compress=False, max_msg_size=2 * FROM_AGENT.max_bytes)
    await ws.prepare(request)
    transport = request.transport
    if transport is None:
        return ws
    writer = SocketWriter(ws, transport)
    try:
        await _serve(request, ws, writer)
    except TongkeError as error:
        _log.warning("An agent's connection ends: %s", error.text)
        writer.close(error)
    except Exception as error:
        _log.exception("An agent's connection failed")
        writer.close(error_for(error))
    finally:
        await writer.aclose()
    return ws


async def _serve(request: web.Request, ws: web.WebSocketResponse, writer: SocketWriter) -> None:
    hello = await read_hello(ws, FROM_AGENT)
    if hello is None:
        return
    app = request.app
    gateway = app[GATEWAY]
    grant = check(hello.token, Audience.AGENT, app[KEYS], now_s=gateway.now_ms() / 1000.0)
    if not grant.scope:
        raise CallerError(Code.FORBIDDEN, "The agent's token names no bench.")
    link = AgentSocket(writer)
    agent, welcome = gateway.agents.joined(hello, grant, link, gateway.settings.silence_ms)
    try:
        link.send(welcome)
        handled = 0
        while (data := frame_of(await ws.receive())) is not None:
            _, message = FROM_AGENT.decode(data)
            gateway.agents.said(agent, link, message)
            handled += 1
            if handled % FAIR_FRAMES == 0:
                await asyncio.sleep(0)
    finally:
        gateway.agents.lost(agent, link)
