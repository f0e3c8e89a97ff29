"""Questions and answers over one port, one at a time, with as little between driver and wire as can be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from devices.ports import Codec, ReplyDecoder, Transport
from signaling.errors import Code, DeviceError

LATE_REPLY_MS = 100.0
"""How long after a time-out or a garbled reply the rest of it is still expected, and discarded."""

BROKEN_OFF_MS = 20.0
"""The same after an exchange was broken off: short, because a stop waits for it."""

TIMER_S = 0.001
"""How much too early a timer may come: event loops count whole milliseconds."""


class Speaker(Protocol):
    """How one device wants to be spoken to; every driver is one."""

    @property
    def codec(self) -> Codec:
        """How its requests and replies are delimited."""
        ...

    @property
    def timeout_ms(self) -> float:
        """How long an ordinary exchange may take."""
        ...

    @property
    def gap_ms(self) -> float:
        """The silence that it needs between a reply and the next request."""
        ...


class _Owed:
    """A reply that nobody waits for any more, but that may still come and must not be taken for the next one."""

    def __init__(self, decoder: ReplyDecoder, until_s: float) -> None:
        self.decoder = decoder
        self.until_s = until_s
        self.arrived: asyncio.Future[None] | None = None


class PortConversation:
    """A :class:`devices.ports.Conversation` over a transport.

    Take it with ``with conversation.exclusive(check, driver) as io``. It never opens or closes the transport.
    """

    def __init__(
        self,
        transport: Transport,
        codec: Codec,
        *,
        timeout_ms: float = 1_000.0,
        gap_ms: float = 0.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.first_byte_ms: float | None = None
        """When the first byte of this use was written, on the injected clock; None as long as none was."""
        self.last_byte_ms: float | None = None
        """When the newest byte of this use was written or read."""
        self.exchanges = 0
        """How many requests this use has written."""
        self.on_lost: Callable[[DeviceError], None] = lambda error: None
        """Called once when the open port vanishes, after a pending request has failed."""
        self._transport = transport
        self._default: tuple[Codec, float, float] = (codec, timeout_ms, gap_ms)
        self._codec, self._timeout_ms, self._gap_ms = self._default
        self._clock = clock or _monotonic_ms
        self._in_use = False
        self._before_first_byte: Callable[[], None] | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._decoder: ReplyDecoder | None = None
        self._owed: _Owed | None = None
        self._busy_until_s = 0.0
        self._deadline_s = 0.0
        self._allowed_ms = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        transport.received = self._received
        transport.lost = self._lost

    @property
    def on_the_wire(self) -> bool:
        """Whether a request has been written whose reply is awaited."""
        return self._answer is not None

    def exclusive(self, before_first_byte: Callable[[], None], speaker: Speaker | None = None) -> PortConversation:
        """One use of the port, as a context manager.

        ``before_first_byte`` is called synchronously right before the first write; when it raises, nothing is
        written and the error goes to the caller. Without ``speaker`` the codec and times given to the constructor hold.
        """
        if self._in_use:
            raise RuntimeError("the port is in use")
        self._before_first_byte = before_first_byte
        if speaker is None:
            self._codec, self._timeout_ms, self._gap_ms = self._default
        else:
            self._codec, self._timeout_ms, self._gap_ms = speaker.codec, speaker.timeout_ms, speaker.gap_ms
        self.first_byte_ms = self.last_byte_ms = None
        self.exchanges = 0
        return self

    def __enter__(self) -> PortConversation:
        self._in_use = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._in_use = False
        self._before_first_byte = None

    async def ask(self, request: bytes, *, timeout_ms: float | None = None) -> bytes:
        """Write a request and wait for its reply; see :class:`devices.ports.Conversation`."""
        loop = asyncio.get_running_loop()
        if self._owed is not None or self._gap_ms:
            await self._quiet(loop)
        data = self._codec.encode(request)
        decoder = self._codec.decoder(request)
        answer: asyncio.Future[bytes] = loop.create_future()
        self._begin()
        self._decoder, self._answer = decoder, answer
        try:
            self._transport.write(data)
            # Everything that can wait until the request is on its way comes after it.
            self._allow(loop, self._timeout_ms if timeout_ms is None else timeout_ms)
            return await answer
        finally:
            self._finish(answer, decoder, request)

    async def tell(self, request: bytes) -> None:
        """Write a request that has no reply; see :class:`devices.ports.Conversation`."""
        loop = asyncio.get_running_loop()
        if self._owed is not None or self._gap_ms:
            await self._quiet(loop)
        data = self._codec.encode(request)
        self._begin()
        self._transport.write(data)
        self.last_byte_ms = self._clock()
        self._busy_until_s = loop.time() + self._gap_ms / 1_000.0

    async def settle(self, settle_ms: float) -> None:
        """Hold the port while the instrument settles."""
        await asyncio.sleep(settle_ms / 1_000.0)

    def break_off(self, data: bytes) -> None:
        """Write these bytes at once and fail the request on the wire with ``stopped``; without one nothing happens."""
        answer = self._answer
        if answer is None or answer.done():
            return
        self._transport.write(data)
        answer.set_exception(DeviceError(Code.STOPPED, "A stop broke the exchange off."))

    def _begin(self) -> None:
        """Everything between the decision to write and the write. Nothing here may wait."""
        if not self._in_use:
            raise RuntimeError("the port is used outside of exclusive()")
        self._transport.discard_input()
        before = self._before_first_byte
        if before is not None:
            before()
            self._before_first_byte = None
            self.first_byte_ms = self._clock()
        self.exchanges += 1

    def _allow(self, loop: asyncio.AbstractEventLoop, timeout_ms: float) -> None:
        """Give the reply its time. An earlier request's timer serves while it is early enough: setting one is slow."""
        self._allowed_ms = timeout_ms
        self._deadline_s = loop.time() + timeout_ms / 1_000.0
        if self._watchdog is None or self._watchdog.when() > self._deadline_s:
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._watchdog = loop.call_at(self._deadline_s, self._watch, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watchdog = None
        answer = self._answer
        if answer is None or answer.done():
            return
        if loop.time() < self._deadline_s - TIMER_S:
            self._watchdog = loop.call_at(self._deadline_s, self._watch, loop)
            return
        answer.set_exception(DeviceError(Code.NO_REPLY, f"No whole reply within {self._allowed_ms:.0f} ms."))

    def _finish(self, answer: asyncio.Future[bytes], decoder: ReplyDecoder, request: bytes) -> None:
        """Leave the port fit for the next request, however this one ended."""
        self._answer = None
        now_s = asyncio.get_running_loop().time()
        self._busy_until_s = now_s + self._gap_ms / 1_000.0
        if answer.cancelled() or not answer.done():
            self._owed = _Owed(decoder, self._deadline_s) if self._transport.is_open else None
            return
        error = answer.exception()  # looked at, even when the caller was cancelled before it could see it
        if not isinstance(error, DeviceError) or error.code in {Code.DEVICE_LOST, Code.DEVICE_REFUSED}:
            return  # nothing can come any more, or the reply was whole
        if error.code is Code.NO_REPLY:
            self._owed = _Owed(decoder, now_s + LATE_REPLY_MS / 1_000.0)
        else:
            quiet_ms = BROKEN_OFF_MS if error.code is Code.STOPPED else LATE_REPLY_MS
            self._owed = _Owed(self._codec.decoder(request), now_s + quiet_ms / 1_000.0)

    async def _quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the line keeps its gap and no reply to an abandoned request can come any more."""
        owed = self._owed
        if owed is not None and loop.time() < owed.until_s:
            owed.arrived = loop.create_future()
            timer = loop.call_at(owed.until_s, _resolve, owed.arrived)
            try:
                await owed.arrived
            finally:
                timer.cancel()
                owed.arrived = None
        self._owed = None
        wait_s = self._busy_until_s - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done() or self._decoder is None:
            self._received_late(data)
            return
        self.last_byte_ms = self._clock()
        try:
            reply = self._decoder.feed(data)
        except DeviceError as error:
            answer.set_exception(error)
            return
        if reply is not None:
            answer.set_result(reply)

    def _received_late(self, data: bytes) -> None:
        owed = self._owed
        if owed is None:
            return
        try:
            complete = owed.decoder.feed(data) is not None
        except DeviceError:
            return  # garbage goes on: let its time run out
        if complete:
            self._owed = None
            if owed.arrived is not None:
                _resolve(owed.arrived)

    def _lost(self, error: DeviceError) -> None:
        self._owed = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.on_lost(error)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _monotonic_ms() -> float:
    return time.monotonic() * 1_000.0
