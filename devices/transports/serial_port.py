"""A local serial port: pyserial opens and sets it, then the event loop watches its file descriptor.

No thread stands between a request and its reply. Works on real ports and on ptys, with asyncio's loop and uvloop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
from collections.abc import Callable

import serial

from devices.transports import PortSpec
from devices.transports.port_finder import find_usb
from signaling.errors import Code, DeviceError

READ_BYTES = 65_536

_NOTHING = bytes(4)


class SerialPort:
    """A :class:`devices.ports.Transport` over a POSIX serial port."""

    def __init__(self, spec: PortSpec) -> None:
        self.received: Callable[[bytes], None] = lambda data: None
        self.lost: Callable[[DeviceError], None] = lambda error: None
        self.path = spec.path or ""
        """Where the port was found when it was last opened."""
        self._spec = spec
        self._serial: serial.Serial | None = None
        self._fd = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsent = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._serial is not None

    async def open(self) -> None:
        """Find, open, lock and set the port. Raises :class:`DeviceError` ``device_offline`` or ``port_busy``."""
        if self._serial is not None:
            return
        self._loop = asyncio.get_running_loop()
        # Some USB adapters take a tenth of a second to open: that must not hold up the other ports.
        opening = self._loop.run_in_executor(None, _open, self._spec)
        try:
            port, self.path = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_again)
            raise
        self._serial, self._fd = port, port.fileno()
        self._unsent.clear()
        self._loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes) -> None:
        """Put bytes on the wire at once. Raises :class:`DeviceError` ``device_lost``."""
        if self._serial is None:
            raise DeviceError(Code.DEVICE_LOST, f"The port {self._name} is not open.")
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = os.write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._vanished(error) from error
        if sent < len(data) and self._loop is not None:
            self._unsent += data[sent:]
            self._loop.add_writer(self._fd, self._writable)

    def discard_input(self) -> None:
        """Throw away what the kernel holds and the loop has not read yet."""
        # Asked before it is read: "nothing there" is the rule, and an exception costs more than an answer.
        with contextlib.suppress(OSError):  # a vanished port shows itself to the reader or the writer
            if self._serial is not None and fcntl.ioctl(self._fd, termios.FIONREAD, _NOTHING) != _NOTHING:
                os.read(self._fd, READ_BYTES)

    def close(self) -> None:
        """Give the port back."""
        port, self._serial = self._serial, None
        if port is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        with contextlib.suppress(OSError):
            port.close()

    @property
    def _name(self) -> str:
        return self.path or self._spec.usb or ""

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._vanished(error)
            return
        if data:
            self.received(data)
        else:  # with VMIN = 1 no data is EAGAIN; nothing at all is a hang-up
            self._vanished(None)

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._vanished(error)
            return
        del self._unsent[:sent]
        if not self._unsent and self._loop is not None:
            self._loop.remove_writer(self._fd)

    def _vanished(self, cause: OSError | None) -> DeviceError:
        why = f" ({cause.strerror})" if cause is not None else ""
        error = DeviceError(Code.DEVICE_LOST, f"The port {self._name} vanished{why}.")
        if self._serial is not None:
            self.close()
            self.lost(error)
        return error


def _open(spec: PortSpec) -> tuple[serial.Serial, str]:
    path = spec.path if spec.path is not None else find_usb(spec.usb or "")
    try:
        port = serial.Serial(
            path,
            baudrate=spec.baud,
            bytesize=spec.bytesize,
            parity=spec.parity,
            stopbits=spec.stopbits,
            exclusive=True,
            inter_byte_timeout=0,  # makes pyserial set VMIN = 1, so that "no data yet" differs from a hang-up
        )
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise _open_error(path, error) from error
    with contextlib.suppress(ValueError, OSError, NotImplementedError):
        port.set_low_latency_mode(True)  # FTDI adapters hold replies back for 16 ms otherwise; others do not know it
    return port, path


def _open_error(path: str, error: Exception) -> DeviceError:
    number = getattr(error, "errno", None)
    if number in {errno.EAGAIN, errno.EACCES} and "lock" in str(error):
        return DeviceError(Code.PORT_BUSY, f"Another program holds the port {path}.")
    if number == errno.EBUSY:
        return DeviceError(Code.PORT_BUSY, f"Another program holds the port {path}.")
    if number in {errno.EACCES, errno.EPERM}:
        return DeviceError(
            Code.DEVICE_OFFLINE, f"The port {path} may not be opened: add this user to the group dialout."
        )
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return DeviceError(Code.DEVICE_OFFLINE, f"There is no port {path}.")
    return DeviceError(Code.DEVICE_OFFLINE, f"The port {path} cannot be opened: {error}.")


def _close_again(opening: asyncio.Future[tuple[serial.Serial, str]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()
