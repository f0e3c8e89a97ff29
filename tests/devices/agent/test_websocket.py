"""The WebSocket to the gateway: order on the wire, fragments, and every way in which a connection ends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from devices.agent.websocket import WebSocketClient, dial
from signaling.errors import Code, OurError, PeerError


@contextlib.asynccontextmanager
async def server(handle: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    async def handled(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await handle(socket)

    async with serve(handled, "127.0.0.1", 0, compression=None, max_size=None) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/"


async def heard(client: WebSocketClient, count: int) -> list[bytes]:
    """The next frames."""
    frames: list[bytes] = []
    enough = asyncio.Event()

    def take(data: bytes) -> None:
        frames.append(data)
        if len(frames) == count:
            enough.set()

    client.on_frame = take
    await enough.wait()
    return frames


async def test_frames_come_whole_also_when_they_were_sent_in_fragments() -> None:
    begin = asyncio.Event()

    async def speak(socket: ServerConnection) -> None:
        await begin.wait()
        await socket.send(b"one")
        await socket.send([b"t", b"w", b"o"])
        await socket.ping(b"still there?")
        await socket.wait_closed()

    async with server(speak) as url:
        client = await dial(url, 1_000)
        begin.set()
        assert await heard(client, 2) == [b"one", b"two"]
        await client.close()
        assert (await client.closed).code is Code.GOING_AWAY


async def test_what_matters_overtakes_bulk() -> None:
    received: list[bytes] = []
    begin, everything = asyncio.Event(), asyncio.Event()
    pieces = 400

    async def listen(socket: ServerConnection) -> None:
        await begin.wait()
        async for data in socket:
            assert isinstance(data, bytes)
            received.append(data[2:])
            if len(received) == pieces + 3:
                everything.set()

    async with server(listen) as url:
        client = await dial(url, 1_000)
        assert client.send_bulk([b"bulk" * 4_096] * pieces)  # more than sockets hold while nobody reads
        client.send_latest("voltage", b"old")
        client.send(b"outcome")
        client.send_latest("voltage", b"new")
        client.send(b"stop", first=True)
        begin.set()
        await everything.wait()
        assert [data for data in received if len(data) < 100] == [b"stop", b"outcome", b"new"]
        assert len(received[-1]) > 100
        await client.close()


async def test_a_gateway_that_does_not_keep_up_is_left() -> None:
    async def sleep(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with server(sleep) as url:
        client = await dial(url, 1_000)
        for _ in range(400):
            client.send(b"x" * 65_536)
        assert (await client.closed).code is Code.TOO_SLOW


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async def shout(socket: ServerConnection) -> None:
        await socket.send(b"x" * 2_000)
        await socket.wait_closed()

    async with server(shout) as url:
        client = await dial(url, 1_000)
        assert (await client.closed).code is Code.MALFORMED


async def test_a_close_by_the_gateway_is_told_with_its_reason() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.close(4401, "no token")

    async with server(leave) as url:
        client = await dial(url, 1_000)
        why = await client.closed
        assert "no token" in why.text
        client.send(b"into the void")
        client.abort(OurError(Code.INTERNAL, "too late to matter"))


async def test_what_is_no_websocket_is_refused() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        with pytest.raises(PeerError, match="does not take the connection"):
            await dial(f"ws://127.0.0.1:{port}/", 1_000)


async def test_a_handshake_that_takes_for_ever_can_be_given_up() -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dial(f"ws://127.0.0.1:{port}/", 1_000), 0.05)


async def test_wss_checks_the_servers_certificate() -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        with pytest.raises((ssl.SSLError, OSError)):
            await dial(f"wss://127.0.0.1:{port}/", 1_000)
