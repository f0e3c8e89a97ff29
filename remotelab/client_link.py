"""The connection of a Python client: dialled, dialled again, kept in time, until it is pointless."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections import deque

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import InvalidStatus, WebSocketException

from remotelab.client_core import Answered, ClientCore, CommandReport
from remotelab.client_errors import LinkLostError
from remotelab.messages import TO_CLIENT, RenewLease, TelemetrySampled
from signaling.backoff import Backoff
from signaling.errors import Code, PeerError, TongkeError
from signaling.wire import Value

_QUICK_PINGS = 4
_QUICK_PING_S = 0.02
_PING_S = 2.0
_SILENCE_MS = 8_000.0
"""Nothing heard for so long, not even an answer to a ping: the connection is dead."""
_OPEN_S = 10.0
_CLOSE_S = 1.0
_RENEW_BELOW_MS = 300_000.0
_KEPT_SAMPLES = 1_024
_FINAL = {
    Code.TOKEN_INVALID,
    Code.TOKEN_EXPIRED,
    Code.FORBIDDEN,
    Code.NOT_FOUND,
    Code.VERSION_UNSUPPORTED,
    Code.REPLACED,
}
"""Reasons for which dialling again is useless."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def local_ms() -> float:
    """A clock that never jumps and counts suspension."""
    return time.clock_gettime(_CLOCK) * 1000.0


def new_id() -> str:
    """An id that nobody has used."""
    return secrets.token_urlsafe(9)


class ClientLink:
    """The shell of one :class:`ClientCore`: its sockets, one after the other, and who waits for what comes."""

    def __init__(self, address: str, core: ClientCore, *, keeps_lease: bool, patience_s: float) -> None:
        self._address = address
        self._core = core
        self._keeps_lease = keeps_lease
        self._patience_s = patience_s
        self._waiting: dict[str, asyncio.Future[Value]] = {}
        self._subscribers: list[deque[TelemetrySampled]] = []
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._heard_ms = 0.0
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self.failed: TongkeError | None = None
        """Why there will be no connection any more."""
        self.last: CommandReport | None = None

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._socket is not None

    def start(self) -> None:
        """Begin to dial; :meth:`aclose` ends it."""
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def aclose(self) -> None:
        """Close the connection; whatever still waits raises :class:`LinkLostError`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def until_ready(self) -> None:
        """Wait until something can be sent. Raises the error for which that will never be."""
        await self._ready.wait()
        if self.failed is not None:
            raise self.failed

    async def until_changed(self) -> None:
        """Wait until something was heard. Raises the error for which that will never be."""
        if self.failed is not None:
            raise self.failed
        self._changed.clear()
        await self._changed.wait()

    async def answer_to(self, name: str, frame: bytes) -> Value:
        """Send something that is pending in the core, and wait for its answer, over as many sockets as it takes."""
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting[name] = answer
        try:
            if self._socket is not None:
                with contextlib.suppress(WebSocketException, OSError):
                    await self._socket.send(frame)
            return await answer
        finally:
            self._waiting.pop(name, None)
            self._core.forget(name)

    def subscribe(self) -> deque[TelemetrySampled]:
        """Telemetry from now on, the oldest dropped first; give it back to :meth:`unsubscribe`."""
        samples: deque[TelemetrySampled] = deque(maxlen=_KEPT_SAMPLES)
        self._subscribers.append(samples)
        return samples

    def unsubscribe(self, samples: deque[TelemetrySampled]) -> None:
        """No more telemetry."""
        self._subscribers = [other for other in self._subscribers if other is not samples]

    async def _keep_connected(self) -> None:
        """Dial, and dial again, until it is pointless; then nothing waits any more."""
        try:
            self._fail(await self._dial())
        finally:
            self._fail(LinkLostError(Code.LINK_LOST, "The connection was closed."))

    async def _dial(self) -> TongkeError:
        """Keep a connection for as long as there is one to be had; why there is none."""
        backoff = Backoff(random.random)
        give_up_ms = local_ms() + self._patience_s * 1000.0
        while True:
            try:
                async with open_websocket(
                    self._address,
                    compression=None,
                    max_size=2 * TO_CLIENT.max_bytes,
                    ping_interval=None,
                    open_timeout=_OPEN_S,
                    close_timeout=_CLOSE_S,
                ) as socket:
                    await self._converse(socket)
            except InvalidStatus as refused:
                if 400 <= refused.response.status_code < 500:
                    return TongkeError(Code.NOT_FOUND, f"Nobody answers there: HTTP {refused.response.status_code}.")
            except (WebSocketException, OSError, TimeoutError, PeerError):
                pass
            finally:
                self._socket = None
                self._changed.set()
            closing = self._core.closing
            if closing is not None and closing.code in _FINAL:
                return TongkeError(closing.code, closing.text)
            if self._ready.is_set():
                self._ready.clear()
                backoff.succeeded()
                give_up_ms = local_ms() + self._patience_s * 1000.0
            if local_ms() >= give_up_ms:
                return LinkLostError(Code.LINK_LOST, "The server could not be reached.")
            at_least_ms = (closing.retry_after_ms if closing else None) or 0.0
            await asyncio.sleep(backoff.next_ms(at_least_ms) / 1000.0)

    async def _converse(self, socket: ClientConnection) -> None:
        """Everything that happens over one connection."""
        self._heard_ms = local_ms()
        await socket.send(self._core.hello())
        pinger = asyncio.get_running_loop().create_task(self._keep_time(socket))
        try:
            async for data in socket:
                self._take(data if isinstance(data, bytes) else data.encode())
                if self._socket is None and self._core.is_ready:
                    await self._take_up(socket)
        finally:
            pinger.cancel()
            await asyncio.wait([pinger])

    async def _take_up(self, socket: ClientConnection) -> None:
        """The connection can be used: whatever is open is asked for again."""
        self._socket = socket
        for frame in self._core.to_send_again():
            await socket.send(frame)
        self._ready.set()

    async def _keep_time(self, socket: ClientConnection) -> None:
        """Follow the server's clock, acknowledge events, keep the control."""
        with contextlib.suppress(WebSocketException, OSError):
            for number in itertools.count():
                if local_ms() - self._heard_ms > _SILENCE_MS:
                    await socket.close()
                    return
                await socket.send(self._core.ping(local_ms()))
                if (acknowledgement := self._core.acknowledgement()) is not None:
                    await socket.send(acknowledgement)
                lease = self._core.lease
                if lease is not None and self._core.holds_lease and self._core.is_ready and self._keeps_lease:
                    left_ms = lease.expires_ms - self._core.clock.server_ms(local_ms())
                    if left_ms < _RENEW_BELOW_MS:
                        name = new_id()
                        await socket.send(self._core.request(name, RenewLease(name, lease.fence), local_ms()))
                await asyncio.sleep(_QUICK_PING_S if number < _QUICK_PINGS else _PING_S)

    def _take(self, data: bytes) -> None:
        self._heard_ms = local_ms()
        for answered in self._core.received(data, local_ms()):
            self._settle(answered)
        for sample in self._core.take_samples():
            for samples in self._subscribers:
                samples.append(sample)
        self._changed.set()

    def _settle(self, answered: Answered) -> None:
        if answered.report is not None:
            self.last = answered.report
        answer = self._waiting.get(answered.id)
        if answer is None or answer.done():
            return
        if answered.error is not None:
            answer.set_exception(answered.error)
        else:
            answer.set_result(answered.value)

    def _fail(self, error: TongkeError) -> None:
        """There will be no connection any more."""
        if self.failed is None:
            self.failed = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
        self._ready.set()
        self._changed.set()
