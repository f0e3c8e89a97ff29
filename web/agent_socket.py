"""``GET /agent/socket``: the WebSocket on which a lab PC dials in, joined to the gateway."""

from __future__ import annotations

import functools
import logging

from aiohttp import web

from devices.messages import FROM_AGENT, TO_AGENT
from signaling.errors import CallerError, Code, TongkeError
from signaling.tokens import Audience, check
from web.handshake import read_hello, serve_socket, take_frames
from web.keys import KEYS
from web.lab_socket import GATEWAY
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
    return await serve_socket(request, FROM_AGENT, functools.partial(_logged, request))


async def _logged(request: web.Request, ws: web.WebSocketResponse, writer: SocketWriter) -> None:
    try:
        await _converse(request, ws, writer)
    except TongkeError as error:
        _log.warning("An agent's connection ends: %s", error.text)
        raise


async def _converse(request: web.Request, ws: web.WebSocketResponse, writer: SocketWriter) -> None:
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
        await take_frames(ws, lambda data: gateway.agents.said(agent, link, FROM_AGENT.decode(data)[1]))
    finally:
        gateway.agents.lost(agent, link)
