"""Questions and answers over a port that does what the test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from devices.codecs.line import LineCodec
from devices.codecs.modbus_rtu import ModbusCodec, read_registers
from devices.conversation import PortConversation
from devices.ports import Codec
from signaling.errors import Code, DeviceError

PATIENT_MS = 20_000.0


class ScriptedPort:
    """A transport: ``answers`` maps what is written to the pieces that come back, at once or when told."""

    def __init__(self, **answers: str) -> None:
        self.received: Callable[[bytes], None] = lambda data: None
        self.lost: Callable[[DeviceError], None] = lambda error: None
        self.is_open = True
        self.answers = {request.encode(): answer.encode() for request, answer in answers.items()}
        self.written: list[bytes] = []
        self.discarded = 0
        self.asked = asyncio.Event()

    async def open(self) -> None:
        self.is_open = True

    def write(self, data: bytes) -> None:
        if not self.is_open:
            raise DeviceError(Code.DEVICE_LOST, "The port vanished.")
        self.written.append(data)
        self.asked.set()
        answer = self.answers.get(data.strip())
        if answer is not None:
            asyncio.get_running_loop().call_soon(self.received, answer)

    def discard_input(self) -> None:
        self.discarded += 1

    def close(self) -> None:
        self.is_open = False

    def vanish(self) -> None:
        self.is_open = False
        self.lost(DeviceError(Code.DEVICE_LOST, "The port vanished."))


class Clock:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.now_ms = 0.0

    def __call__(self) -> float:
        self.now_ms += 1.0
        return self.now_ms


class Speaker:
    """A driver's ways."""

    def __init__(self, codec: Codec, timeout_ms: float = PATIENT_MS, gap_ms: float = 0.0) -> None:
        self.codec = codec
        self.timeout_ms = timeout_ms
        self.gap_ms = gap_ms


def nothing() -> None:
    """Every request may start."""


def conversation_over(port: ScriptedPort, **options: float) -> PortConversation:
    timeout_ms = options.pop("timeout_ms", PATIENT_MS)
    return PortConversation(port, LineCodec(), timeout_ms=timeout_ms, clock=Clock(), **options)


def ledger(conversation: PortConversation) -> tuple[float | None, float | None, int]:
    return conversation.first_byte_ms, conversation.last_byte_ms, conversation.exchanges


async def ask_once(conversation: PortConversation, request: bytes, timeout_ms: float | None = None) -> bytes:
    with conversation.exclusive(nothing) as io:
        return await io.ask(request, timeout_ms=timeout_ms)


async def code_of(conversation: PortConversation, request: bytes, timeout_ms: float | None = None) -> Code:
    with pytest.raises(DeviceError) as caught:
        await ask_once(conversation, request, timeout_ms)
    return caught.value.code


async def test_a_request_gets_its_reply_and_the_wires_times_are_stamped() -> None:
    port = ScriptedPort(a="1")
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    with conversation.exclusive(nothing) as io:
        assert ledger(conversation) == (None, None, 0)
        assert await io.ask(b"a") == b"1"
        assert ledger(conversation) == (1.0, 2.0, 1)
        await io.ask(b"a")
        assert ledger(conversation) == (1.0, 3.0, 2)
    with conversation.exclusive(nothing):
        assert ledger(conversation) == (None, None, 0)


async def test_a_tell_has_no_reply() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    with conversation.exclusive(nothing) as io:
        await io.tell(b"go")
    assert port.written == [b"go\n"]
    assert conversation.first_byte_ms is not None
    assert conversation.last_byte_ms is not None
    assert conversation.exchanges == 1


async def test_the_check_comes_once_right_before_the_first_byte() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    checked: list[int] = []
    conversation = conversation_over(port)
    with conversation.exclusive(lambda: checked.append(len(port.written))) as io:
        await io.ask(b"a")
        await io.tell(b"b")
    assert checked == [0]
    assert port.discarded == 2


async def test_when_the_check_refuses_nothing_is_written() -> None:
    def refuse() -> None:
        raise RuntimeError("too late")

    port = ScriptedPort()
    conversation = conversation_over(port)
    with conversation.exclusive(refuse) as io:
        with pytest.raises(RuntimeError, match="too late"):
            await io.ask(b"a")
        with pytest.raises(RuntimeError, match="too late"):
            await io.tell(b"a")
    assert port.written == []
    assert conversation.first_byte_ms is None
    port.answers[b"a"] = b"1\n"
    assert await ask_once(conversation, b"a") == b"1"


async def test_a_port_serves_one_use_at_a_time_and_none_outside() -> None:
    conversation = conversation_over(ScriptedPort())
    with conversation.exclusive(nothing), pytest.raises(RuntimeError, match="in use"):
        conversation.exclusive(nothing)
    with pytest.raises(RuntimeError, match="outside"):
        await conversation.ask(b"a")
    with pytest.raises(RuntimeError, match="outside"):
        await conversation.tell(b"a")


async def test_silence_ends_with_no_reply() -> None:
    conversation = conversation_over(ScriptedPort(), timeout_ms=5.0)
    assert await code_of(conversation, b"a") is Code.NO_REPLY
    assert await code_of(conversation, b"a", timeout_ms=1.0) is Code.NO_REPLY


async def test_a_shorter_time_out_is_kept_after_a_longer_one() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    assert await ask_once(conversation, b"a") == b"1"
    assert await code_of(conversation, b"silent", timeout_ms=5.0) is Code.NO_REPLY


async def test_an_earlier_requests_timer_does_not_end_a_later_one() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    assert await ask_once(conversation, b"a", timeout_ms=20.0) == b"1"
    asking = asyncio.ensure_future(ask_once(conversation, b"slow"))
    await asyncio.sleep(0.04)
    port.received(b"2\n")
    assert await asking == b"2"


async def test_a_timer_that_nobody_needs_any_more_does_nothing() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    assert await ask_once(conversation, b"a", timeout_ms=2.0) == b"1"
    await asyncio.sleep(0.01)
    assert await ask_once(conversation, b"a", timeout_ms=2_000.0) == b"1"


async def test_what_comes_between_the_uses_is_thrown_away() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    port.received(b"stale\n")
    assert await ask_once(conversation, b"a") == b"1"


async def test_a_garbled_reply_is_one_bad_reply_and_its_rest_is_thrown_away() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    asking = asyncio.ensure_future(code_of(conversation, b"b"))
    await port.asked.wait()
    port.received(b"\xff\xfe")
    port.received(b"\xff")
    assert await asking is Code.BAD_REPLY
    port.received(b"\xff rest\n")
    assert await ask_once(conversation, b"a") == b"1"


async def test_a_late_reply_to_a_timed_out_request_is_never_taken_for_the_next() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    assert await code_of(conversation, b"slow", timeout_ms=1.0) is Code.NO_REPLY
    port.answers[b"a"] = b"right\n"
    asking = asyncio.ensure_future(ask_once(conversation, b"a"))
    await asyncio.sleep(0)
    assert port.written == [b"slow\n"]
    port.received(b"wrong\n")
    assert await asking == b"right"


async def test_half_a_reply_goes_on_to_its_end_before_the_next_request() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    asking = asyncio.ensure_future(code_of(conversation, b"slow", timeout_ms=20.0))
    await port.asked.wait()
    port.received(b"wr")
    assert await asking is Code.NO_REPLY
    port.received(b"ong\n")
    port.answers[b"a"] = b"right\n"
    assert await ask_once(conversation, b"a") == b"right"


async def test_a_cancelled_request_leaves_the_port_fit_for_the_next() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    asking = asyncio.ensure_future(ask_once(conversation, b"slow"))
    await port.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    port.answers[b"a"] = b"right\n"
    asking = asyncio.ensure_future(ask_once(conversation, b"a"))
    await asyncio.sleep(0)
    port.received(b"wro")
    port.received(b"ng\n")
    assert await asking == b"right"


async def test_a_request_cancelled_as_its_reply_comes_owes_nothing() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    asking = asyncio.ensure_future(ask_once(conversation, b"slow"))
    await port.asked.wait()
    port.received(b"just in time\n")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    port.answers[b"a"] = b"right\n"
    assert await ask_once(conversation, b"a") == b"right"


async def test_an_abandoned_reply_that_never_comes_delays_the_next_request_only_to_its_time_out() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    asking = asyncio.ensure_future(ask_once(conversation, b"slow", timeout_ms=30.0))
    await port.asked.wait()
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    port.answers[b"a"] = b"right\n"
    assert await ask_once(conversation, b"a") == b"right"


async def test_a_refusal_is_a_whole_reply() -> None:
    port = ScriptedPort()
    codec = ModbusCodec(1)
    conversation = PortConversation(port, codec)
    asking = asyncio.ensure_future(code_of(conversation, read_registers(0, 1)))
    await port.asked.wait()
    port.received(codec.encode(b"\x83\x02"))
    assert await asking is Code.DEVICE_REFUSED


async def test_a_vanished_port_fails_the_pending_request_and_tells_the_owner_once() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    told: list[DeviceError] = []
    conversation.on_lost = told.append
    asking = asyncio.ensure_future(code_of(conversation, b"a"))
    await port.asked.wait()
    on_the_wire = [conversation.on_the_wire]
    port.vanish()
    assert await asking is Code.DEVICE_LOST
    assert [*on_the_wire, conversation.on_the_wire] == [True, False]
    assert len(told) == 1
    assert await code_of(conversation, b"a") is Code.DEVICE_LOST
    port.is_open = True
    port.answers[b"a"] = b"1\n"
    assert await ask_once(conversation, b"a") == b"1"


async def test_a_stop_breaks_off_what_is_on_the_wire() -> None:
    port = ScriptedPort()
    conversation = conversation_over(port)
    conversation.break_off(b"\x18")
    assert port.written == []
    asking = asyncio.ensure_future(code_of(conversation, b"long"))
    await port.asked.wait()
    port.received(b"1,2,3,")
    conversation.break_off(b"\x18")
    conversation.break_off(b"\x18")
    assert await asking is Code.STOPPED
    assert port.written == [b"long\n", b"\x18"]
    port.answers[b"off"] = b"done\n"
    assert await ask_once(conversation, b"off") == b"done"


async def test_each_speaker_is_spoken_to_in_its_own_way() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1>"
    conversation = conversation_over(port)
    with conversation.exclusive(nothing, Speaker(LineCodec(b"\r", b">"))) as io:
        assert await io.ask(b"a") == b"1"
    with conversation.exclusive(nothing, Speaker(LineCodec(), timeout_ms=2.0)) as io, pytest.raises(DeviceError):
        await io.ask(b"silent")
    assert port.written == [b"a\r", b"silent\n"]


async def test_a_line_that_needs_a_gap_gets_it() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = conversation_over(port)
    with conversation.exclusive(nothing, Speaker(LineCodec(), gap_ms=5.0)) as io:
        await io.ask(b"a")
        asking = asyncio.ensure_future(io.ask(b"a"))
        await asyncio.sleep(0)
        assert len(port.written) == 1
        assert await asking == b"1"
        await io.tell(b"b")
        await io.tell(b"c")
    assert len(port.written) == 4


async def test_settling_holds_the_port() -> None:
    conversation = conversation_over(ScriptedPort())
    with conversation.exclusive(nothing) as io:
        await io.settle(1.0)


async def test_without_a_clock_of_its_own_it_uses_the_machines() -> None:
    port = ScriptedPort()
    port.answers[b"a"] = b"1\n"
    conversation = PortConversation(port, LineCodec())
    assert await ask_once(conversation, b"a") == b"1"
    assert conversation.first_byte_ms is not None
