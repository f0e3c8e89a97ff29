"""A real server on a real port for the tests of the web side, and sockets to talk to it."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiohttp.test_utils import TestServer

from devices.messages import FROM_AGENT, TO_AGENT
from remotelab.messages import FROM_CLIENT, TO_CLIENT, AcquireLease, LeaseChanged
from signaling.messages import ConnectionClosing, Hello
from signaling.tokens import Audience, Grant, Right, sign
from signaling.wire import Vocabulary
from web.app import build_app
from web.keys import KEYS
from web.settings import Settings

T = TypeVar("T")

BENCH = "pretend-0"


class Server:
    """The whole application, listening."""

    def __init__(self, data: Path, *, demo: bool = False, port: int | None = None, **more: object) -> None:
        given = {"data": data, "pretend_benches": 2, **more}
        self.app = build_app(Settings(**given), demo=demo)  # type: ignore[arg-type]  # fields by name
        self.http = TestServer(self.app, port=port)
        self.session = aiohttp.ClientSession()

    async def __aenter__(self) -> Server:
        await self.http.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.http.close()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return str(self.http.make_url("")).rstrip("/")

    def token(self, name: str = "student", *rights: Right, bench: str = BENCH, hours: float = 1.0) -> str:
        """A participant's token; may control and stop unless rights are named."""
        given = frozenset(rights or (Right.OBSERVE, Right.CONTROL, Right.STOP))
        now_s = time.time()
        grant = Grant(Audience.BENCH, name, name.title(), (bench,), given, now_s + hours * 3600)
        return sign(grant, self.app[KEYS], now_s=now_s)

    def agent_token(self, *benches: str) -> str:
        """An agent's token."""
        now_s = time.time()
        grant = Grant(Audience.AGENT, "lab-pc", "lab-pc", benches, frozenset(), now_s + 3600)
        return sign(grant, self.app[KEYS], now_s=now_s)

    async def open(self, path: str = f"/lab/{BENCH}/socket", **headers: str) -> Socket:
        """A WebSocket that has said nothing yet."""
        ws = await self.session.ws_connect(self.url + path, headers=headers, max_msg_size=0)
        return Socket(ws, FROM_AGENT, TO_AGENT) if path.startswith("/agent") else Socket(ws, FROM_CLIENT, TO_CLIENT)

    async def join(self, token: str | None = None, *, bench: str = BENCH, **more: object) -> Socket:
        """A participant's WebSocket that has said Hello."""
        socket = await self.open(f"/lab/{bench}/socket")
        await socket.send(Hello((1,), self.token() if token is None else token, "test", **more))  # type: ignore[arg-type]  # by name
        return socket


class Socket:
    """A client's WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, out: Vocabulary, back: Vocabulary) -> None:
        self.ws = ws
        self._out = out
        self._back = back
        self.last_seq = 0
        self.heard: deque[object] = deque(maxlen=1_000)
        """The last words, whether anybody waited for them or not."""

    async def send(self, message: object) -> None:
        """A word."""
        await self.ws.send_bytes(self._out.encode(message))

    async def next(self, kind: type[T]) -> T:
        """The next word of that kind; others are passed over."""
        while True:
            seq, message = self._back.decode(await self.ws.receive_bytes())
            self.last_seq = seq or self.last_seq
            self.heard.append(message)
            if isinstance(message, kind):
                return message

    async def farewell(self) -> tuple[ConnectionClosing, int | None]:
        """Why the server closed, and the close code."""
        closing = await self.next(ConnectionClosing)
        assert (await self.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        return closing, self.ws.close_code

    async def take_control(self) -> int:
        """Acquire the lease, and return its fence."""
        await self.send(AcquireLease("acquire-1"))
        lease = (await self.next(LeaseChanged)).lease
        assert lease is not None
        return lease.fence
