"""Simulated benches: which instruments share which world, each on its own pty."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

from devices.sim.faults import Fault
from devices.sim.firmware.dmm import MultimeterFirmware
from devices.sim.firmware.generator import GeneratorFirmware
from devices.sim.firmware.motor import MotorFirmware
from devices.sim.firmware.plate import PlateFirmware
from devices.sim.firmware.probe import ProbeFirmware
from devices.sim.firmware.psu import SupplyFirmware
from devices.sim.firmware.scope import ScopeFirmware
from devices.sim.physics.lamp import LampCircuit
from devices.sim.physics.motor import Motor
from devices.sim.physics.plate import Plate
from devices.sim.physics.rlc import ResonanceBench
from devices.sim.ports import Firmware
from devices.sim.pty_port import PtyPort


def _lamp() -> dict[str, Firmware]:
    circuit = LampCircuit()
    return {"psu": SupplyFirmware(circuit), "dmm": MultimeterFirmware(circuit)}


def _resonance() -> dict[str, Firmware]:
    bench = ResonanceBench()
    return {"generator": GeneratorFirmware(bench), "scope": ScopeFirmware(bench)}


KINDS: Mapping[str, Callable[[], dict[str, Firmware]]] = {
    "lamp": _lamp,
    "resonance": _resonance,
    "motor": lambda: {"motor": MotorFirmware(Motor())},
    "plate": lambda: {"plate": PlateFirmware(Plate())},
    "probe": lambda: {"probe": ProbeFirmware()},
}
"""Every bench that can be simulated, with its devices."""


def devices_of(kind: str) -> tuple[Callable[[], dict[str, Firmware]], tuple[str, ...]]:
    """The bench of that name and all its devices, or the bench of a device of that name and only that one.

    Raises LookupError with the list of what there is.
    """
    by_device = {device: bench for bench, build in KINDS.items() for device in build()}
    if kind in KINDS:
        return KINDS[kind], tuple(KINDS[kind]())
    if kind in by_device:
        return KINDS[by_device[kind]], (kind,)
    raise LookupError(f"there is no simulated {kind!r}; there are {', '.join(sorted({*KINDS, *by_device}))}")


class SimulatedBench(Mapping[str, str]):
    """A running simulation: device name → path of its port, which stays the same over unplugging."""

    def __init__(self, instruments: Mapping[str, PtyPort]) -> None:
        self.instruments = dict(instruments)

    @property
    def ports(self) -> dict[str, str]:
        """The paths by the port names that the bench files in ``devices/benches`` use."""
        return {f"{device}-port": path for device, path in self.items()}

    def fail(self, fault: Fault, device: str | None = None, *, times: int | None = None) -> None:
        """Let one device, or all, answer wrongly; see :meth:`devices.sim.pty_port.PtyPort.fail`."""
        for name, instrument in self.instruments.items():
            if device in {None, name}:
                instrument.fail(fault, times=times)

    def fail_as_told(self, told: str) -> None:
        """The same in a word, ``[DEVICE:]FAULT[*TIMES]``. Raises ValueError."""
        before, _, times = told.partition("*")
        device, _, fault = before.rpartition(":")
        if device and device not in self.instruments:
            raise ValueError(f"there is no device {device}; there are {', '.join(self)}")
        if times and not times.isdecimal():
            raise ValueError(f"{times!r} is no number of times")
        if fault not in set(Fault):
            raise ValueError(f"there is no fault {fault!r}; there are {', '.join(Fault)}")
        self.fail(Fault(fault), device or None, times=int(times) if times else None)

    def unplug(self, device: str | None = None) -> None:
        """Pull the cable of one device, or of all; :meth:`work` plugs it in again."""
        for name, instrument in self.instruments.items():
            if device in {None, name}:
                instrument.unplug()

    def work(self, device: str | None = None) -> None:
        """End the faults of one device, or of all, and plug it in again if it is not."""
        for name, instrument in self.instruments.items():
            if device in {None, name}:
                instrument.work()
                instrument.plug_in()

    def __getitem__(self, device: str) -> str:
        return str(self.instruments[device].link)

    def __iter__(self) -> Iterator[str]:
        return iter(self.instruments)

    def __len__(self) -> int:
        return len(self.instruments)


@contextlib.asynccontextmanager
async def start_simulation(
    kind: str,
    directory: Path | str,
    *,
    baud: int | None = None,
    service_ms: float = 0.0,
    clock: Callable[[], float] | None = None,
) -> AsyncIterator[SimulatedBench]:
    """A bench, or one device, simulated in this event loop; its links lie in ``directory``. Raises LookupError."""
    build, devices = devices_of(kind)
    firmware, folder = build(), Path(directory)
    instruments = {
        device: PtyPort(
            firmware[device],
            folder / device,
            clock=clock or _monotonic_ms,
            baud=baud,
            service_ms=service_ms,
        )
        for device in devices
    }
    try:
        for instrument in instruments.values():
            instrument.plug_in()
        yield SimulatedBench(instruments)
    finally:
        for instrument in instruments.values():
            instrument.unplug()


def _monotonic_ms() -> float:
    return time.monotonic() * 1_000.0
