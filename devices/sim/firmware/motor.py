"""The motor controller's firmware: a Modbus RTU server with a PID controller that runs every five milliseconds.

Holding registers (functions 3, 6, 16); floats are two registers each, high word first:

========  ==========================================================================
0         mode: 0 off, 1 voltage, 2 speed (PID), 3 position (PID)
2, 4, 6   set-points: voltage in V, speed in turns/s, position in turns
8 10 12   kp (V per unit of error), ki (per second), kd (seconds) of the PID
========  ==========================================================================

Input registers (function 4): 0 speed in turns/s, 2 position in turns, 4 current in A, 6 applied voltage in V, 8 status
(bit 0: at an end stop, bit 1: saturated). Function 17 tells the identity.
"""

from __future__ import annotations

import math
import struct

from devices.codecs.modbus_rtu import READ_HOLDING, READ_INPUT, REPORT_SERVER_ID, WRITE_MANY, WRITE_ONE, crc16
from devices.sim.physics.motor import Motor

SUPPLY_V = 12.0
PERIOD_S = 0.005
MAX_PERIODS = 2_000
FRAME_GAP_MS = 50.0
"""A frame that pauses for longer is given up (the standard's 3.5 characters would be too strict for a pty)."""

OFF, VOLTAGE, SPEED, POSITION = range(4)
MODE, SET_VOLTAGE, SET_SPEED, SET_POSITION, KP, KI, KD = 0, 2, 4, 6, 8, 10, 12
_FLOATS = {
    SET_VOLTAGE: (-SUPPLY_V, SUPPLY_V),
    SET_SPEED: (-6.0, 6.0),
    SET_POSITION: (-10.0, 10.0),
    KP: (0.0, 1_000.0),
    KI: (0.0, 1_000.0),
    KD: (0.0, 100.0),
}
_DEFAULTS = {SET_VOLTAGE: 0.0, SET_SPEED: 0.0, SET_POSITION: 0.0, KP: 4.0, KI: 10.0, KD: 0.0}
HOLDING_COUNT = 14
INPUT_COUNT = 9


class MotorFirmware:
    """One controller at one address."""

    cancel = b""

    def __init__(self, motor: Motor, address: int = 1, serial: str = "SN0005") -> None:
        self.motor = motor
        self.address = address
        self.mode = OFF
        self.settings = dict(_DEFAULTS)
        self._identity = f"TONGKE MOTOR {serial} 1.0".encode("ascii")
        self._frame = bytearray()
        self._frame_ms = 0.0
        self._time_ms: float | None = None
        self._integral = 0.0
        self._last_error: float | None = None
        self._saturated = False

    def receive(self, data: bytes, now_ms: float) -> bytes:
        """Take bytes from the line; the reply to the frame that is complete by now."""
        self._advance(now_ms)
        if self._frame and now_ms - self._frame_ms > FRAME_GAP_MS:
            self._frame.clear()
        self._frame += data
        self._frame_ms = now_ms
        size = _request_bytes(self._frame)
        if size is None:
            self._frame.clear()
            return b""
        if len(self._frame) < size:
            return b""
        frame = bytes(self._frame[:size])
        self._frame.clear()
        if frame[0] != self.address or crc16(frame[:-2]) != frame[-2:]:
            return b""
        pdu = frame[1:-2]
        reply = bytes((self.address,)) + self._answer(pdu)
        return reply + crc16(reply)

    def restart(self, now_ms: float) -> None:
        """Power off and on: the motor runs down, all settings are as delivered."""
        self._advance(now_ms)
        self._frame.clear()
        self.settings = dict(_DEFAULTS)
        self._set_mode(OFF)

    def _answer(self, pdu: bytes) -> bytes:
        try:
            match pdu[0]:
                case 0x03:
                    return self._read(pdu, self._holding())
                case 0x04:
                    return self._read(pdu, self._input())
                case 0x06:
                    self._write(int.from_bytes(pdu[1:3], "big"), pdu[3:5])
                    return pdu
                case 0x10:
                    self._write(int.from_bytes(pdu[1:3], "big"), pdu[6:])
                    return pdu[:5]
                case _:
                    return bytes((REPORT_SERVER_ID, len(self._identity))) + self._identity
        except _Refusal as refusal:
            return bytes((pdu[0] | 0x80, refusal.exception))

    @staticmethod
    def _read(pdu: bytes, registers: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        wanted = registers[2 * first : 2 * (first + count)]
        if not count or len(wanted) != 2 * count:
            raise _Refusal(2)
        return bytes((pdu[0], len(wanted))) + wanted

    def _holding(self) -> bytes:
        return struct.pack(">HH", self.mode, 0) + b"".join(struct.pack(">f", self.settings[at]) for at in _FLOATS)

    def _input(self) -> bytes:
        motor = self.motor
        status = int(motor.at_end_stop) | int(self._saturated) << 1
        turns = 2.0 * math.pi
        return struct.pack(
            ">ffffH", motor.speed_rad_s / turns, motor.position_rad / turns, motor.current_a, motor.volts, status
        )

    def _write(self, first: int, data: bytes) -> None:
        """Write all or nothing."""
        if first == MODE and len(data) == 2:
            mode = int.from_bytes(data, "big")
            if mode > POSITION:
                raise _Refusal(3)
            self._set_mode(mode)
            return
        values = {first + 2 * i: struct.unpack(">f", data[4 * i : 4 * i + 4])[0] for i in range(len(data) // 4)}
        if len(data) % 4 or not values or not values.keys() <= _FLOATS.keys():
            raise _Refusal(2)
        for at, value in values.items():
            low, high = _FLOATS[at]
            if not low <= value <= high:
                raise _Refusal(3)
        self.settings.update(values)

    def _set_mode(self, mode: int) -> None:
        if mode != self.mode:
            self._integral = 0.0
            self._last_error = None
        self.mode = mode

    def _advance(self, now_ms: float) -> None:
        """Run the controller for every period since the last time."""
        if self._time_ms is None:
            self._time_ms = now_ms
        periods = int((now_ms - self._time_ms) / 1_000.0 / PERIOD_S)
        self._time_ms += periods * PERIOD_S * 1_000.0
        for _ in range(min(periods, MAX_PERIODS)):
            self.motor.volts = self._control()
            self.motor.step(PERIOD_S)

    def _control(self) -> float:
        turns = 2.0 * math.pi
        self._saturated = False
        if self.mode == OFF:
            return 0.0
        if self.mode == VOLTAGE:
            return self.settings[SET_VOLTAGE]
        if self.mode == SPEED:
            error = self.settings[SET_SPEED] - self.motor.speed_rad_s / turns
        else:
            error = self.settings[SET_POSITION] - self.motor.position_rad / turns
        slope = 0.0 if self._last_error is None else (error - self._last_error) / PERIOD_S
        self._last_error = error
        integral = self._integral + error * PERIOD_S
        wanted = self.settings[KP] * error + self.settings[KI] * integral + self.settings[KD] * slope
        volts = max(-SUPPLY_V, min(SUPPLY_V, wanted))
        self._saturated = volts != wanted
        if not self._saturated:  # the integral does not wind up while the output can do no more
            self._integral = integral
        return volts


class _Refusal(Exception):
    """A Modbus exception reply."""

    def __init__(self, exception: int) -> None:
        super().__init__(exception)
        self.exception = exception


def _request_bytes(frame: bytes | bytearray) -> int | None:
    """How long the request is that begins so; None when it is none that is known here."""
    if len(frame) < 2:
        return 4
    function = frame[1]
    if function in {READ_HOLDING, READ_INPUT, WRITE_ONE}:
        return 8
    if function == REPORT_SERVER_ID:
        return 4
    if function == WRITE_MANY:
        return 9 + frame[6] if len(frame) > 6 else 9
    return None
