"""What the drivers and the agent need from below: a port that carries bytes, and a conversation over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signaling.errors import DeviceError


class Transport(Protocol):
    """One serial port (or what stands for it). Used from one event loop only.

    ``received`` is called with each piece of bytes as it comes; ``lost`` once when an open port vanishes.
    """

    received: Callable[[bytes], None]
    lost: Callable[[DeviceError], None]

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        ...

    async def open(self) -> None:
        """Open the port. Raises :class:`DeviceError` ``device_offline`` or ``port_busy``."""
        ...

    def write(self, data: bytes) -> None:
        """Put bytes on the wire at once, without waiting. Raises :class:`DeviceError` ``device_lost``."""
        ...

    def discard_input(self) -> None:
        """Throw away what has come in and was not reported yet: stale bytes before a request."""
        ...

    def close(self) -> None:
        """Give the port back; nothing is called afterwards. Closing twice does nothing."""
        ...


class ReplyDecoder(Protocol):
    """Recognises the end of one reply. Pure: fed with bytes as they come."""

    def feed(self, data: bytes) -> bytes | None:
        """The whole reply's payload once it is complete. Raises :class:`DeviceError` ``bad_reply``."""
        ...


class Codec(Protocol):
    """How requests and replies are delimited on one kind of instrument. Pure."""

    def encode(self, request: bytes) -> bytes:
        """The bytes for the wire: terminator or checksum added."""
        ...

    def decoder(self, request: bytes) -> ReplyDecoder:
        """A fresh decoder for the reply to this request."""
        ...


class Conversation(Protocol):
    """What a driver talks through while it holds the port. One exchange at a time."""

    async def ask(self, request: bytes, *, timeout_ms: float | None = None) -> bytes:
        """Write a request and wait for its reply.

        Raises :class:`DeviceError` ``no_reply``, ``bad_reply`` or ``device_lost``.
        """
        ...

    async def tell(self, request: bytes) -> None:
        """Write a request that has no reply. Raises :class:`DeviceError` ``device_lost``."""
        ...

    async def settle(self, settle_ms: float) -> None:
        """Hold the port while the instrument settles."""
        ...
