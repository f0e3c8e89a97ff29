"""Which drivers there are: Tongke's own, and those that other installed packages offer under ``tongke.drivers``."""

from __future__ import annotations

import runpy
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from devices.driver import DeviceSettings, Driver

ENTRY_POINT_GROUP = "tongke.drivers"

AnyDriver = TypeVar("AnyDriver", bound=type[Driver])


class UnknownDriverError(LookupError):
    """No driver has that name; the text lists those that there are."""


class Registry:
    """Drivers by name."""

    def __init__(self, drivers: Iterable[type[Driver]] = ()) -> None:
        self._drivers: dict[str, type[Driver]] = {}
        self.broken: dict[str, str] = {}
        """Entry points of other packages that could not be loaded, and why."""
        for driver in drivers:
            self.register(driver)

    def register(self, driver: AnyDriver) -> AnyDriver:
        """Add a driver class; usable as a decorator. Raises ValueError when the name is missing or taken."""
        name = driver.driver_name
        if not name:
            raise ValueError(f"{driver.__name__} has no driver_name")
        if self._drivers.setdefault(name, driver) is not driver:
            raise ValueError(f"two drivers are called {name}: {self._drivers[name].__name__} and {driver.__name__}")
        return driver

    def names(self) -> list[str]:
        """All drivers' names, sorted."""
        return sorted(self._drivers)

    def get(self, name: str) -> type[Driver]:
        """The class of that name. Raises :class:`UnknownDriverError`."""
        if name not in self._drivers:
            raise UnknownDriverError(f"there is no driver {name!r}; known are {', '.join(self.names())}")
        return self._drivers[name]

    def create(
        self,
        driver_name: str,
        *,
        name: str,
        port: str,
        settings: DeviceSettings | None = None,
        baud: int | None = None,
    ) -> Driver:
        """A driver for the device ``name`` behind the port ``port``. Raises :class:`UnknownDriverError`."""
        return self.get(driver_name)(name, port, settings or DeviceSettings(), baud)


def driver_in_file(path: Path) -> type[Driver]:
    """The one driver that a Python file defines: for trying it out before it is packaged.

    Raises :class:`UnknownDriverError` when the file cannot be run, or defines none or several.
    """
    try:
        content = runpy.run_path(str(path))
    except Exception as error:
        raise UnknownDriverError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    found = [
        each
        for each in content.values()
        if isinstance(each, type) and issubclass(each, Driver) and each.driver_name and each.__module__ == "<run_path>"
    ]
    if len(found) != 1:
        raise UnknownDriverError(f"{path} defines {len(found)} drivers instead of one")
    return found[0]


def installed_drivers() -> Registry:
    """Tongke's own drivers and those of every installed package; one that cannot be loaded is named in ``broken``."""
    from devices.drivers import BUILT_IN

    registry = Registry(BUILT_IN)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            driver = entry.load()
            if not (isinstance(driver, type) and issubclass(driver, Driver)):
                raise TypeError("it is not a Driver class")
            registry.register(driver)
        except Exception as error:  # another package's mistake must not keep the bench from working
            registry.broken[entry.name] = f"{type(error).__name__}: {error}"
    return registry
