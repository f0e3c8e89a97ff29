"""The heated plate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.firmware.plate import CUT_OFF_C, RESET_BELOW_C, PlateFirmware
from devices.sim.physics.plate import Plate


def ask(firmware: PlateFirmware, line: str, now_ms: float = 0.0) -> str:
    return firmware.receive(line.encode() + b"\r", now_ms).decode()


def test_it_speaks_as_its_table_says() -> None:
    firmware = PlateFirmware(Plate())
    assert ask(firmware, "I?") == "TONGKE PLATE SN0006 1.0\r\n"
    assert ask(firmware, "T?") == "T 20.00\r\n"
    assert ask(firmware, "p 40") == "OK\r\n"
    assert ask(firmware, "P?") == "P 40.0\r\n"
    assert ask(firmware, "S?") == "S 0\r\n"
    assert ask(firmware, "R") == "OK\r\n"


@pytest.mark.parametrize(
    ("line", "reason"), [("P hot", "NUMBER"), ("P 101", "RANGE"), ("P nan", "RANGE"), ("X", "UNKNOWN"), ("", "UNKNOWN")]
)
def test_it_refuses_with_a_reason(line: str, reason: str) -> None:
    assert ask(PlateFirmware(Plate()), line) == f"E {reason}\r\n"


def test_it_heats_up_in_its_own_time() -> None:
    firmware = PlateFirmware(Plate())
    ask(firmware, "P 50", 0.0)
    assert ask(firmware, "T?", 40_000.0) == f"T {firmware.plate.thermocouple_c:.2f}\r\n"
    assert 75.0 < firmware.plate.thermocouple_c < 85.0


def test_the_cut_off_trips_and_latches_until_it_is_reset_cool() -> None:
    firmware = PlateFirmware(Plate())
    ask(firmware, "P 100", 0.0)
    assert ask(firmware, "S?", 70_000.0) == "S 1\r\n"
    assert ask(firmware, "P?", 70_000.0) == "P 0.0\r\n"
    assert firmware.plate.thermocouple_c < CUT_OFF_C + 5.0
    assert ask(firmware, "P 10", 70_100.0) == "E TRIPPED\r\n"
    assert ask(firmware, "P 0", 70_100.0) == "OK\r\n"
    assert ask(firmware, "R", 70_100.0) == "E STILL HOT\r\n"
    assert ask(firmware, "R", 200_000.0) == "OK\r\n"
    assert firmware.plate.thermocouple_c < RESET_BELOW_C
    assert ask(firmware, "P 10", 200_000.0) == "OK\r\n"


def test_switching_it_off_and_on_forgets_the_cut_off_but_not_the_heat() -> None:
    firmware = PlateFirmware(Plate())
    ask(firmware, "P 100", 0.0)
    firmware.receive(b"T", 70_000.0)
    firmware.restart(70_000.0)
    assert not firmware.tripped
    assert firmware.plate.plate_c > 150.0
    assert ask(firmware, "P?", 70_000.0) == "P 0.0\r\n"


def test_lines_may_come_in_pieces_and_endless_ones_are_given_up() -> None:
    firmware = PlateFirmware(Plate())
    assert firmware.receive(b"I", 0.0) == b""
    assert firmware.receive(b"?\rS?\r", 0.0) == b"TONGKE PLATE SN0006 1.0\r\nS 0\r\n"
    firmware.receive(b"x" * 100, 0.0)
    assert ask(firmware, "S?") == "S 0\r\n"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_nothing_that_is_sent_breaks_it(pieces: list[bytes]) -> None:
    firmware = PlateFirmware(Plate())
    for piece in pieces:
        firmware.receive(piece, 0.0)
    assert firmware.receive(b"\rS?\r", 0.0).endswith(b"S 0\r\n")
