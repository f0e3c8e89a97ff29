"""The Python client for those who do not use asyncio: the same bench, each call waits.

::

    with connect_blocking("https://lab.example.org/lab/lamp", token) as bench:
        bench["psu"].set_voltage(3.3)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from devices.messages import DeviceReport
from remotelab.client import RemoteAction, RemoteBench, RemoteDevice, connect
from remotelab.client_core import CommandReport
from remotelab.messages import BenchState, Lease, TelemetrySampled
from signaling.wire import Value

_T = TypeVar("_T")


def connect_blocking(
    url: str, token: str = "", *, observe: bool = False, telemetry: bool = True, patience_s: float = 60.0
) -> BlockingBench:
    """A bench to be used in ``with``; see :func:`remotelab.client.connect`."""
    return BlockingBench(connect(url, token, observe=observe, telemetry=telemetry, patience_s=patience_s))


class BlockingBench:
    """A bench far away whose calls wait. An event loop of its own runs in a thread while the bench is open."""

    def __init__(self, bench: RemoteBench) -> None:
        self._bench = bench
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tongke-client", daemon=True)

    def __enter__(self) -> Self:
        """Connect and take the control. Raises :class:`TongkeError`."""
        self._thread.start()
        try:
            self.wait_for(self._bench.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the control back and close."""
        try:
            self.wait_for(self._bench.__aexit__(kind, error, trace))
        finally:
            self._end()

    def __getitem__(self, device: str) -> BlockingDevice:
        """One device of the bench. Raises ``KeyError``."""
        return BlockingDevice(self, self._bench[device])

    @property
    def last(self) -> CommandReport | None:
        """Where the milliseconds of the last command went."""
        return self._bench.last

    @property
    def state(self) -> BenchState:
        """What can be done with the bench."""
        return self._bench.state

    @property
    def lease(self) -> Lease | None:
        """Who has the control."""
        return self._bench.lease

    @property
    def devices(self) -> Mapping[str, DeviceReport]:
        """How each device stands."""
        return self._bench.devices

    def until(self, condition: Callable[[RemoteBench], bool]) -> None:
        """Wait until something holds of the bench; it is looked at after each message."""
        self.wait_for(self._bench.until(condition))

    def acquire(self) -> None:
        """Take the control."""
        self.wait_for(self._bench.acquire())

    def release(self) -> None:
        """Give the control back."""
        self.wait_for(self._bench.release())

    def stop(self) -> bool:
        """Take the bench to its safe state now; whether that was verified."""
        return self.wait_for(self._bench.stop())

    def clear_stop(self) -> None:
        """Let the stopped bench be commanded again."""
        self.wait_for(self._bench.clear_stop())

    def telemetry(self) -> Generator[TelemetrySampled, None, None]:
        """Readings as they come, from now on."""
        samples = self._bench.telemetry()
        try:
            while True:
                try:
                    yield self.wait_for(_next(samples.__anext__()))
                except StopAsyncIteration:
                    return
        finally:
            self.wait_for(samples.aclose())

    def wait_for(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run something in the bench's event loop and wait for its result; Ctrl-C cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingDevice:
    """A device of a bench: its actions are functions that wait, its properties the newest telemetry."""

    def __init__(self, bench: BlockingBench, device: RemoteDevice) -> None:
        self._bench = bench
        self._device = device

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._device, name)
        return BlockingAction(self._bench, found) if isinstance(found, RemoteAction) else found

    def __dir__(self) -> list[str]:
        return dir(self._device)


class BlockingAction:
    """One action of a device; the call waits for its result."""

    def __init__(self, bench: BlockingBench, action: RemoteAction) -> None:
        self._bench = bench
        self._action = action
        self.__doc__ = action.__doc__

    def __call__(self, *args: Value, ttl_ms: float | None = None, latest: bool = False, **named: Value) -> Value:
        """Carry it out and return its result."""
        return self._bench.wait_for(self._action(*args, ttl_ms=ttl_ms, latest=latest, **named))


async def _next(sample: Awaitable[TelemetrySampled]) -> TelemetrySampled:
    return await sample
