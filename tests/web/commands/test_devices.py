"""``tongke devices``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.registry import Registry
from devices.transports import port_finder
from devices.transports.port_finder import FoundPort, Holder
from tests.web.commands.simulators import simulator
from web.cli import main


@pytest.fixture(autouse=True)
def wide_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Path]:
    with simulator("lamp", tmp_path):
        yield tmp_path


def test_ports_are_listed_with_identity_and_holder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        FoundPort("/dev/ttyUSB0", "FT232R", "0403:6001:A10K7", "/dev/serial/by-id/usb-A10K7"),
        FoundPort("/dev/ttyS0", "n/a", None, None),
    ]
    monkeypatch.setattr(port_finder, "find_ports", lambda: found)
    monkeypatch.setattr(
        port_finder, "find_holders", lambda paths: {"/dev/ttyUSB0": [Holder(42, "minicom")], "/dev/ttyS0": []}
    )
    assert main(["devices", "list"]) == 0
    shown = capsys.readouterr().out
    assert "0403:6001:A10K7" in shown
    assert "minicom (42)" in shown
    assert "nobody" in shown


def test_without_ports_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(port_finder, "find_ports", list)
    assert main(["devices", "list"]) == 0
    assert "tongke simulate" in capsys.readouterr().out


def test_drivers_are_listed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "drivers"]) == 0
    shown = capsys.readouterr().out
    assert "tongke-psu" in shown
    assert "可编程电源" in shown


def test_a_driver_that_cannot_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = Registry()
    registry.broken["acme"] = "ImportError: no acme"
    monkeypatch.setattr("devices.registry.installed_drivers", lambda: registry)
    assert main(["devices", "drivers"]) == 1
    assert "no acme" in capsys.readouterr().out


def test_an_instrument_is_tried(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "try", "--port", str(bench / "psu"), "--driver", "tongke-psu"]) == 0
    shown = capsys.readouterr().out
    assert "TONGKE,PSU,SN0001,1.0" in shown
    assert "voltage_setting" in shown
    assert "0.000" in shown


@pytest.mark.parametrize(
    ("port", "driver", "complaint"),
    [
        ("psu", "tongke-dmm", "wrong_identity"),
        ("psu", "tongke-coffee", "there is no driver"),
        ("nothing", "tongke-psu", "device_offline"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    bench: Path, capsys: pytest.CaptureFixture[str], port: str, driver: str, complaint: str
) -> None:
    assert main(["devices", "try", "--port", str(bench / port), "--driver", driver]) == 1
    shown = capsys.readouterr().err
    assert complaint in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("port", "complaint"), [("usb:FFFF:FFFF", "FFFF:FFFF is plugged in"), ("nonsense://x", "cannot be opened")]
)
def test_ports_may_be_named_by_usb_identity_or_url(
    capsys: pytest.CaptureFixture[str], port: str, complaint: str
) -> None:
    assert main(["devices", "try", "--port", port, "--driver", "tongke-psu"]) == 1
    assert complaint in capsys.readouterr().err


def test_a_strange_framing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "try", "--port", "x", "--driver", "tongke-psu", "--framing", "9Z9"]) == 1
    assert "like 8N1" in capsys.readouterr().err


def test_a_reading_that_fails_is_shown_among_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with simulator("dmm", tmp_path):
        main(["devices", "try", "--port", str(tmp_path / "dmm"), "--driver", "tongke-dmm"])
    assert "resistance" in capsys.readouterr().out


def test_a_driver_may_be_tried_from_its_file(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from devices.drivers.psu import PowerSupply\n\n\nclass Mine(PowerSupply):\n    driver_name = 'mine'\n"
    )
    assert main(["devices", "try", "--port", str(bench / "psu"), "--driver", str(path)]) == 0
    assert "TONGKE,PSU" in capsys.readouterr().out
