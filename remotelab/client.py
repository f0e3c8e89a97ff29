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
from collections.abc import AsyncGenerator, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from devices.messages import DeviceReport
from devices.model import Action, BenchDescription, CommandMode
from remotelab.client_core import ClientCore, CommandReport, bound_arguments
from remotelab.client_errors import RequestRefusedError
from remotelab.client_link import ClientLink, local_ms, new_id
from remotelab.messages import AcquireLease, BenchState, ClearStop, Lease, ReleaseLease, Stop, TelemetrySampled
from signaling.errors import Code, TongkeError
from signaling.wire import Value

_RELEASE_S = 5.0


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
    core = ClientCore(token, "python", telemetry=telemetry)
    link = ClientLink(address, core, keeps_lease=not observe, patience_s=patience_s)
    return RemoteBench(core, link, observe=observe)


class RemoteBench:
    """A bench far away. Use it through :func:`connect`; ``bench["psu"]`` is one of its devices."""

    def __init__(self, core: ClientCore, link: ClientLink, *, observe: bool) -> None:
        self._core = core
        self._link = link
        self._observe = observe

    async def __aenter__(self) -> Self:
        """Connect and take the control. Raises :class:`TongkeError`."""
        self._link.start()
        try:
            await self._link.until_ready()
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
        await self._link.aclose()

    def __getitem__(self, device: str) -> RemoteDevice:
        """One device of the bench. Raises ``KeyError``."""
        if self._core.description is None or self._core.description.device(device) is None:
            raise KeyError(device)
        return RemoteDevice(self, self._core, device)

    @property
    def last(self) -> CommandReport | None:
        """Where the milliseconds of the last command went."""
        return self._link.last

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
        return self._link.is_connected

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
        await self._request(AcquireLease(new_id()))

    async def release(self) -> None:
        """Give the control back; the bench is brought to its safe state."""
        lease = self._core.lease
        if lease is None or not self._core.holds_lease:
            return
        try:
            await self._request(ReleaseLease(new_id(), lease.fence))
        except RequestRefusedError as error:
            # Sent again over a new connection after it had been carried out.
            if error.code not in (Code.NOT_CONTROLLER, Code.STALE_FENCE):
                raise

    async def stop(self) -> bool:
        """Take the bench to its safe state now; whether that was verified."""
        await self._link.until_ready()
        return bool(await self._request(Stop(new_id(), self._core.clock.earliest_server_ms(local_ms()))))

    async def clear_stop(self) -> None:
        """Let the stopped bench be commanded again."""
        await self._request(ClearStop(new_id()))

    async def execute(
        self, device: str, action: str, args: Mapping[str, Value], *, ttl_ms: float = 2_000.0, latest: bool = False
    ) -> Value:
        """Carry out one action and return its result.

        Raises :class:`CommandRefusedError`, :class:`CommandEndedError` or :class:`LinkLostError`.
        """
        await self._link.until_ready()
        mode = CommandMode.LATEST if latest else CommandMode.ORDERED
        name = new_id()
        frame = self._core.command(name, device, action, args, ttl_ms, mode, local_ms())
        return await self._link.answer_to(name, frame)

    async def telemetry(self) -> AsyncGenerator[TelemetrySampled, None]:
        """Readings as they come, from now on; who is slower than they are misses the oldest."""
        samples = self._link.subscribe()
        try:
            while self._link.failed is None:
                while samples:
                    yield samples.popleft()
                with contextlib.suppress(TongkeError):
                    await self._link.until_changed()
        finally:
            self._link.unsubscribe(samples)

    async def until(self, condition: Callable[[RemoteBench], bool]) -> None:
        """Wait until something holds of the bench; it is looked at after each message.

        Raises :class:`LinkLostError` when the connection is given up before.
        """
        while not condition(self):
            await self._link.until_changed()

    async def _request(self, request: AcquireLease | ReleaseLease | Stop | ClearStop) -> Value:
        await self._link.until_ready()
        return await self._link.answer_to(request.id, self._core.request(request.id, request, local_ms()))


class RemoteDevice:
    """A device of a bench: its actions are coroutine functions, its properties the newest telemetry (or None)."""

    def __init__(self, bench: RemoteBench, core: ClientCore, name: str) -> None:
        self._bench = bench
        self._core = core
        self._name = name

    def __getattr__(self, name: str) -> Any:
        description = self._core.description.device(self._name) if self._core.description else None
        if description is not None and (action := description.action(name)) is not None:
            return RemoteAction(self._bench, self._name, action)
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

    def __init__(self, bench: RemoteBench, device: str, action: Action) -> None:
        self._bench = bench
        self._device = device
        self._action = action
        names = ", ".join(f"{p.name}: {p.type}{f' in {p.unit}' if p.unit else ''}" for p in action.parameters)
        self.__doc__ = f"{action.title.en}: {device}.{action.name}({names})"

    async def __call__(self, *args: Value, ttl_ms: float | None = None, latest: bool = False, **named: Value) -> Value:
        """Carry it out and return its result. ``latest``: only the newest of these calls matters."""
        bound = bound_arguments(self._action, args, named)
        life_ms = self._action.time_to_live_ms if ttl_ms is None else ttl_ms
        return await self._bench.execute(self._device, self._action.name, bound, ttl_ms=life_ms, latest=latest)
