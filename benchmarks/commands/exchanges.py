"""One exchange with the instrument, over and over at an offered rate: directly, and through ser2net."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from devices.codecs.line import LineCodec
from devices.conversation import PortConversation
from devices.transports import PortSpec, open_transport

ASK = b"MEAS:VOLT?"
"""What the measured action sends, see ``benchmarks.commands.rig``."""


async def at_rate(exchange: Callable[[], Awaitable[object]], per_s: float, seconds: float) -> list[float]:
    """Microseconds that each exchange took, offered at a steady rate whatever the earlier ones do."""
    samples: list[float] = []

    async def one() -> None:
        begun = time.perf_counter()
        await exchange()
        samples.append((time.perf_counter() - begun) * 1e6)

    loop = asyncio.get_running_loop()
    start_s = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(int(per_s * seconds)):
            due_s = start_s + number / per_s
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            group.create_task(one())
    return samples


@contextlib.asynccontextmanager
async def direct(path: str, baud: int) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """An exchange by our own transport in this process."""
    transport = open_transport(PortSpec(path=path, baud=baud))
    conversation = PortConversation(transport, LineCodec())
    await transport.open()
    lock = asyncio.Lock()

    async def exchange() -> None:
        async with lock:
            with conversation.exclusive(lambda: None) as io:
                await io.ask(ASK)

    try:
        yield exchange
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def ser2net(path: str, baud: int, folder: Path) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """An exchange over raw TCP through Debian's ser2net."""
    program = shutil.which("ser2net")
    if program is None:
        raise FileNotFoundError("ser2net is not installed (apt-get install ser2net)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "ser2net.yaml"
    configuration.write_text(
        f"connection: &bench\n  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{path},{baud}n81,local\n"
        # It would otherwise hold replies back to gather more bytes: measured at its best.
        "  options:\n    chardelay: false\n"
    )
    process = subprocess.Popen(  # noqa: ASYNC220  # started once, before anything is measured
        [program, "-n", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        reader, writer = await _connected(port)
        writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lock = asyncio.Lock()

        async def exchange() -> None:
            async with lock:
                writer.write(ASK + b"\n")
                await reader.readuntil(b"\n")

        yield exchange
        writer.close()
    finally:
        process.terminate()
        process.wait()


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)
    raise ConnectionRefusedError("ser2net does not listen")
