"""The agent's link to the gateway: dial, introduce oneself, follow the clock, notice silence, dial again.

It has one task, which only dials and watches; words are acted upon in the call in which their bytes arrive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from devices.agent.agent import Agent
from devices.agent.clock import Clock
from devices.agent.websocket import WebSocketClient, dial
from devices.messages import FROM_AGENT, TO_AGENT
from signaling.backoff import DEFAULT_BACKOFF, Backoff, BackoffSettings
from signaling.errors import Code, PeerError, TongkeError, error_for
from signaling.messages import PROTOCOL_VERSION, ConnectionClosing, Hello, Ping, Pong, Welcome
from signaling.wire import FrameError

logger = logging.getLogger(__name__)

FIRST_PINGS = 5
"""Exchanged at once after Welcome: the first commands need a clock."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the gateway is and how patient the agent is with it."""

    url: str
    """``ws://`` or ``wss://``; the path is the gateway's ``/agent/socket``."""
    token: str = field(repr=False)
    program: str = "tongke-agent"
    open_within_s: float = 10.0
    ping_every_s: float = 2.0
    silence_s: float = 7.0
    """A gateway that says nothing for this long, not even to pings, is gone."""
    backoff: BackoffSettings = DEFAULT_BACKOFF


class GatewayLink:
    """Keeps an agent linked. Run :meth:`run` in a task; cancel it to end."""

    def __init__(self, settings: LinkSettings, agent: Agent, uniform: Callable[[], float]) -> None:
        self._settings = settings
        self._agent = agent
        self._uniform = uniform

    async def run(self) -> None:
        """Dial for ever."""
        backoff = Backoff(self._uniform, self._settings.backoff)
        while True:
            session = _Session(self._settings, self._agent)
            try:
                why = await session.run()
            except Exception:
                logger.exception("the link failed by a fault of ours")
                why = error_for(RuntimeError())
            if session.is_linked:
                backoff.succeeded()
            delay_ms = backoff.next_ms(why.retry_after_ms or 0.0)
            logger.warning("no link to the gateway: %s Next try in %.1f s.", why.text, delay_ms / 1_000.0)
            await asyncio.sleep(delay_ms / 1_000.0)


class _Session:
    """One connection, from dialling to its end."""

    def __init__(self, settings: LinkSettings, agent: Agent) -> None:
        self.is_linked = False
        self._settings = settings
        self._agent = agent
        self._now_ms: Clock = agent.settings.clock
        self._socket: WebSocketClient | None = None
        self._welcomed: asyncio.Future[Welcome] = asyncio.get_running_loop().create_future()
        self._heard_ms = 0.0
        self._pings = 0

    async def run(self) -> TongkeError:
        """Connect and stay connected; why it ended."""
        try:
            async with asyncio.timeout(self._settings.open_within_s):
                self._socket = socket = await dial(self._settings.url, TO_AGENT.max_bytes)
                socket.on_frame = self._receive
                hello = Hello((PROTOCOL_VERSION,), self._settings.token, self._settings.program)
                socket.send(FROM_AGENT.body(hello))
                await asyncio.wait((self._welcomed, socket.closed), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            return self._abort(PeerError(Code.SILENT, "The gateway did not answer."))
        except OSError as error:
            return PeerError(Code.LINK_LOST, f"The gateway cannot be reached: {error.strerror or error}.")
        except TongkeError as error:
            return error
        except asyncio.CancelledError:
            self._abort(PeerError(Code.GOING_AWAY, "The agent ends."))
            raise
        try:
            return await self._watch(socket)
        finally:
            if self.is_linked:
                self._agent.unlinked()
            await socket.close()

    async def _watch(self, socket: WebSocketClient) -> TongkeError:
        """Ping regularly until the connection ends or falls silent."""
        every_s = self._settings.ping_every_s
        if self._welcomed.done():
            every_s = min(every_s, self._welcomed.result().silence_ms / 3_000.0)
        while not socket.closed.done():
            await asyncio.wait((socket.closed,), timeout=every_s)
            if self._now_ms() - self._heard_ms > self._settings.silence_s * 1_000.0:
                self._abort(PeerError(Code.SILENT, "The gateway has fallen silent."))
            else:
                self._ping()
        return socket.closed.result()

    def _receive(self, data: bytes) -> None:
        """Act on one frame, at once."""
        received_ms = self._now_ms()
        self._heard_ms = received_ms
        try:
            _, message = TO_AGENT.decode(data)
        except FrameError as error:
            if error.code is Code.UNKNOWN_TYPE:
                logger.info("the gateway speaks of something newer: %s", error.text)
                return
            logger.error("the gateway sent a frame that makes no sense: %s", error.text)
            self._abort(error)
            return
        match message:
            case Pong():
                self._take_pong(message, received_ms)
            case Welcome():
                self._welcome(message)
            case ConnectionClosing(code, text, retry_after_ms):
                self._abort(PeerError(code, text, retry_after_ms=retry_after_ms))
            case _:
                self._agent.receive(message, received_ms)

    def _welcome(self, welcome: Welcome) -> None:
        if self._welcomed.done():
            return
        self._welcomed.set_result(welcome)
        self._agent.time.follower.reset()
        self._ping()

    def _ping(self) -> None:
        if self._socket is not None and self._welcomed.done():
            self._socket.send(FROM_AGENT.body(Ping(self._now_ms())), first=True)

    def _take_pong(self, pong: Pong, received_ms: float) -> None:
        if not self._welcomed.done():
            return
        self._agent.time.follower.observe(
            sent_ms=pong.sent_ms, received_ms=pong.received_ms, replied_ms=pong.replied_ms, back_ms=received_ms
        )
        self._pings += 1
        if self._pings < FIRST_PINGS:
            self._ping()
        if not self.is_linked and self._socket is not None:
            self.is_linked = True
            logger.info("linked to the gateway")
            self._agent.linked(self._socket)

    def _abort(self, why: TongkeError) -> TongkeError:
        if self._socket is not None:
            self._socket.abort(why)
        return why
