"""Ports by URL: a loop, a TCP socket, and ser2net's RFC 2217 in front of a simulated instrument."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.conversation import PortConversation
from devices.registry import installed_drivers
from devices.sim.bench import start_simulation
from devices.transports import PortSpec, open_transport
from devices.transports.url_port import UrlPort
from signaling.errors import Code, DeviceError
from tests.devices.transports.listener import Listener
from tests.peers import require_program


def port_at(url: str) -> UrlPort:
    port = open_transport(PortSpec(url=url))
    assert isinstance(port, UrlPort)
    return port


async def no_more_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("port-"):
            await asyncio.to_thread(thread.join)


async def test_a_loop_gives_back_what_it_gets() -> None:
    port = port_at("loop://")
    listener = Listener(port)
    await port.open()
    await port.open()
    port.discard_input()
    port.write(b"hello")
    assert await listener.until(5) == b"hello"
    port.close()
    port.close()
    assert not port.is_open
    with pytest.raises(DeviceError) as caught:
        port.write(b"x")
    assert caught.value.code is Code.DEVICE_LOST
    await no_more_threads()
    assert listener.errors == []


async def test_a_socket_that_closes_is_lost_once() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, number = server.sockets[0].getsockname()
        port = port_at(f"socket://{host}:{number}")
        listener = Listener(port)
        await port.open()
        port.write(b"hello\n")
        assert await listener.until(6) == b"HELLO\n"
        port.write(b"bye\n")
        listener.news.clear()
        await listener.news.wait()
        assert [error.code for error in listener.errors] == [Code.DEVICE_LOST]
        assert not port.is_open
        await no_more_threads()
        assert len(listener.errors) == 1


async def test_nobody_there_is_offline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    with pytest.raises(DeviceError) as caught:
        await port_at(f"socket://127.0.0.1:{number}").open()
    assert caught.value.code is Code.DEVICE_OFFLINE


async def test_a_url_that_is_none_is_offline() -> None:
    with pytest.raises(DeviceError) as caught:
        await port_at("nonsense://x").open()
    assert caught.value.code is Code.DEVICE_OFFLINE


async def test_opening_that_is_cancelled_leaves_no_thread() -> None:
    opening = asyncio.ensure_future(port_at("loop://").open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await no_more_threads()


@contextlib.asynccontextmanager
async def ser2net_before(path: str, directory: Path) -> AsyncIterator[int]:
    """Debian's ser2net offering the port at ``path`` by RFC 2217; its TCP port."""
    program = require_program("ser2net")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    config = directory / "ser2net.yaml"
    config.write_text(
        "connection: &psu\n"
        f"  accepter: telnet(rfc2217),tcp,127.0.0.1,{number}\n"
        f"  connector: serialdev,{path},9600n81,local\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(program, "-n", "-u", "-c", str(config), "-P", str(directory / "pid")), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield number
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)")  # pyserial's own
async def test_an_instrument_behind_ser2net_answers_by_rfc_2217(tmp_path: Path) -> None:
    async with start_simulation("psu", tmp_path) as bench, ser2net_before(bench["psu"], tmp_path) as number:
        port = port_at(f"rfc2217://127.0.0.1:{number}")
        while not port.is_open:
            try:
                await port.open()
            except DeviceError as error:  # ser2net is still starting
                assert error.code is Code.DEVICE_OFFLINE  # noqa: PT017  # either outcome is right for a moment
                await asyncio.sleep(0.05)
        driver = installed_drivers().create("tongke-psu", name="psu", port="port", baud=9_600)
        conversation = PortConversation(port, driver.codec)
        driver.timeout_ms = 20_000.0
        with conversation.exclusive(lambda: None, driver) as io:
            assert await driver.identify(io) == "TONGKE,PSU,SN0001,1.0"
            await driver.run(io, "set_voltage", {"voltage": 3.3})
            assert await driver.read(io, "voltage_setting") == 3.3
        port.close()
        await no_more_threads()
