"""Modbus RTU frames: address, function code, data, CRC (MODBUS over Serial Line 1.02, section 2.5.1).

A request and a reply are handled as PDUs (function code and data, MODBUS Application Protocol 1.1b3, section 6); the
codec adds and checks address and CRC. The request tells how long its reply must be: nothing depends on silences.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from signaling.errors import Code, DeviceError

READ_HOLDING = 0x03
READ_INPUT = 0x04
WRITE_ONE = 0x06
WRITE_MANY = 0x10
REPORT_SERVER_ID = 0x11

MAX_NOISE_BYTES = 256
"""How much noise may stand before a reply."""

_EXCEPTIONS = {
    1: "it does not know the function",
    2: "it has no such register",
    3: "it does not accept the value",
    4: "it failed while doing it",
    5: "it is still busy with it",
    6: "it is busy",
    8: "its memory is damaged",
}


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16(data: bytes) -> bytes:
    """The CRC of a frame, low byte first (section 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class ModbusCodec:
    """Frames to and from the device at one address."""

    address: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.address <= 247:
            raise ValueError(f"{self.address} is no Modbus address; they go from 1 to 247")

    def encode(self, request: bytes) -> bytes:
        """The frame of a PDU."""
        frame = bytes((self.address,)) + request
        return frame + crc16(frame)

    def decoder(self, request: bytes) -> ModbusDecoder:
        """A decoder that knows the reply's length from the request. Raises ValueError for an unknown function."""
        return ModbusDecoder(self.address, request)


class ModbusDecoder:
    """Finds one reply, also behind noise, which a line that switches direction often makes."""

    def __init__(self, address: int, request: bytes) -> None:
        self._address = address
        self._function = request[0]
        self._size = _reply_bytes(request)
        # A write is confirmed by repeating where it went; a read by how much it returns.
        self._begins = request[:5] if request[0] in {WRITE_ONE, WRITE_MANY} else request[:1]
        self._buffer = bytearray()

    def feed(self, data: bytes) -> bytes | None:
        """The reply's PDU. Raises :class:`DeviceError` ``bad_reply``, or ``device_refused`` for an exception reply."""
        self._buffer += data
        broken = waiting = False
        for start in range(len(self._buffer)):
            size = self._size_at(start)
            if size is None:
                continue
            if start + size > len(self._buffer):
                waiting = True
                continue
            frame = bytes(self._buffer[start : start + size])
            if crc16(frame[:-2]) == frame[-2:]:
                return self._payload(frame[1:-2])
            broken = True
        if (broken and not waiting) or len(self._buffer) > MAX_NOISE_BYTES + 256:
            raise _bad("The instrument's reply is garbled (wrong CRC or no frame at all).")
        return None

    def _size_at(self, start: int) -> int | None:
        """How long a reply would be that begins here: None when none can; more than there is while that is open."""
        head = self._buffer[start : start + 3]
        if head[0] != self._address:
            return None
        if len(head) == 1:
            return 5
        if head[1] == self._function | 0x80:
            return 5
        if head[1] != self._function:
            return None
        if self._size is not None:
            return self._size
        return 5 + head[2] if len(head) == 3 else 5

    def _payload(self, pdu: bytes) -> bytes:
        if pdu[0] & 0x80:
            words = _EXCEPTIONS.get(pdu[1], "for a reason of its own")
            raise DeviceError(Code.DEVICE_REFUSED, f"The instrument refused: {words} (Modbus exception {pdu[1]}).")
        if not pdu.startswith(self._begins):
            raise _bad("The instrument confirmed another write than the one asked for.")
        if self._function not in {WRITE_ONE, WRITE_MANY} and pdu[1] != len(pdu) - 2:
            raise _bad("The instrument returned another amount than asked for.")
        return pdu


def read_registers(first: int, count: int, *, function: int = READ_HOLDING) -> bytes:
    """The PDU that reads registers."""
    return struct.pack(">BHH", function, first, count)


def write_registers(first: int, values: tuple[int, ...]) -> bytes:
    """The PDU that writes registers: one by function 6, more by function 16."""
    if len(values) == 1:
        return struct.pack(">BHH", WRITE_ONE, first, values[0])
    return struct.pack(f">BHHB{len(values)}H", WRITE_MANY, first, len(values), 2 * len(values), *values)


def registers_of(reply: bytes) -> tuple[int, ...]:
    """The registers in the reply to a read."""
    return struct.unpack(f">{reply[1] // 2}H", reply[2:])


def _reply_bytes(request: bytes) -> int | None:
    """The whole reply frame's length; None where the reply itself tells it."""
    function = request[0]
    if function in {READ_HOLDING, READ_INPUT}:
        return 5 + 2 * int.from_bytes(request[3:5], "big")
    if function in {WRITE_ONE, WRITE_MANY}:
        return 8
    if function == REPORT_SERVER_ID:
        return None
    raise ValueError(f"function {function} is not spoken here")


def _bad(text: str) -> DeviceError:
    return DeviceError(Code.BAD_REPLY, text)
