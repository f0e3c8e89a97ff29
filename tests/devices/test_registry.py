"""Drivers by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from devices import registry as registry_module
from devices.driver import SafeState, Text
from devices.drivers.scpi import ScpiDriver
from devices.registry import Registry, UnknownDriverError, installed_drivers


class Acme(ScpiDriver):
    """A driver of somebody else."""

    driver_name = "acme-load"
    title = Text("Load", "负载")
    safe_state = SafeState()


def test_a_driver_is_made_by_its_name() -> None:
    registry = Registry([Acme])
    driver = registry.create("acme-load", name="load", port="p", baud=9_600)
    assert driver.description.name == "load"
    assert driver.description.driver == "acme-load"
    assert driver.description.port == "p"


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownDriverError, match="acme-load"):
        Registry([Acme]).get("acme")


def test_two_drivers_of_one_name_are_a_mistake_and_one_twice_is_not() -> None:
    registry = Registry([Acme, Acme])
    assert registry.names() == ["acme-load"]
    other = type("Other", (ScpiDriver,), {**vars(Acme), "__doc__": "Another."})
    with pytest.raises(ValueError, match="two drivers"):
        registry.register(other)


def test_a_family_is_no_driver() -> None:
    with pytest.raises(ValueError, match="no driver_name"):
        Registry([ScpiDriver])


def test_other_packages_drivers_are_found_and_broken_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    group = registry_module.ENTRY_POINT_GROUP
    here = EntryPoint("acme-load", "tests.devices.test_registry:Acme", group)
    missing = EntryPoint("missing", "no_such_package:Driver", group)
    wrong = EntryPoint("wrong", "tests.devices.test_registry:test_a_family_is_no_driver", group)
    monkeypatch.setattr(registry_module, "entry_points", lambda group: EntryPoints([here, missing, wrong]))
    registry = installed_drivers()
    assert "acme-load" in registry.names()
    assert "tongke-psu" in registry.names()
    assert "ModuleNotFoundError" in registry.broken["missing"]
    assert "not a Driver class" in registry.broken["wrong"]
