"""An open port, and each use that a driver makes of it: bounded in time, and open to being cut short by a stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from devices.agent.execution import NotStarted
from devices.conversation import PortConversation
from devices.driver import Driver
from devices.ports import Conversation, Transport
from signaling.errors import Code, DeviceError, OurError, TongkeError

logger = logging.getLogger(__name__)

T = TypeVar("T")


def nothing() -> None:
    """What most uses check before their first byte."""


class OpenPort:
    """A transport and the conversation over it, used by one task at a time."""

    def __init__(self, transport: Transport, conversation: PortConversation) -> None:
        self.conversation = conversation
        self.lost: DeviceError | None = None
        """Why the port has gone, once it has."""
        self._transport = transport
        self._use_now: _Use | None = None

    async def use(
        self,
        driver: Driver,
        act: Callable[[Conversation], Awaitable[T]],
        bound_ms: float,
        before_first_byte: Callable[[], None] = nothing,
        *,
        is_stop: bool = False,
    ) -> T:
        """Let a driver talk to its device.

        Whatever goes wrong comes out as a :class:`TongkeError`: :class:`NotStarted` from ``before_first_byte``,
        ``stopped`` when a stop cut it short (never when ``is_stop``), ``internal`` for a driver's own fault.
        """
        if self.lost is not None:
            raise DeviceError(Code.DEVICE_OFFLINE, f"{driver.name}: its port is closed.")
        use: _Use | None = None
        try:
            async with asyncio.timeout(bound_ms / 1_000.0) as bound:
                with self.conversation.exclusive(before_first_byte, driver) as io:
                    use = _Use(io, driver, bound)
                    self._use_now = None if is_stop else use
                    return await act(use)
        except NotStarted:
            raise
        except (DeviceError, TimeoutError) as error:
            if use is not None and use.is_broken_off:
                raise _stopped() from None
            if isinstance(error, DeviceError):
                raise
            raise DeviceError(Code.NO_REPLY, f"{driver.name} came to no end within {bound_ms:.0f} ms.") from None
        except TongkeError:
            raise
        except Exception as error:
            logger.exception("%s: the driver failed", driver.name)
            raise OurError(Code.INTERNAL, f"The driver of {driver.name} failed; it has been logged.") from error
        finally:
            self._use_now = None

    def break_off(self) -> None:
        """End the present use as soon as may be. Not to be called by the task that uses the port."""
        if self._use_now is not None:
            self._use_now.break_off()

    def close(self) -> None:
        """Give the port back."""
        self._transport.close()


class _Use:
    """A :class:`devices.ports.Conversation` that lets no further exchange begin once it has been broken off.

    The exchange that is on the wire by then is the last; it is cut short too when the driver says how.
    """

    __slots__ = ("_bound", "_driver", "_io", "is_broken_off")

    def __init__(self, io: PortConversation, driver: Driver, bound: asyncio.Timeout) -> None:
        self.is_broken_off = False
        self._io = io
        self._driver = driver
        self._bound = bound

    def ask(self, request: bytes, *, timeout_ms: float | None = None) -> Coroutine[Any, Any, bytes]:
        if self.is_broken_off:
            raise _stopped()
        return self._io.ask(request, timeout_ms=timeout_ms)

    def tell(self, request: bytes) -> Coroutine[Any, Any, None]:
        if self.is_broken_off:
            raise _stopped()
        return self._io.tell(request)

    def settle(self, settle_ms: float) -> Coroutine[Any, Any, None]:
        if self.is_broken_off:
            raise _stopped()
        return self._io.settle(settle_ms)

    def break_off(self) -> None:
        if self.is_broken_off:
            return
        self.is_broken_off = True
        if not self._io.on_the_wire:
            self._bound.reschedule(asyncio.get_running_loop().time())
        elif self._driver.break_off is not None:
            try:
                self._io.break_off(self._driver.break_off)
            except DeviceError:
                return  # the port is gone, and the exchange with it


def _stopped() -> DeviceError:
    return DeviceError(Code.STOPPED, "A stop broke it off.")
