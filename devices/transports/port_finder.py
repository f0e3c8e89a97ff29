"""Which serial ports this machine has, what is plugged into them, and who holds them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

from signaling.errors import Code, DeviceError

BY_ID = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    program: str


@dataclass(frozen=True, slots=True)
class FoundPort:
    """One serial port."""

    path: str
    description: str
    usb: str | None
    """``VID:PID:SERIAL``, or ``VID:PID`` when the adapter has no serial number: for ``usb`` in a bench file."""
    by_id: str | None
    """Its name that stays the same when other things are plugged in."""


class UsbPort(Protocol):
    """What is used of pyserial's port information."""

    device: str
    description: str
    vid: int | None
    pid: int | None
    serial_number: str | None


def find_ports(found: Iterable[UsbPort] | None = None, by_id: Path = BY_ID) -> list[FoundPort]:
    """All serial ports, sorted by path."""
    names = {os.path.realpath(link): str(link) for link in (by_id.iterdir() if by_id.is_dir() else ())}
    ports = list_ports.comports() if found is None else found
    return sorted(
        (FoundPort(p.device, p.description, _usb_identity(p), names.get(os.path.realpath(p.device))) for p in ports),
        key=lambda port: port.path,
    )


def find_usb(identity: str, found: Iterable[UsbPort] | None = None) -> str:
    """The path of the one port with this ``VID:PID`` or ``VID:PID:SERIAL``.

    Raises :class:`DeviceError` ``device_offline`` when none is plugged in or several are.
    """
    wanted = identity.upper()
    matching = [
        port.path
        for port in find_ports(found)
        if port.usb is not None and (port.usb.upper() == wanted or port.usb.upper().startswith(wanted + ":"))
    ]
    if not matching:
        raise DeviceError(Code.DEVICE_OFFLINE, f"No USB adapter {identity} is plugged in.")
    if len(matching) > 1:
        raise DeviceError(Code.DEVICE_OFFLINE, f"Several adapters are {identity}: {', '.join(matching)}. Name a path.")
    return matching[0]


def find_holders(paths: Iterable[str], proc: Path = Path("/proc")) -> dict[str, list[Holder]]:
    """Which processes have these ports open; those of other users are seen only by root."""
    holders: dict[str, list[Holder]] = {path: [] for path in paths}
    by_target: dict[str, list[str]] = {}
    for path in holders:
        by_target.setdefault(os.path.realpath(path), []).append(path)
    for process in sorted((p for p in proc.iterdir() if p.name.isdecimal()), key=lambda p: int(p.name)):
        for target in _open_files(process) & by_target.keys():
            for path in by_target[target]:
                holders[path].append(Holder(int(process.name), _program(process)))
    return holders


def _usb_identity(port: UsbPort) -> str | None:
    if port.vid is None or port.pid is None:
        return None
    identity = f"{port.vid:04X}:{port.pid:04X}"
    return f"{identity}:{port.serial_number}" if port.serial_number else identity


def _open_files(process: Path) -> set[str]:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:  # gone by now, or another user's
        return set()
    targets = set()
    for descriptor in descriptors:
        try:
            targets.add(str(descriptor.readlink()))
        except OSError:
            continue
    return targets


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "?"
