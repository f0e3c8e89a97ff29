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

WATCH_EVERY_S = 0.1

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
        self._loop = asyncio.get_running_loop()
        self._use_now: _Use | None = None
        self._watchdog: asyncio.TimerHandle | None = None

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
        use = self._use_now = _Use(self.conversation, driver, is_stop, self._loop.time() + bound_ms / 1_000.0)
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(WATCH_EVERY_S, self._watch)
        try:
            with self.conversation.exclusive(before_first_byte, driver):
                return await act(use)
        except NotStarted:
            raise
        except asyncio.CancelledError:
            if not use.was_cut():
                raise
            raise (_stopped() if use.is_broken_off else _endless(driver)) from None
        except TongkeError as error:
            if use.is_broken_off and isinstance(error, DeviceError):
                raise _stopped() from None
            raise
        except Exception as error:
            logger.exception("%s: the driver failed", driver.name)
            raise OurError(Code.INTERNAL, f"The driver of {driver.name} failed; it has been logged.") from error
        finally:
            self._use_now = None
            use.end()

    def break_off(self) -> None:
        """End the present use as soon as may be, unless it is a stop's. Not to be called by the task that uses it."""
        if self._use_now is not None and not self._use_now.is_stop:
            self._use_now.break_off()

    def close(self) -> None:
        """Give the port back."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._transport.close()

    def _watch(self) -> None:
        """Cut a use that has outlived its bound. One timer for all uses: most of them last less than a millisecond."""
        self._watchdog = self._loop.call_later(WATCH_EVERY_S, self._watch)
        use = self._use_now
        if use is not None and self._loop.time() >= use.until_s:
            use.cut()


class _Use:
    """A :class:`devices.ports.Conversation` that lets no further exchange begin once it has been broken off.

    The exchange that is on the wire by then is the last; it is cut short too when the driver says how.
    """

    __slots__ = ("_cancelling", "_driver", "_io", "_is_cut", "_task", "is_broken_off", "is_stop", "until_s")

    def __init__(self, io: PortConversation, driver: Driver, is_stop: bool, until_s: float) -> None:
        self.is_broken_off = False
        self.is_stop = is_stop
        self.until_s = until_s
        self._io = io
        self._driver = driver
        self._is_cut = False
        self._task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]  # there always is one
        self._cancelling = self._task.cancelling()

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
            self.cut()
        elif self._driver.break_off is not None:
            try:
                self._io.break_off(self._driver.break_off)
            except DeviceError:
                return  # the port is gone, and the exchange with it

    def cut(self) -> None:
        """Cancel what the driver awaits, and nothing else; as ``asyncio.timeout`` does it."""
        if not self._is_cut:
            self._is_cut = True
            self._task.cancel()

    def was_cut(self) -> bool:
        """Whether a cancellation that arrived was ours alone."""
        return self._is_cut and self._task.cancelling() - 1 <= self._cancelling

    def end(self) -> None:
        """Take our cancellation back, also when the driver swallowed it."""
        if self._is_cut:
            self._task.uncancel()


def _endless(driver: Driver) -> DeviceError:
    return DeviceError(Code.NO_REPLY, f"{driver.name} came to no end in time.")


def _stopped() -> DeviceError:
    return DeviceError(Code.STOPPED, "A stop broke it off.")
