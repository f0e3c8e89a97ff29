"""``tongke devices``: which ports and drivers there are, and whether an instrument answers."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.driver import Driver
    from devices.transports import PortSpec
    from signaling.wire import Value


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand and its three own ones."""
    parser = subparsers.add_parser(
        "devices",
        help="list serial ports and drivers, try an instrument",
        description="What a technician wants to know before writing a bench file.",
    )
    below = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    ports = below.add_parser("list", help="serial ports, what is plugged in, and who holds them")
    ports.set_defaults(run=run, what=_list_ports)
    drivers = below.add_parser("drivers", help="the drivers that are installed")
    drivers.set_defaults(run=run, what=_list_drivers)
    trial = below.add_parser("try", help="identify an instrument and read everything that it can tell")
    trial.add_argument("--port", required=True, help="a path, usb:VID:PID[:SERIAL], or rfc2217://… and socket://…")
    trial.add_argument("--driver", required=True, help="a name from: tongke devices drivers; or a Python file")
    trial.add_argument("--baud", type=int, help="the baud rate (the driver's usual one)")
    trial.add_argument("--framing", default="8N1", help="data bits, parity, stop bits (8N1)")
    trial.add_argument("--address", type=int, help="the address on a shared line (Modbus)")
    trial.set_defaults(run=run, what=_try_device)


def run(options: argparse.Namespace) -> int:
    """Do what the second word says."""
    status: int = options.what(options)
    return status


def _list_ports(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from devices.transports.port_finder import find_holders, find_ports

    ports = find_ports()
    if not ports:
        Console().print("No serial ports. Plug an adapter in, or try: tongke simulate lamp")
        return 0
    holders = find_holders(port.path for port in ports)
    table = Table("Port", "What", "USB", "Same name always", "Held by", box=None, pad_edge=False, header_style="bold")
    for port in ports:
        held = ", ".join(f"{holder.program} ({holder.pid})" for holder in holders[port.path])
        table.add_row(port.path, port.description, port.usb or "", port.by_id or "", held or "nobody")
    Console(soft_wrap=True).print(table)
    return 0


def _list_drivers(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from devices.registry import installed_drivers

    registry = installed_drivers()
    table = Table("Driver", "Instrument", "", "Actions", box=None, pad_edge=False, header_style="bold")
    for name in registry.names():
        driver = registry.get(name)
        table.add_row(name, driver.title.en, driver.title.zh, ", ".join(driver.actions))
    console = Console(soft_wrap=True)
    console.print(table)
    for name, why in registry.broken.items():
        console.print(f"[red]{name} cannot be loaded:[/red] {why}")
    return 1 if registry.broken else 0


def _try_device(options: argparse.Namespace) -> int:
    import asyncio
    from pathlib import Path

    from devices.driver import DeviceSettings
    from devices.registry import UnknownDriverError, driver_in_file, installed_drivers
    from signaling.errors import TongkeError

    try:
        in_file = options.driver.endswith(".py")
        kind = driver_in_file(Path(options.driver)) if in_file else installed_drivers().get(options.driver)
        baud = options.baud or kind.default_baud
        driver = kind("device", "port", DeviceSettings(address=options.address), baud)
        return asyncio.run(_read_everything(driver, _port_spec(options, baud)))
    except (UnknownDriverError, ValueError) as error:
        sys.stderr.write(f"tongke devices try: {error}\n")
    except TongkeError as error:
        sys.stderr.write(f"tongke devices try: {error.text} ({error.code.value})\n")
    return 1


def _port_spec(options: argparse.Namespace, baud: int) -> PortSpec:
    from devices.transports import PortSpec

    if "://" in options.port:
        return PortSpec(url=options.port, baud=baud, framing=options.framing)
    if options.port.startswith("usb:"):
        return PortSpec(usb=options.port.removeprefix("usb:"), baud=baud, framing=options.framing)
    return PortSpec(path=options.port, baud=baud, framing=options.framing)


async def _read_everything(driver: Driver, spec: PortSpec) -> int:
    """Identify, then read each property; the exit status says whether all could be read."""
    from rich.console import Console
    from rich.table import Table

    from devices.conversation import PortConversation
    from devices.transports import open_transport
    from signaling.errors import DeviceError

    transport = open_transport(spec)
    conversation = PortConversation(transport, driver.codec)
    table = Table("Reading", "Value", "Unit", "Took", "", box=None, pad_edge=False, header_style="bold")
    table.columns[1].justify = table.columns[3].justify = "right"
    failures = 0
    await transport.open()
    try:
        with conversation.exclusive(_nothing_to_check, driver) as io:
            identity = await driver.identify(io)
        for prop in driver.description.properties:
            value, remark = "", ""
            with conversation.exclusive(_nothing_to_check, driver) as io:
                try:
                    value = _shown(await driver.read(io, prop.name), prop.decimals)
                except DeviceError as error:
                    failures += 1
                    remark = f"[red]{error.text}[/red]"
            took_ms = (conversation.last_byte_ms or 0.0) - (conversation.first_byte_ms or 0.0)
            table.add_row(f"{prop.name} ({prop.title.en})", value, prop.unit, f"{took_ms:.1f} ms", remark)
    finally:
        transport.close()
    console = Console(soft_wrap=True)
    console.print(f"[bold]{identity}[/bold]")
    console.print(table)
    return 1 if failures else 0


def _nothing_to_check() -> None:
    """Nobody else commands this port: every request may start."""


def _shown(value: Value, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)
