"""Ports that pyserial opens by URL: ``rfc2217://``, ``socket://``, ``loop://``.

pyserial blocks on these, so a thread reads and a thread writes; a stuck network never holds up the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial

import serial

from devices.transports import PortSpec
from signaling.errors import Code, DeviceError

POLL_S = 0.1
"""How soon the threads notice that the port was closed."""


class UrlPort:
    """A :class:`devices.ports.Transport` over whatever ``serial_for_url`` opens."""

    def __init__(self, spec: PortSpec) -> None:
        self.received: Callable[[bytes], None] = lambda data: None
        self.lost: Callable[[DeviceError], None] = lambda error: None
        self._spec = spec
        self._link: _Link | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._link is not None

    async def open(self) -> None:
        """Open the port. Raises :class:`DeviceError` ``device_offline``."""
        if self._link is not None:
            return
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open, self._spec)
        try:
            port = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_again)
            raise
        self._link = _Link(port, loop, self._on_data, self._on_end)

    def write(self, data: bytes) -> None:
        """Hand bytes to the writing thread. Raises :class:`DeviceError` ``device_lost``."""
        if self._link is None:
            raise DeviceError(Code.DEVICE_LOST, f"The port {self._spec.url} is not open.")
        self._link.outgoing.put(data)

    def discard_input(self) -> None:
        """Nothing to do: the reading thread hands everything over as it comes."""

    def close(self) -> None:
        """Let go of the port; its threads close it within a moment."""
        link, self._link = self._link, None
        if link is not None:
            link.end()

    def _on_data(self, link: _Link, data: bytes) -> None:
        if link is self._link:
            self.received(data)

    def _on_end(self, link: _Link, why: str) -> None:
        if link is self._link:
            self.close()
            self.lost(DeviceError(Code.DEVICE_LOST, f"The port {self._spec.url} vanished ({why})."))


class _Link:
    """One opened port with its two threads; everything is reported to the event loop."""

    def __init__(
        self,
        port: serial.Serial,
        loop: asyncio.AbstractEventLoop,
        on_data: Callable[[_Link, bytes], None],
        on_end: Callable[[_Link, str], None],
    ) -> None:
        self.outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._port = port
        self._loop = loop
        self._on_data = on_data
        self._on_end = on_end
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="port-writer", daemon=True)
        threading.Thread(target=self._read, name="port-reader", daemon=True).start()
        self._writer.start()

    def end(self) -> None:
        """Ask both threads to finish."""
        self._ended.set()
        self.outgoing.put(None)

    def _read(self) -> None:
        why = "closed"
        try:
            while not self._ended.is_set():
                data = self._port.read(max(1, self._port.in_waiting))
                if data:
                    self._report(partial(self._on_data, self, bytes(data)))
        except (OSError, serial.SerialException, TypeError) as error:  # TypeError: pyserial's closed socket
            why = str(error)
        self._report(partial(self._on_end, self, why))
        self.end()
        self._writer.join()
        with contextlib.suppress(OSError, serial.SerialException):
            self._port.close()

    def _write(self) -> None:
        try:
            while (data := self.outgoing.get()) is not None:
                self._port.write(data)
        except (OSError, serial.SerialException) as error:
            self._report(partial(self._on_end, self, str(error)))

    def _report(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed in the meantime: nobody wants to know
            self._loop.call_soon_threadsafe(callback)


def _open(spec: PortSpec) -> serial.Serial:
    url = spec.url or ""
    if url.startswith("rfc2217://") and "ign_set_control" not in url:
        # A pty behind ser2net has no control lines and never confirms them; nobody needs the confirmation.
        url += ("&" if "?" in url else "?") + "ign_set_control"
    try:
        # Every URL handler has the face of Serial, though pyserial's types only know their base.
        port: serial.Serial = serial.serial_for_url(
            url,
            baudrate=spec.baud,
            bytesize=spec.bytesize,
            parity=spec.parity,
            stopbits=spec.stopbits,
            timeout=POLL_S,
        )
    except (OSError, ValueError) as error:
        raise DeviceError(Code.DEVICE_OFFLINE, f"The port {spec.url} cannot be opened: {error}.") from error
    return port


def _close_again(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
