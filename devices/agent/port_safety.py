"""Bringing all devices behind one port to their safe state, and reading back that they are in it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from devices.agent.attached_device import AttachedDevice
from devices.agent.port_agenda import SafeResult
from devices.agent.port_use import OpenPort
from devices.model import DeviceState
from signaling.errors import Code, TongkeError

logger = logging.getLogger(__name__)

SAFE_BOUND_MS = 60_000.0


class BrokenOff(Exception):
    """A stop has overtaken this, and answers for it."""


class SafetyHost(Protocol):
    """What is needed of the port's worker."""

    async def use(
        self, device: AttachedDevice, act: Callable[..., Awaitable[Any]], bound_ms: float, *, is_stop: bool = False
    ) -> Any:
        """Let a driver talk to its device."""
        ...

    async def identify(self, device: AttachedDevice, *, is_stop: bool = False) -> None:
        """Make sure who is there."""
        ...


async def bring_to_safety(
    host: SafetyHost, port: OpenPort, devices: Iterable[AttachedDevice], *, is_stop: bool
) -> SafeResult:
    """First every device's steps, then every device's verification; those that answer go first.

    Raises :class:`BrokenOff` unless ``is_stop``.
    """
    ordered = sorted(devices, key=lambda device: not device.is_online)
    first_bytes_ms: list[float] = []
    last_bytes_ms: list[float] = []
    problems = []
    for device in ordered:
        await _take_steps(host, device, is_stop)
        if port.conversation.first_byte_ms is not None:
            first_bytes_ms.append(port.conversation.first_byte_ms)
        if port.conversation.last_byte_ms is not None:
            last_bytes_ms.append(port.conversation.last_byte_ms)
    for device in ordered:
        problem = await _verify(host, device, is_stop)
        if problem is not None:
            problems.append(f"{device.name}: {problem}")
    return SafeResult(tuple(problems), min(first_bytes_ms, default=None), max(last_bytes_ms, default=None))


async def _take_steps(host: SafetyHost, device: AttachedDevice, is_stop: bool) -> None:
    """Send the steps, also to a device that has gone silent since it was last recognised: it may still hear."""
    if not device.is_online:
        await host.identify(device, is_stop=is_stop)
    if device.state is DeviceState.WRONG_IDENTITY or not device.identity:
        return
    try:
        await host.use(device, device.driver.make_safe, SAFE_BOUND_MS, is_stop=is_stop)
    except TongkeError as error:
        if error.code is Code.STOPPED:
            raise BrokenOff from None
        logger.warning("%s: not every step to the safe state was taken: %s", device.name, error.text)


async def _verify(host: SafetyHost, device: AttachedDevice, is_stop: bool) -> str | None:
    if not device.is_online:
        return device.text or "it has not been recognised yet"
    try:
        problem: str | None = await host.use(device, device.driver.verify_safe, SAFE_BOUND_MS, is_stop=is_stop)
    except TongkeError as error:
        if error.code is Code.STOPPED:
            raise BrokenOff from None
        return error.text
    return problem
