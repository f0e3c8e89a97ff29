"""Reading bench files: TOML in, checked and complete configuration out, or every mistake at once.

``docs/agent.md`` describes the format for technicians.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from devices.driver import DeviceSettings, Driver
from devices.interlock import ConditionError, parse
from devices.limits import LimitError, tightened
from devices.model import BenchDescription, DeviceDescription, Interlock, Limit, Text
from devices.registry import Registry, UnknownDriverError
from devices.transports import PortSpec

MAX_FILE_BYTES = 1_048_576
MAX_DEPTH = 1_024

_BENCH_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DEVICE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REQUIRED: Any = object()

T = TypeVar("T")


class BenchFileError(ValueError):
    """A bench file cannot be used; ``mistakes`` lists everything that is wrong with it, each with its place."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        super().__init__(f"{path}: {'; '.join(mistakes)}")
        self.path = path
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One device: what is needed to make its driver."""

    name: str
    driver: str
    settings: DeviceSettings


@dataclass(frozen=True, slots=True)
class PortConfig:
    """One port and the devices behind it. Equal ones need not be reopened."""

    name: str
    spec: PortSpec
    devices: tuple[DeviceConfig, ...]


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """A whole bench file."""

    description: BenchDescription
    ports: tuple[PortConfig, ...]

    @property
    def name(self) -> str:
        """The bench's name."""
        return self.description.name


def make_driver(registry: Registry, port: PortConfig, device: DeviceConfig) -> Driver:
    """The driver of a device."""
    return registry.create(
        device.driver, name=device.name, port=port.name, settings=device.settings, baud=port.spec.baud
    )


def load_bench(path: Path, registry: Registry, ports: Mapping[str, str] | None = None) -> BenchConfig:
    """Read and check one bench file. ``ports`` says where some ports are instead, by name: a path or a URL.

    Raises :class:`BenchFileError`.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BenchFileError(path, [f"larger than {MAX_FILE_BYTES} bytes"])
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BenchFileError(path, [f"cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BenchFileError(path, [f"is not valid TOML: {error}"]) from error
    reader = _Reader(registry, ports or {})
    config = reader.read(content)
    if reader.mistakes or config is None:
        raise BenchFileError(path, reader.mistakes)
    return config


def place_of(spec: PortSpec) -> str:
    """Where a port is, as its file says it."""
    return spec.path or spec.usb or spec.url or ""


class _Table:
    """One table of the file; what is taken from it is checked, what is left over is a mistake."""

    def __init__(self, place: str, content: Any, mistakes: list[str]) -> None:
        self.place = place
        self._mistakes = mistakes
        self._left: dict[str, Any] = dict(content) if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            self.complain("must be a table")

    def complain(self, words: str) -> None:
        self._mistakes.append(f"{self.place}: {words}")

    def take(self, key: str, kind: type[T], default: T = _REQUIRED) -> T:
        """A value of that type; a complaint and something harmless when it is not there or of another type."""
        if key not in self._left:
            if default is _REQUIRED:
                self.complain(f"{key} is missing")
                return kind()
            return default
        value: T = self._left.pop(key)
        if kind is float and type(value) is int:
            value = kind(value)  # type: ignore[call-arg]  # float(3)
        if type(value) is not kind:
            self.complain(f"{key} must be {_WORDS[kind]}")
            return kind()
        if isinstance(value, float) and not math.isfinite(value):
            self.complain(f"{key} must be finite")
        return value

    def take_optional(self, key: str, kind: type[T]) -> T | None:
        return self.take(key, kind) if key in self._left else None

    def take_text(self, key: str) -> Text:
        table = _Table(f"{self.place}.{key}", self._left.pop(key, {}), self._mistakes)
        text = Text(table.take("en", str), table.take("zh", str))
        table.end()
        return text

    def has(self, key: str) -> bool:
        return key in self._left

    def names(self) -> list[str]:
        return list(self._left)

    def end(self) -> None:
        for key in self._left:
            self.complain(f"{key} is not known here")


_WORDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class _Reader:
    """Collects mistakes rather than stopping at the first."""

    def __init__(self, registry: Registry, ports: Mapping[str, str]) -> None:
        self.mistakes: list[str] = []
        self._registry = registry
        self._overrides = ports
        self._specs: dict[str, PortSpec] = {}
        self._behind: dict[str, list[DeviceConfig]] = {}
        self._devices: list[DeviceDescription] = []
        self._drivers: dict[str, Driver] = {}

    def read(self, content: dict[str, Any]) -> BenchConfig | None:
        file = _Table("file", content, self.mistakes)
        bench = _Table("bench", file.take("bench", dict), self.mistakes)
        for place, table in self._tables(file, "port"):
            self._read_port(place, table)
        for place, table in self._tables(file, "device"):
            self._read_device(place, table)
        interlocks = [self._read_interlock(place, table) for place, table in self._tables(file, "interlock")]
        file.end()
        description = self._read_bench(bench, tuple(interlocks))
        self._find_doubles("interlock", [interlock.name for interlock in interlocks])
        self._find_doubles("device", [device.name for device in self._devices])
        for name, spec in self._specs.items():
            if not self._behind.get(name):
                self.mistakes.append(f"port {name}: no device is behind it")
            where = [other for other, its in self._specs.items() if place_of(its) == place_of(spec)]
            if len(where) > 1 and where[0] == name:
                self.mistakes.append(f"ports {', '.join(where)}: are the same port")
        if self.mistakes:
            return None
        return BenchConfig(
            description,
            tuple(PortConfig(name, spec, tuple(self._behind[name])) for name, spec in self._specs.items()),
        )

    def _tables(self, file: _Table, kind: str) -> list[tuple[str, _Table]]:
        tables = []
        for number, content in enumerate(file.take(kind, list, []), 1):
            name = content.get("name") if isinstance(content, dict) else None
            place = f"{kind} {name}" if isinstance(name, str) else f"{kind} number {number}"
            tables.append((place, _Table(place, content, self.mistakes)))
        return tables

    def _read_bench(self, table: _Table, interlocks: tuple[Interlock, ...]) -> BenchDescription:
        name = table.take("name", str)
        if not _BENCH_NAME.fullmatch(name):
            table.complain("name must be lower-case letters, digits, - and _")
        title = table.take_text("title")
        depth = table.take("queue_depth", int, 32)
        if not 1 <= depth <= MAX_DEPTH:
            table.complain(f"queue_depth must be from 1 to {MAX_DEPTH}")
        link_loss_s = table.take("link_loss_s", float, 10.0)
        if not 0.5 <= link_loss_s <= 3_600.0:
            table.complain("link_loss_s must be from 0.5 to 3600 seconds")
        table.end()
        if not self._devices:
            table.complain("has no device")
        return BenchDescription(name, title, tuple(self._devices), interlocks, depth, link_loss_s * 1_000.0)

    def _read_port(self, place: str, table: _Table) -> None:
        name = table.take("name", str)
        where = {key: table.take(key, str) for key in ("path", "usb", "url") if table.has(key)}
        if name in self._overrides:
            there = self._overrides[name]
            where = {"url" if "://" in there else "path": there}
        baud, framing = table.take("baud", int, 9_600), table.take("framing", str, "8N1")
        table.end()
        if not name or name in self._specs:
            table.complain("name must be given and not be used twice")
        try:
            self._specs[name] = PortSpec(**where, baud=baud, framing=framing)
        except ValueError as error:
            table.complain(str(error))
            self._specs[name] = PortSpec(path=place)

    def _read_device(self, place: str, table: _Table) -> None:
        name, port = table.take("name", str), table.take("port", str)
        driver_name = table.take("driver", str)
        title = table.take_text("title") if table.has("title") else None
        settings = DeviceSettings(table.take_optional("address", int), table.take_optional("serial", str))
        limits = self._read_limits(f"{place}.limits", table.take("limits", dict, {}))
        table.end()
        if not _DEVICE_NAME.fullmatch(name):
            table.complain("name must be lower-case letters, digits and _, beginning with a letter")
        spec = self._specs.get(port)
        if spec is None:
            table.complain(f"there is no port {port!r}")
            return
        config = DeviceConfig(name, driver_name, settings)
        self._behind.setdefault(port, []).append(config)
        try:
            driver = self._registry.create(
                driver_name, name=name, port=port, settings=replace(settings, title=title), baud=spec.baud
            )
        except UnknownDriverError as error:
            table.complain(str(error))
            return
        except (ValueError, TypeError) as error:  # the driver does not like its settings
            table.complain(f"{driver_name}: {error}")
            return
        description = driver.description
        for limited, limit in limits.items():
            try:
                description = tightened(description, {limited: limit})
            except LimitError as error:
                table.complain(f"limits: {error}")
        self._devices.append(description)

    def _read_limits(self, place: str, content: dict[str, Any]) -> dict[str, Limit]:
        limits = {}
        for key, bounds in content.items():
            table = _Table(f"{place} {key}", bounds, self.mistakes)
            limits[key] = Limit(*(table.take_optional(bound, float) for bound in ("low", "high", "step")))
            table.end()
        return limits

    def _read_interlock(self, place: str, table: _Table) -> Interlock:
        interlock = Interlock(
            table.take("name", str),
            table.take_text("text"),
            table.take("when", str),
            tuple(item for item in table.take("blocks", list, []) if self._may_block(table, item)),
            table.take("makes_safe", bool, False),
        )
        table.end()
        if not interlock.name:
            table.complain("name must be given")
        try:
            names = parse(interlock.when).names
        except ConditionError as error:
            table.complain(f"when: {error}")
            return interlock
        for name in sorted(names):
            device, _, prop_name = name.partition(".")
            description = next((d for d in self._devices if d.name == device), None)
            prop = description.property(prop_name) if description else None
            if prop is None:
                table.complain(f"when: there is no reading {name}")
            elif prop.poll_ms is None:
                table.complain(f"when: {name} is never polled, so nobody would know")
        return interlock

    def _may_block(self, table: _Table, item: Any) -> bool:
        device, _, action = item.partition(".") if isinstance(item, str) else ("", "", "")
        description = next((d for d in self._devices if d.name == device), None)
        if description is None or not (action == "*" or description.action(action)):
            table.complain(f"blocks: there is no action {item!r}")
            return False
        return True

    def _find_doubles(self, kind: str, names: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.mistakes.append(f"{kind} {name}: there are two of that name")
