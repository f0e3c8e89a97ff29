"""Simulated ports: bytes, their time, faults, unplugging."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devices.sim.faults import Fault
from devices.sim.pty_port import PtyPort
from devices.transports import PortSpec
from devices.transports.serial_port import SerialPort
from signaling.errors import Code, DeviceError


class Parrot:
    """A firmware that answers each piece with the same piece."""

    cancel = b"\x18"

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.restarts = 0

    def receive(self, data: bytes, now_ms: float) -> bytes:
        self.heard.append(data)
        return data

    def restart(self, now_ms: float) -> None:
        self.restarts += 1


class Line:
    """A parrot on a pty, and the port open at the other end."""

    def __init__(self, simulated: PtyPort, parrot: Parrot, arrived: asyncio.Event) -> None:
        self.simulated = simulated
        self.parrot = parrot
        self.arrived = arrived
        self.port = SerialPort(PortSpec(path=str(simulated.link)))
        self.data = bytearray()
        self.pieces = 0
        self.errors: list[DeviceError] = []
        self.news = asyncio.Event()
        self.port.received = self._received
        self.port.lost = self._lost

    def _received(self, data: bytes) -> None:
        self.data += data
        self.pieces += 1
        self.news.set()

    def _lost(self, error: DeviceError) -> None:
        self.errors.append(error)
        self.news.set()

    async def until(self, done: Callable[[], object]) -> None:
        while not done():
            self.news.clear()
            await self.news.wait()

    async def say(self, text: bytes) -> bytes:
        """Send it and wait for as many bytes."""
        self.data.clear()
        self.port.write(text)
        await self.until(lambda: len(self.data) >= len(text))
        return bytes(self.data)


@contextlib.asynccontextmanager
async def line(directory: Path, *, baud: int | None = None, service_ms: float = 0.0) -> AsyncIterator[Line]:
    parrot, arrived = Parrot(), asyncio.Event()

    def clock() -> float:
        arrived.set()  # it is asked whenever bytes reach the instrument
        return 0.0

    simulated = PtyPort(parrot, directory / "port", clock=clock, baud=baud, service_ms=service_ms)
    simulated.plug_in()
    simulated.plug_in()
    ends = Line(simulated, parrot, arrived)
    await ends.port.open()
    try:
        yield ends
    finally:
        ends.port.close()
        simulated.unplug()
        simulated.unplug()


async def test_what_is_sent_is_heard_and_answered(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        assert await ends.say(b"hello\n") == b"hello\n"
        assert ends.parrot.heard == [b"hello\n"]
        assert ends.simulated.requests == 1
    assert not (tmp_path / "port").is_symlink()


async def test_at_a_baud_rate_every_byte_takes_its_time(tmp_path: Path) -> None:
    async with line(tmp_path, baud=19_200) as ends:
        began_s = asyncio.get_running_loop().time()
        assert await ends.say(b"x" * 40) == b"x" * 40
        # 40 bytes there and 40 back, ten bits each: never faster than the line.
        assert asyncio.get_running_loop().time() - began_s >= 80 * 10 / 19_200
        assert await ends.say(b"again") == b"again"


async def test_answers_that_overlap_leave_one_after_the_other(tmp_path: Path) -> None:
    async with line(tmp_path, baud=38_400) as ends:
        ends.simulated.say(b"a" * 30)
        ends.simulated.say(b"b" * 30)
        await ends.until(lambda: len(ends.data) >= 60)
        assert ends.data == b"a" * 30 + b"b" * 30


async def test_an_instrument_that_thinks_answers_later(tmp_path: Path) -> None:
    async with line(tmp_path, service_ms=5.0) as ends:
        began_s = asyncio.get_running_loop().time()
        assert await ends.say(b"one") == b"one"
        assert asyncio.get_running_loop().time() - began_s >= 0.004


async def test_an_answer_is_cancelled_by_the_instruments_own_byte(tmp_path: Path) -> None:
    async with line(tmp_path, baud=4_800, service_ms=1.0) as ends:
        ends.simulated.say(b"a" * 400)
        await ends.until(lambda: ends.data)
        ends.port.write(b"\x18stop")
        await ends.until(lambda: ends.data.endswith(b"stop"))
        assert len(ends.data) < 400
        assert ends.parrot.heard == [b"stop"]


async def test_bytes_on_their_way_are_gone_after_a_cancel(tmp_path: Path) -> None:
    async with line(tmp_path, baud=300, service_ms=1.0) as ends:
        ends.port.write(b"long question")
        await asyncio.sleep(0.002)
        ends.port.write(b"\x18")
        assert await ends.say(b"stop") == b"stop"
        assert ends.parrot.heard == [b"stop"]


async def test_a_fault_lasts_as_often_as_told(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.fail(Fault.GARBAGE, times=2)
        assert b"x" not in await ends.say(b"x")
        ends.data.clear()
        assert b"x" not in await ends.say(b"x")
        await ends.until(lambda: len(ends.data) >= 2)
        assert await ends.say(b"fine") == b"fine"


async def test_silence_is_not_even_noticed(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.fail(Fault.SILENCE, times=1)
        ends.port.write(b"lost")
        await ends.arrived.wait()
        assert await ends.say(b"heard") == b"heard"
        assert ends.parrot.heard == [b"heard"]


async def test_a_reset_restarts_the_firmware(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.fail(Fault.RESET)
        ends.port.write(b"lost")
        await ends.arrived.wait()
        assert ends.parrot.restarts == 1
        ends.simulated.work()
        assert await ends.say(b"heard") == b"heard"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [(Fault.HALF_REPLY, b"ab"), (Fault.BABBLE, b"abcd" * 3), (Fault.SLOW, b"abcd")],
)
async def test_each_fault_has_its_way(tmp_path: Path, fault: Fault, answer: bytes) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.fail(fault, slow_ms=3.0)
        ends.port.write(b"abcd")
        await ends.until(lambda: len(ends.data) >= len(answer))
        assert ends.data == answer


async def test_a_hang_up_in_the_middle_of_a_reply_and_the_same_name_afterwards(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.fail(Fault.HANG_UP, times=1)
        ends.port.write(b"abcd")
        await ends.until(lambda: ends.errors)
        assert ends.errors[0].code is Code.DEVICE_LOST
        assert not ends.simulated.link.is_symlink()
        ends.simulated.plug_in()
        await ends.port.open()
        assert await ends.say(b"back") == b"back"


async def test_a_link_that_somebody_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "port").symlink_to("/nowhere")
    async with line(tmp_path) as ends:
        assert await ends.say(b"hello") == b"hello"


async def test_an_unplugged_instrument_says_nothing(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.simulated.unplug()
        ends.simulated.say(b"hello")
        assert not ends.simulated.plugged_in


async def test_a_reader_that_does_not_read_loses_bytes_and_nothing_else(tmp_path: Path) -> None:
    async with line(tmp_path) as ends:
        ends.port.close()
        for _ in range(100):
            ends.simulated.say(bytes(10_000))
        ends.data.clear()
        await ends.port.open()
        ends.data.clear()
        assert (await ends.say(b"hello")).endswith(b"hello")
