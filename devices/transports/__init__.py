"""Ports that carry bytes: local serial ports without a thread, and everything that pyserial opens by URL."""

from __future__ import annotations

from dataclasses import dataclass

from devices.ports import Transport


@dataclass(frozen=True, slots=True)
class PortSpec:
    """Which port, and how its line is set. Exactly one of ``path``, ``usb`` and ``url`` is given."""

    path: str | None = None
    usb: str | None = None
    """``VID:PID`` or ``VID:PID:SERIAL``; looked up whenever the port is opened, so a replugged one is found again."""
    url: str | None = None
    """What pyserial opens: ``rfc2217://host:port``, ``socket://host:port``, ``loop://``."""
    baud: int = 9_600
    framing: str = "8N1"
    """Data bits, parity (N, E, O) and stop bits."""

    def __post_init__(self) -> None:
        if sum(where is not None for where in (self.path, self.usb, self.url)) != 1:
            raise ValueError("a port has exactly one of path, usb and url")
        data_bits, parity, stop_bits = self.framing[:1], self.framing[1:2].upper(), self.framing[2:]
        if (
            data_bits not in "5678"
            or parity not in "NEO"
            or stop_bits not in {"1", "1.5", "2"}
            or not data_bits
            or not parity
        ):
            raise ValueError(f"framing {self.framing!r} is not like 8N1")
        if self.baud <= 0:
            raise ValueError(f"{self.baud} is no baud rate")

    @property
    def place(self) -> str:
        """The path, USB identity or URL, whichever it is."""
        return self.path or self.usb or self.url or ""

    @property
    def bytesize(self) -> int:
        """Data bits."""
        return int(self.framing[0])

    @property
    def parity(self) -> str:
        """N, E or O."""
        return self.framing[1].upper()

    @property
    def stopbits(self) -> float:
        """1, 1.5 or 2."""
        return float(self.framing[2:])


def open_transport(spec: PortSpec) -> Transport:
    """The transport for a port, still closed: set ``received`` and ``lost``, then ``await transport.open()``."""
    # Imported late: pyserial's URL handlers and threads are not needed for a local port.
    if spec.url is not None:
        from devices.transports.url_port import UrlPort

        return UrlPort(spec)
    from devices.transports.serial_port import SerialPort

    return SerialPort(spec)
