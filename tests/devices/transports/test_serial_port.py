"""A serial port on a real pty, under asyncio's loop and uvloop's."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from devices.transports import PortSpec, open_transport
from devices.transports.serial_port import SerialPort
from signaling.errors import Code, DeviceError
from tests.devices.transports.listener import Listener

uvloop = pytest.importorskip("uvloop")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class FarEnd:
    """The other side of the cable."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self._open = True

    def pull(self) -> None:
        if self._open:
            os.close(self.master)
            os.close(self.slave)
            self._open = False


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.pull()


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    def run_in_loop(trial: Awaitable[None]) -> None:
        async def wait() -> None:
            await trial

        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(wait())

    return run_in_loop


Run = Callable[[Awaitable[None]], None]


def port_at(path: str) -> SerialPort:
    port = open_transport(PortSpec(path=path))
    assert isinstance(port, SerialPort)
    return port


def test_bytes_go_both_ways(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        listener = Listener(port)
        await port.open()
        await port.open()
        port.write(b"\x00\x03\x11\xffhello\r\n")
        assert os.read(far_end.master, 100) == b"\x00\x03\x11\xffhello\r\n"
        os.write(far_end.master, b"\x04answer\r\n")
        assert await listener.until(9) == b"\x04answer\r\n"
        port.close()
        port.close()
        assert listener.errors == []

    run(trial())


def test_a_pulled_cable_is_reported_once(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        listener = Listener(port)
        await port.open()
        far_end.pull()
        await listener.news.wait()
        assert [error.code for error in listener.errors] == [Code.DEVICE_LOST]
        assert not port.is_open
        with pytest.raises(DeviceError) as caught:
            port.write(b"x")
        assert caught.value.code is Code.DEVICE_LOST
        await asyncio.sleep(0)
        assert len(listener.errors) == 1

    run(trial())


def test_writing_to_a_pulled_cable_is_device_lost(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        listener = Listener(port)
        await port.open()
        far_end.pull()
        with pytest.raises(DeviceError) as caught:
            port.write(b"x")
        assert caught.value.code is Code.DEVICE_LOST
        assert len(listener.errors) == 1

    run(trial())


def test_more_than_the_line_takes_is_sent_as_it_takes_it(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        Listener(port)
        await port.open()
        data = bytes(range(256)) * 400
        port.write(data)
        port.write(b"end")
        os.set_blocking(far_end.master, False)
        loop, arrived, whole = asyncio.get_running_loop(), bytearray(), asyncio.Event()

        def read() -> None:
            arrived.extend(os.read(far_end.master, 65_536))
            if arrived.endswith(b"end"):
                whole.set()

        loop.add_reader(far_end.master, read)
        await whole.wait()
        loop.remove_reader(far_end.master)
        assert bytes(arrived) == data + b"end"
        port.write(b"more")
        port.close()

    run(trial())


def test_a_cable_pulled_while_bytes_wait_is_reported_once(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        listener = Listener(port)
        await port.open()
        port.write(bytes(200_000))
        far_end.pull()
        await listener.news.wait()
        assert len(listener.errors) == 1

    run(trial())


def test_discarded_input_is_never_reported(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        port = port_at(far_end.path)
        listener = Listener(port)
        await port.open()
        os.write(far_end.master, b"stale")
        # The kernel hands bytes over a pty in its own time, and the loop must not see them meanwhile.
        while fcntl.ioctl(far_end.slave, termios.FIONREAD, bytes(4)) != (5).to_bytes(4, sys.byteorder):
            os.sched_yield()
        port.discard_input()
        os.write(far_end.master, b"fresh")
        assert await listener.until(5) == b"fresh"
        port.close()
        port.discard_input()

    run(trial())


def test_a_port_is_held_by_one_program(run: Run, far_end: FarEnd) -> None:
    async def trial() -> None:
        first, second = port_at(far_end.path), port_at(far_end.path)
        await first.open()
        with pytest.raises(DeviceError) as caught:
            await second.open()
        assert caught.value.code is Code.PORT_BUSY
        first.close()
        await second.open()
        second.close()

    run(trial())


async def test_a_port_that_is_not_there_is_offline(tmp_path: Path) -> None:
    port = port_at(str(tmp_path / "nothing"))
    with pytest.raises(DeviceError) as caught:
        await port.open()
    assert caught.value.code is Code.DEVICE_OFFLINE
    assert not port.is_open
    with pytest.raises(DeviceError):
        port.write(b"x")


async def test_a_file_that_is_no_port_is_offline(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(DeviceError) as caught:
        await port_at(str(path)).open()
    assert caught.value.code is Code.DEVICE_OFFLINE


async def test_a_usb_adapter_that_is_not_plugged_in_is_offline() -> None:
    port = open_transport(PortSpec(usb="FFFF:FFFF:NOBODY"))
    with pytest.raises(DeviceError, match="FFFF:FFFF:NOBODY") as caught:
        await port.open()
    assert caught.value.code is Code.DEVICE_OFFLINE


async def test_opening_that_is_cancelled_does_not_keep_the_port(far_end: FarEnd) -> None:
    opening = asyncio.ensure_future(port_at(far_end.path).open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    port = port_at(far_end.path)
    while not port.is_open:
        try:
            await port.open()
        except DeviceError as error:  # the abandoned opening is still under way
            assert error.code is Code.PORT_BUSY  # noqa: PT017  # either outcome is right for a moment
            await asyncio.sleep(0.001)
    port.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "exactly one"),
        ({"path": "a", "url": "b"}, "exactly one"),
        ({"path": "a", "framing": "9X7"}, "like 8N1"),
        ({"path": "a", "framing": ""}, "like 8N1"),
        ({"path": "a", "baud": 0}, "baud"),
    ],
)
def test_a_port_must_be_described_well(options: dict[str, str | int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        PortSpec(**options)  # type: ignore[arg-type]  # wrong on purpose


def test_framing_is_taken_apart() -> None:
    spec = PortSpec(usb="1:2", framing="7e1.5")
    assert (spec.bytesize, spec.parity, spec.stopbits, spec.place) == (7, "E", 1.5, "1:2")
