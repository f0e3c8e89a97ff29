"""docs/drivers.md: its example runs as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import devices
from devices.conversation import PortConversation
from devices.driver import DeviceSettings, Driver
from devices.registry import Registry, UnknownDriverError, driver_in_file
from devices.sim.firmware.scpi import ScpiFirmware, number_in, scientific, switch_in, word_in
from devices.sim.pty_port import PtyPort
from devices.transports import PortSpec, open_transport
from signaling.errors import DeviceError
from tests.devices.rig import PATIENT_MS, ordinary_arguments

PAGE = Path(devices.__file__).parent.parent / "docs" / "drivers.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


class LoadFirmware(ScpiFirmware):
    """The page's electronic load on a 12 V battery."""

    def __init__(self) -> None:
        super().__init__("ACME,EL-150,123456,2.1")
        self.current = 1.0
        self.input = False
        self.mode = "CURR"
        self.on("MEASure:VOLTage?", lambda args: "12.0")
        self.on("MEASure:CURRent?", lambda args: scientific(self.current if self.input else 0.0))
        self.on("INPut?", lambda args: str(int(self.input)))
        self.on("INPut", self._switch)
        self.on("INPut:PROTection:CLEar", lambda args: None)
        self.on("CURRent?", lambda args: scientific(self.current))
        self.on("CURRent", self._set_current)
        self.on("FUNCtion?", lambda args: self.mode)
        self.on("FUNCtion", self._set_mode)

    def _switch(self, args: list[str]) -> None:
        self.input = switch_in(args)

    def _set_current(self, args: list[str]) -> None:
        self.current = number_in(args, 0.0, 20.0)

    def _set_mode(self, args: list[str]) -> None:
        self.mode = word_in(args, "CURR", "RES")


@pytest.fixture
def example(tmp_path: Path) -> type[Driver]:
    (code,) = blocks("python")
    path = tmp_path / "acme_load.py"
    path.write_text(code, "utf-8")
    return driver_in_file(path)


async def test_the_example_drives_an_instrument(example: type[Driver], tmp_path: Path) -> None:
    driver = example("load", "load-port", DeviceSettings(serial="123456"), 19_200)
    driver.timeout_ms = PATIENT_MS
    simulated = PtyPort(LoadFirmware(), tmp_path / "load", clock=lambda: 0.0)
    simulated.plug_in()
    transport = open_transport(PortSpec(path=str(simulated.link)))
    conversation = PortConversation(transport, driver.codec)
    await transport.open()
    try:
        with conversation.exclusive(lambda: None, driver) as io:
            assert await driver.identify(io) == "ACME,EL-150,123456,2.1"
            for action in driver.description.actions:
                await driver.run(io, action.name, ordinary_arguments(action))
            assert await driver.run(io, "measure_power", {}) == 60.0
            await driver.run(io, "set_current", {"current": 15.0})
            with pytest.raises(DeviceError, match="more than 150 W"):
                await driver.run(io, "measure_power", {})
            for prop in driver.description.properties:
                assert await driver.read(io, prop.name) is not None
            await driver.make_safe(io)
            assert await driver.verify_safe(io) is None
    finally:
        transport.close()
        simulated.unplug()


def test_the_page_packages_and_uses_the_example_under_its_name(example: type[Driver]) -> None:
    project, bench = (tomllib.loads(text) for text in blocks("toml"))
    ((name, where),) = project["project"]["entry-points"]["tongke.drivers"].items()
    assert name == example.driver_name
    assert where == f"acme_load:{example.__name__}"
    (device,) = bench["device"]
    driver = Registry([example]).create(device["driver"], name=device["name"], port=device["port"])
    for limited in device["limits"]:
        action_name, _, parameter_name = limited.partition(".")
        action = driver.description.action(action_name)
        assert action is not None
        assert parameter_name in {parameter.name for parameter in action.parameters}


def test_the_page_names_only_files_that_exist() -> None:
    root = PAGE.parent.parent
    named = re.findall(r"`((?:devices|tests)/[\w/]+\.py)`", PAGE.read_text("utf-8"))
    assert named
    assert [name for name in named if not (root / name).is_file()] == []


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("x = 1", "defines 0 drivers"),
        ("from devices.drivers.psu import PowerSupply", "defines 0 drivers"),
        ("import nothing_like_that", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
    ],
)
def test_a_file_without_a_driver_is_refused_in_words(tmp_path: Path, code: str, complaint: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(code)
    with pytest.raises(UnknownDriverError, match=complaint):
        driver_in_file(path)
