from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from signaling.errors import Code, OurError
from signaling.messages import FROM_SERVER, ConnectionClosing
from web.socket_writer import SocketWriter, frame_header

Use = Callable[[SocketWriter], Awaitable[None]]
Serve = Callable[[Use], Awaitable[URL]]
Open = Callable[[Use], Awaitable[aiohttp.ClientWebSocketResponse]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A server whose socket is used by a function of the test, and then closed."""
    servers: list[TestServer] = []

    async def start(use: Use) -> URL:
        async def handler(request: web.Request) -> web.StreamResponse:
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            assert request.transport is not None
            writer = SocketWriter(ws, request.transport)
            await use(writer)
            while (await ws.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            await writer.aclose()
            return ws

        app = web.Application()
        app.router.add_get("/", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return server.make_url("/")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def open_socket(serve: Serve) -> AsyncIterator[Open]:
    """The client's end of such a socket."""
    session = aiohttp.ClientSession()

    async def start(use: Use) -> aiohttp.ClientWebSocketResponse:
        return await session.ws_connect(await serve(use), max_msg_size=0)

    yield start
    await session.close()


@given(st.integers(0, 1 << 40))
def test_a_header_says_how_long_the_message_is(size_bytes: int) -> None:
    header = frame_header(size_bytes)
    assert header[0] == 0x82
    if header[1] < 126:
        assert (header[1], len(header)) == (size_bytes, 2)
    else:
        assert len(header) == (4 if header[1] == 126 else 10)
        assert int.from_bytes(header[2:], "big") == size_bytes


async def test_frames_of_any_size_arrive_in_order(open_socket: Open) -> None:
    frames = [b"x" * size for size in (0, 1, 125, 126, 65_535, 65_536, 200_000, 3)]

    async def use(writer: SocketWriter) -> None:
        for frame in frames:
            writer.send(frame)

    ws = await open_socket(use)
    assert [await ws.receive_bytes() for _ in frames] == frames


async def test_urgent_frames_overtake_and_bulk_goes_last_and_the_newest_wins(open_socket: Open) -> None:
    async def use(writer: SocketWriter) -> None:
        writer.send_bulk([b"bulk-1", b"bulk-2"])
        writer.send_latest("voltage", b"old")
        writer.send(b"event")
        writer.send_latest("voltage", b"new")
        writer.send(b"stop", first=True)

    ws = await open_socket(use)
    assert [await ws.receive_bytes() for _ in range(5)] == [b"stop", b"event", b"new", b"bulk-1", b"bulk-2"]


async def test_what_the_reader_is_too_slow_for_waits_and_then_comes(open_socket: Open) -> None:
    pieces = [bytes([number]) * 16_384 for number in range(200)]

    async def use(writer: SocketWriter) -> None:
        writer.send_bulk(pieces)

    ws = await open_socket(use)
    for piece in pieces:
        assert await ws.receive_bytes() == piece


async def test_a_close_tells_what_waited_and_why(open_socket: Open) -> None:
    async def use(writer: SocketWriter) -> None:
        writer.send(b"event")
        writer.close(OurError(Code.GOING_AWAY, "Bye."))
        writer.close(OurError(Code.INTERNAL, "Only the first reason counts."))
        writer.send(b"too late")
        writer.send_latest("key", b"too late")
        writer.send_bulk([b"too late"])

    ws = await open_socket(use)
    assert await ws.receive_bytes() == b"event"
    assert FROM_SERVER.decode(await ws.receive_bytes())[1] == ConnectionClosing(Code.GOING_AWAY, "Bye.")
    assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
    assert ws.close_code == 1001


async def test_who_does_not_read_is_closed_and_the_server_goes_on(serve: Serve) -> None:
    ended = asyncio.Event()

    async def use(writer: SocketWriter) -> None:
        while not writer.is_closing:
            writer.send(b"x" * 1_000_000)
            await asyncio.sleep(0)
        try:
            await writer.aclose()
        finally:
            ended.set()

    address = await serve(use)
    _, out = await asyncio.open_connection(address.host, address.port, limit=1_024)
    out.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    out.write(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    await ended.wait()
    out.close()


async def test_a_socket_that_is_gone_takes_nothing(open_socket: Open) -> None:
    async def use(writer: SocketWriter) -> None:
        await writer.aclose()
        writer.send(b"nobody hears this")

    ws = await open_socket(use)
    assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
