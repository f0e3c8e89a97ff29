"""Finding ports and who holds them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.transports.port_finder import Holder, find_holders, find_ports, find_usb
from signaling.errors import Code, DeviceError


@dataclass
class Plugged:
    """What pyserial tells of a port."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    description: str = "n/a"


LEFT = Plugged("/dev/ttyUSB0", 0x0403, 0x6001, "A10K7", "FT232R")
RIGHT = Plugged("/dev/ttyUSB1", 0x0403, 0x6001, "A10K8", "FT232R")
CHEAP = Plugged("/dev/ttyUSB2", 0x1A86, 0x7523)
BOARD = Plugged("/dev/ttyS0")
ALL = [RIGHT, BOARD, LEFT, CHEAP]


def test_ports_are_listed_with_their_usb_identity_and_lasting_name(tmp_path: Path) -> None:
    (tmp_path / "usb-FTDI_A10K7").symlink_to("/dev/ttyUSB0")
    ports = {port.path: port for port in find_ports(ALL, tmp_path)}
    assert list(ports) == ["/dev/ttyS0", "/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyUSB2"]
    assert ports["/dev/ttyUSB0"].usb == "0403:6001:A10K7"
    assert ports["/dev/ttyUSB0"].by_id == str(tmp_path / "usb-FTDI_A10K7")
    assert ports["/dev/ttyUSB1"].by_id is None
    assert ports["/dev/ttyUSB2"].usb == "1A86:7523"
    assert ports["/dev/ttyS0"].usb is None


def test_this_machines_ports_can_be_listed(tmp_path: Path) -> None:
    for port in find_ports(by_id=tmp_path / "absent"):
        assert port.path


def test_an_adapter_is_found_by_its_identity_in_any_case() -> None:
    assert find_usb("0403:6001:a10k8", ALL) == "/dev/ttyUSB1"
    assert find_usb("1a86:7523", ALL) == "/dev/ttyUSB2"


@pytest.mark.parametrize(
    ("identity", "words"), [("0403:6001", "Several"), ("0403:6001:A1", "No USB"), ("1:2", "No USB")]
)
def test_an_adapter_that_is_absent_or_not_the_only_one_is_offline(identity: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words) as caught:
        find_usb(identity, ALL)
    assert caught.value.code is Code.DEVICE_OFFLINE


@pytest.fixture
def held() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_who_holds_a_port_is_found(held: str, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(held)
    holders = find_holders([str(link), "/dev/nobody"])
    assert os.getpid() in {holder.pid for holder in holders[str(link)]}
    assert holders["/dev/nobody"] == []


def test_processes_that_go_meanwhile_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "17").mkdir()
    descriptors = tmp_path / "23" / "fd"
    descriptors.mkdir(parents=True)
    (descriptors / "0").symlink_to("/dev/ttyUSB0")
    (descriptors / "1").write_text("no link")
    assert find_holders(["/dev/ttyUSB0"], tmp_path) == {"/dev/ttyUSB0": [Holder(23, "?")]}
    (tmp_path / "23" / "comm").write_text("minicom\n")
    assert find_holders(["/dev/ttyUSB0"], tmp_path) == {"/dev/ttyUSB0": [Holder(23, "minicom")]}
