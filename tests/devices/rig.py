"""A driver in front of its simulated instrument, over a real pty."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from devices.conversation import PortConversation
from devices.driver import Driver
from devices.model import Action, Parameter, ValueType
from devices.ports import Transport
from devices.registry import installed_drivers
from devices.sim.bench import SimulatedBench, start_simulation
from devices.transports import PortSpec, open_transport
from signaling.wire import Value

PATIENT_MS = 20_000.0
"""A time-out that only a broken test meets."""
IMPATIENT_MS = 30.0
"""A time-out for an instrument that will not answer anyway."""


@dataclass
class Rig:
    """Everything between a driver and its instrument."""

    driver: Driver
    device: str
    transport: Transport
    conversation: PortConversation
    bench: SimulatedBench

    def hold(self) -> PortConversation:
        """The port, for one use."""
        return self.conversation.exclusive(lambda: None, self.driver)


def device_of(driver_name: str) -> str:
    """The simulated device that a driver of ours drives."""
    return driver_name.removeprefix("tongke-")


@contextlib.asynccontextmanager
async def rig_for(driver_name: str) -> AsyncIterator[Rig]:
    """A driver with its instrument simulated and its port open."""
    device = device_of(driver_name)
    driver = installed_drivers().create(driver_name, name=device, port="port")
    driver.timeout_ms = PATIENT_MS
    with tempfile.TemporaryDirectory() as directory:
        async with start_simulation(device, directory) as bench:
            transport = open_transport(PortSpec(path=bench[device]))
            conversation = PortConversation(transport, driver.codec)
            await transport.open()
            try:
                yield Rig(driver, device, transport, conversation, bench)
            finally:
                transport.close()


def ordinary_arguments(action: Action) -> dict[str, Value]:
    """The defaults, or what lies in the middle."""
    return {parameter.name: _ordinary(parameter) for parameter in action.parameters}


def _ordinary(parameter: Parameter) -> Value:
    if parameter.default is not None:
        return parameter.default
    if parameter.type is ValueType.STR:
        return parameter.choices[0]
    if parameter.type is ValueType.BOOL:
        return True
    low, high = parameter.limit.low, parameter.limit.high
    assert low is not None
    assert high is not None
    middle = (low + high) / 2.0
    return int(middle) if parameter.type is ValueType.INT else middle
