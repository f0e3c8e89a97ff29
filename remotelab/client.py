"""Drive a bench from Python: a notebook, a script, a test.

::

    async with connect("https://lab.example.org/lab/lamp", token) as bench:
        await bench["psu"].set_voltage(3.3)
        print(bench["psu"].voltage, bench.last.round_trip_ms)

A lost connection is taken up again by itself; a command is never executed twice, and each call returns or raises once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import InvalidStatus, WebSocketException

from devices.messages import DeviceReport
from devices.model import Action, BenchDescription, CommandMode
from remotelab.client_core import Answered, ClientCore, CommandReport
from remotelab.client_errors import LinkLostError, RequestRefusedError
from remotelab.messages import (
    TO_CLIENT,
    AcquireLease,
    BenchState,
    ClearStop,
    Lease,
    ReleaseLease,
    RenewLease,
    Stop,
    TelemetrySampled,
)
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
_RELEASE_S = 5.0
_RENEW_BELOW_MS = 300_000.0
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


def _local_ms() -> float:
    return time.clock_gettime(_CLOCK) * 1000.0


def connect(
    url: str, token: str = "", *, observe: bool = False, telemetry: bool = True, patience_s: float = 60.0
) -> RemoteBench:
    """A bench to be used in ``async with``. ``url`` is its page's address, or the whole link with its token.

    Entering takes the control, unless ``observe``; leaving gives it back. ``patience_s`` is how long a lost connection
    is tried again before what is open raises :class:`LinkLostError`.
    """
    parts = urlsplit(url)
    if not token and parts.fragment.startswith("token="):
        token = parts.fragment.removeprefix("token=")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    address = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/socket"
    return RemoteBench(
        address, ClientCore(token, "python", telemetry=telemetry), observe=observe, patience_s=patience_s
    )


class RemoteBench:
    """A bench far away. Use it through :func:`connect`; ``bench["psu"]`` is one of its devices."""

    def __init__(self, address: str, core: ClientCore, *, observe: bool, patience_s: float) -> None:
        self._address = address
        self._core = core
        self._observe = observe
        self._patience_s = patience_s
        self._waiting: dict[str, asyncio.Future[Value]] = {}
        self._subscribers: list[deque[TelemetrySampled]] = []
        self._sampled = asyncio.Event()
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._failed: TongkeError | None = None
        self._heard_ms = 0.0
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self.last: CommandReport | None = None
        """Where the milliseconds of the last command went."""

    async def __aenter__(self) -> Self:
        """Connect and take the control. Raises :class:`TongkeError`."""
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())
        try:
            await self._until_ready()
            if not self._observe:
                await self.acquire()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the control back and close."""
        if self._core.holds_lease and not self._observe:
            with contextlib.suppress(TongkeError, TimeoutError):
                async with asyncio.timeout(_RELEASE_S):
                    await self.release()
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; whatever still waits raises :class:`LinkLostError`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def __getitem__(self, device: str) -> RemoteDevice:
        """One device of the bench. Raises ``KeyError``."""
        if self._core.description is None or self._core.description.device(device) is None:
            raise KeyError(device)
        return RemoteDevice(self, self._core, device)

    @property
    def description(self) -> BenchDescription | None:
        """What the bench consists of; None until its lab PC has been seen."""
        return self._core.description

    @property
    def state(self) -> BenchState:
        """What can be done with the bench."""
        return self._core.state

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now; without one, calls wait for the next."""
        return self._socket is not None

    @property
    def devices(self) -> Mapping[str, DeviceReport]:
        """How each device stands."""
        return self._core.devices

    @property
    def is_stopped(self) -> bool:
        """Whether the bench has been stopped and not been cleared."""
        return self._core.stopped

    @property
    def lease(self) -> Lease | None:
        """Who has the control."""
        return self._core.lease

    async def acquire(self) -> None:
        """Take the control. Raises :class:`RequestRefusedError` ``lease_taken`` or ``bench_not_ready``."""
        await self._request(AcquireLease(_new_id()))

    async def release(self) -> None:
        """Give the control back; the bench is brought to its safe state."""
        lease = self._core.lease
        if lease is None or not self._core.holds_lease:
            return
        try:
            await self._request(ReleaseLease(_new_id(), lease.fence))
        except RequestRefusedError as error:
            # Sent again over a new connection after it had been carried out.
            if error.code not in (Code.NOT_CONTROLLER, Code.STALE_FENCE):
                raise

    async def stop(self) -> bool:
        """Take the bench to its safe state now; whether that was verified."""
        await self._until_ready()
        return bool(await self._request(Stop(_new_id(), self._core.clock.earliest_server_ms(_local_ms()))))

    async def clear_stop(self) -> None:
        """Let the stopped bench be commanded again."""
        await self._request(ClearStop(_new_id()))

    async def execute(
        self, device: str, action: str, args: Mapping[str, Value], *, ttl_ms: float | None = None, latest: bool = False
    ) -> Value:
        """Carry out one action and return its result.

        Raises :class:`CommandRefusedError`, :class:`CommandEndedError` or :class:`LinkLostError`.
        """
        await self._until_ready()
        mode = CommandMode.LATEST if latest else CommandMode.ORDERED
        life_ms = ttl_ms if ttl_ms is not None else self._core.time_to_live_ms(device, action)
        name = _new_id()
        frame = self._core.command(name, device, action, args, life_ms, mode, _local_ms())
        return await self._answer_to(name, frame)

    async def telemetry(self) -> AsyncGenerator[TelemetrySampled, None]:
        """Readings as they come, from now on; who is slower than they are misses the oldest."""
        samples: deque[TelemetrySampled] = deque(maxlen=1_024)
        self._subscribers.append(samples)
        try:
            while self._failed is None:
                while samples:
                    yield samples.popleft()
                self._sampled.clear()
                await self._sampled.wait()
        finally:
            self._subscribers = [other for other in self._subscribers if other is not samples]

    async def until(self, condition: Callable[[RemoteBench], bool]) -> None:
        """Wait until something holds of the bench; it is looked at after each message.

        Raises :class:`LinkLostError` when the connection is given up before.
        """
        while not condition(self):
            if self._failed is not None:
                raise self._failed
            self._changed.clear()
            await self._changed.wait()

    async def _until_ready(self) -> None:
        await self._ready.wait()
        if self._failed is not None:
            raise self._failed

    async def _request(self, request: AcquireLease | ReleaseLease | Stop | ClearStop) -> Value:
        await self._until_ready()
        return await self._answer_to(request.id, self._core.request(request.id, request, _local_ms()))

    async def _answer_to(self, name: str, frame: bytes) -> Value:
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting[name] = answer
        try:
            await self._send(frame)
            return await answer
        finally:
            self._waiting.pop(name, None)
            self._core.forget(name)

    async def _send(self, frame: bytes) -> None:
        """Send now; without a connection it is sent when there is one."""
        if self._socket is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await self._socket.send(frame)

    async def _keep_connected(self) -> None:
        """Dial, and dial again, until it is pointless; then nothing waits any more."""
        try:
            self._fail(await self._dial())
        finally:
            self._fail(LinkLostError(Code.LINK_LOST, "The connection was closed."))

    async def _dial(self) -> TongkeError:
        """Keep a connection for as long as there is one to be had; why there is none."""
        backoff = Backoff(random.random)
        give_up_ms = _local_ms() + self._patience_s * 1000.0
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
                give_up_ms = _local_ms() + self._patience_s * 1000.0
            if _local_ms() >= give_up_ms:
                return LinkLostError(Code.LINK_LOST, "The server could not be reached.")
            at_least_ms = (closing.retry_after_ms if closing else None) or 0.0
            await asyncio.sleep(backoff.next_ms(at_least_ms) / 1000.0)

    async def _converse(self, socket: ClientConnection) -> None:
        """Everything that happens over one connection."""
        self._heard_ms = _local_ms()
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
                if _local_ms() - self._heard_ms > _SILENCE_MS:
                    await socket.close()
                    return
                await socket.send(self._core.ping(_local_ms()))
                if (acknowledgement := self._core.acknowledgement()) is not None:
                    await socket.send(acknowledgement)
                lease = self._core.lease
                if lease is not None and self._core.holds_lease and self._core.is_ready and not self._observe:
                    left_ms = lease.expires_ms - self._core.clock.server_ms(_local_ms())
                    if left_ms < _RENEW_BELOW_MS:
                        name = _new_id()
                        await socket.send(self._core.request(name, RenewLease(name, lease.fence), _local_ms()))
                await asyncio.sleep(_QUICK_PING_S if number < _QUICK_PINGS else _PING_S)

    def _take(self, data: bytes) -> None:
        self._heard_ms = _local_ms()
        for answered in self._core.received(data, _local_ms()):
            self._settle(answered)
        for sample in self._core.take_samples():
            for samples in self._subscribers:
                samples.append(sample)
            self._sampled.set()
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
        if self._failed is None:
            self._failed = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
        self._ready.set()
        self._sampled.set()
        self._changed.set()


class RemoteDevice:
    """A device of a bench: its actions are coroutine functions, its properties the newest telemetry (or None)."""

    def __init__(self, bench: RemoteBench, core: ClientCore, name: str) -> None:
        self._bench = bench
        self._core = core
        self._name = name

    def __getattr__(self, name: str) -> Any:
        description = self._core.description.device(self._name) if self._core.description else None
        if description is not None and (action := description.action(name)) is not None:
            return RemoteAction(self._bench, self._core, self._name, action)
        if description is not None and description.property(name) is not None:
            return self._core.readings.get(self._name, {}).get(name)
        raise AttributeError(f"{self._name} has neither an action nor a property {name!r}")

    def __dir__(self) -> list[str]:
        description = self._core.description.device(self._name) if self._core.description else None
        if description is None:
            return []
        return [*(action.name for action in description.actions), *(prop.name for prop in description.properties)]


class RemoteAction:
    """One action of a device; call it with its arguments, by position or by name."""

    def __init__(self, bench: RemoteBench, core: ClientCore, device: str, action: Action) -> None:
        self._bench = bench
        self._core = core
        self._device = device
        self._action = action
        names = ", ".join(f"{p.name}: {p.type}{f' in {p.unit}' if p.unit else ''}" for p in action.parameters)
        self.__doc__ = f"{action.title.en}: {device}.{action.name}({names})"

    async def __call__(self, *args: Value, ttl_ms: float | None = None, latest: bool = False, **named: Value) -> Value:
        """Carry it out and return its result. ``latest``: only the newest of these calls matters."""
        bound = self._core.arguments(self._device, self._action.name, args, named)
        return await self._bench.execute(self._device, self._action.name, bound, ttl_ms=ttl_ms, latest=latest)


def _new_id() -> str:
    return secrets.token_urlsafe(9)
