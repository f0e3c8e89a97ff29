"""The motor controller."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.modbus_rtu import READ_INPUT, ModbusCodec, read_registers, registers_of, write_registers
from devices.sim.firmware.motor import (
    FRAME_GAP_MS,
    KD,
    KI,
    KP,
    MODE,
    OFF,
    POSITION,
    SET_POSITION,
    SET_SPEED,
    SET_VOLTAGE,
    SPEED,
    VOLTAGE,
    MotorFirmware,
)
from devices.sim.physics.motor import Motor
from signaling.errors import Code, DeviceError

CODEC = ModbusCodec(1)


class Controller:
    """A firmware with its clock."""

    def __init__(self) -> None:
        self.firmware = MotorFirmware(Motor())
        self.now_ms = 0.0

    def ask(self, pdu: bytes) -> bytes:
        reply = CODEC.decoder(pdu).feed(self.firmware.receive(CODEC.encode(pdu), self.now_ms))
        assert reply is not None
        return reply

    def set(self, register: int, value: float) -> None:
        self.ask(write_registers(register, struct.unpack(">HH", struct.pack(">f", value))))

    def mode(self, mode: int) -> None:
        self.ask(write_registers(MODE, (mode,)))

    def get(self, register: int) -> float:
        registers = registers_of(self.ask(read_registers(register, 2, function=READ_INPUT)))
        value: float = struct.unpack(">f", struct.pack(">HH", *registers))[0]
        return value

    def wait(self, milliseconds: float) -> None:
        self.now_ms += milliseconds

    def refusal(self, pdu: bytes) -> str:
        with pytest.raises(DeviceError) as caught:
            self.ask(pdu)
        assert caught.value.code is Code.DEVICE_REFUSED
        return caught.value.text


def test_it_says_who_it_is() -> None:
    assert Controller().ask(b"\x11")[2:] == b"TONGKE MOTOR SN0005 1.0"


def test_a_voltage_turns_it() -> None:
    controller = Controller()
    controller.set(SET_VOLTAGE, 6.0)
    controller.mode(VOLTAGE)
    controller.wait(2_000.0)
    assert controller.get(0) == pytest.approx(2.70, abs=0.01)
    assert controller.get(6) == 6.0
    assert controller.get(4) == pytest.approx(0.226, abs=0.01)
    controller.mode(OFF)
    controller.wait(2_000.0)
    assert controller.get(0) == pytest.approx(0.0, abs=0.001)


def test_its_pid_holds_a_speed_without_a_lasting_error() -> None:
    controller = Controller()
    controller.set(SET_SPEED, -3.0)
    controller.mode(SPEED)
    controller.wait(3_000.0)
    assert controller.get(0) == pytest.approx(-3.0, abs=0.01)


def test_asking_for_the_mode_that_it_is_in_disturbs_nothing() -> None:
    controller = Controller()
    controller.set(SET_SPEED, 3.0)
    controller.mode(SPEED)
    controller.wait(3_000.0)
    controller.mode(SPEED)
    controller.wait(20.0)
    assert controller.get(0) == pytest.approx(3.0, abs=0.01)


def test_without_its_integral_an_error_stays() -> None:
    controller = Controller()
    controller.set(KI, 0.0)
    controller.set(KP, 1.0)
    controller.set(SET_SPEED, 3.0)
    controller.mode(SPEED)
    controller.wait(3_000.0)
    gain = Motor().data.final_speed(1.0) / (2.0 * math.pi)
    assert controller.get(0) == pytest.approx(3.0 * gain / (1.0 + gain), abs=0.01)


def test_its_pid_goes_to_a_position() -> None:
    controller = Controller()
    controller.set(KP, 20.0)
    controller.set(KI, 0.0)
    controller.set(KD, 1.0)
    controller.set(SET_POSITION, 2.0)
    controller.mode(POSITION)
    controller.wait(4_000.0)
    assert controller.get(2) == pytest.approx(2.0, abs=0.02)


def status(controller: Controller) -> int:
    return registers_of(controller.ask(read_registers(8, 1, function=READ_INPUT)))[0]


def test_status_shows_the_end_stop_and_the_limit_of_the_voltage() -> None:
    controller = Controller()
    assert status(controller) == 0
    controller.set(SET_SPEED, 6.0)
    controller.mode(SPEED)
    controller.wait(50.0)
    assert status(controller) == 2
    controller.wait(10_000.0)
    assert status(controller) == 3


def test_settings_read_back() -> None:
    controller = Controller()
    controller.set(KP, 2.5)
    registers = registers_of(controller.ask(read_registers(KP, 2)))
    assert struct.unpack(">f", struct.pack(">HH", *registers))[0] == 2.5
    assert registers_of(controller.ask(read_registers(MODE, 1))) == (0,)


@pytest.mark.parametrize(
    "pdu",
    [
        read_registers(13, 2),
        read_registers(0, 0),
        read_registers(9, 1, function=READ_INPUT),
        write_registers(1, (1,)),
        write_registers(KD + 2, (0, 0)),
        write_registers(KP, (0, 0, 0)),
    ],
)
def test_registers_that_do_not_exist_are_refused(pdu: bytes) -> None:
    assert "no such register" in Controller().refusal(pdu)


def test_values_out_of_range_are_refused_and_nothing_is_written() -> None:
    controller = Controller()
    assert "does not accept" in controller.refusal(write_registers(MODE, (4,)))
    hot = struct.unpack(">HHHH", struct.pack(">ff", 5.0, 100.0))
    assert "does not accept" in controller.refusal(write_registers(SET_VOLTAGE, hot))
    assert controller.firmware.settings[SET_VOLTAGE] == 0.0
    assert "does not accept" in controller.refusal(
        write_registers(KP, struct.unpack(">HH", struct.pack(">f", math.nan)))
    )


def test_a_restart_stops_it_and_forgets_its_settings() -> None:
    controller = Controller()
    controller.set(SET_VOLTAGE, 6.0)
    controller.mode(VOLTAGE)
    controller.wait(1_000.0)
    controller.firmware.restart(controller.now_ms)
    assert controller.firmware.mode == OFF
    assert controller.firmware.settings[SET_VOLTAGE] == 0.0
    assert controller.get(2) > 1.0


def test_frames_in_pieces_are_put_together_unless_they_pause() -> None:
    firmware = MotorFirmware(Motor())
    frame = CODEC.encode(b"\x11")
    for cut in range(1, len(frame)):
        assert firmware.receive(frame[:cut], 0.0) == b""
        assert firmware.receive(frame[cut:], 1.0) != b""
    many = CODEC.encode(write_registers(SET_VOLTAGE, (0, 0)))
    assert firmware.receive(many[:4], 0.0) == b""
    assert firmware.receive(frame, FRAME_GAP_MS + 1.0) != b""


@pytest.mark.parametrize("frame", [ModbusCodec(2).encode(b"\x11"), b"\x01\x11\x00\x00", b"\x01\x63\x00\x00\x00"])
def test_what_is_not_for_it_or_broken_stays_unanswered(frame: bytes) -> None:
    firmware = MotorFirmware(Motor())
    assert firmware.receive(frame, 0.0) == b""
    assert firmware.receive(CODEC.encode(b"\x11"), 1_000.0) != b""


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_nothing_that_is_sent_breaks_it(pieces: list[bytes]) -> None:
    firmware = MotorFirmware(Motor())
    for number, piece in enumerate(pieces):
        firmware.receive(piece, float(number))
    assert firmware.receive(CODEC.encode(b"\x11"), 10_000.0) != b""
