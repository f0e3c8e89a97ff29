"""Modbus RTU frames, alone, in pieces and behind noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from devices.codecs.modbus_rtu import (
    READ_INPUT,
    REPORT_SERVER_ID,
    ModbusCodec,
    crc16,
    read_registers,
    registers_of,
    write_registers,
)
from signaling.errors import Code, DeviceError

CODEC = ModbusCodec(7)
READ_TWO = read_registers(0, 2)
TWO = bytes((3, 4)) + b"\x12\x34\x56\x78"


def frame(pdu: bytes, address: int = 7) -> bytes:
    return ModbusCodec(address).encode(pdu)


def code_of(request: bytes, data: bytes) -> Code:
    with pytest.raises(DeviceError) as caught:
        CODEC.decoder(request).feed(data)
    return caught.value.code


def test_the_standards_example_has_its_crc() -> None:
    assert crc16(b"\x02\x07") == b"\x41\x12"


@given(st.binary(min_size=1, max_size=60))
def test_another_implementation_computes_the_same_crc(data: bytes) -> None:
    assert crc16(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_requests_are_as_the_standard_draws_them() -> None:
    assert read_registers(0x6B, 3) == bytes.fromhex("03006b0003")
    assert read_registers(8, 1, function=READ_INPUT) == bytes.fromhex("0400080001")
    assert write_registers(1, (3,)) == bytes.fromhex("0600010003")
    assert write_registers(1, (0x0A, 0x0102)) == bytes.fromhex("100001000204000a0102")


def test_an_address_must_be_one() -> None:
    for address in (0, 248):
        with pytest.raises(ValueError, match="address"):
            ModbusCodec(address)


def test_a_function_that_is_not_spoken_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="43"):
        CODEC.decoder(b"\x2b\x0e")


@given(
    st.lists(st.integers(0, 65_535), min_size=1, max_size=20),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.binary(max_size=20).filter(lambda noise: 7 not in noise),
)
def test_registers_come_back_behind_noise_and_in_pieces(values: list[int], sizes: list[int], noise: bytes) -> None:
    payload = b"".join(value.to_bytes(2, "big") for value in values)
    data = noise + frame(bytes((3, len(payload))) + payload)
    decoder = CODEC.decoder(read_registers(0, len(values)))
    at, turn, reply = 0, 0, None
    while at < len(data):
        assert reply is None
        reply = decoder.feed(data[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    assert reply is not None
    assert registers_of(reply) == tuple(values)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_garbage_costs_at_most_one_clear_error(pieces: list[bytes]) -> None:
    decoder = CODEC.decoder(READ_TWO)
    for piece in pieces:
        try:
            if decoder.feed(piece) is not None:
                return
        except DeviceError as error:
            assert error.code in {Code.BAD_REPLY, Code.DEVICE_REFUSED}  # noqa: PT017  # either outcome is right
            return


def test_writes_are_confirmed() -> None:
    one, many = write_registers(4, (5,)), write_registers(4, (5, 6))
    assert CODEC.decoder(one).feed(frame(one)) == one
    assert CODEC.decoder(many).feed(frame(many[:5])) == many[:5]


def test_a_confirmation_of_another_write_is_a_bad_reply() -> None:
    assert code_of(write_registers(4, (5,)), frame(write_registers(4, (6,)))) is Code.BAD_REPLY


def test_an_identity_tells_its_own_length() -> None:
    request = bytes((REPORT_SERVER_ID,))
    reply = bytes((REPORT_SERVER_ID, 5)) + b"MOTOR"
    for cut in range(1, len(frame(reply))):
        decoder = CODEC.decoder(request)
        assert decoder.feed(frame(reply)[:cut]) is None
        assert decoder.feed(frame(reply)[cut:]) == reply


def test_an_exception_reply_is_a_refusal_in_words() -> None:
    with pytest.raises(DeviceError) as caught:
        CODEC.decoder(READ_TWO).feed(frame(b"\x83\x02"))
    assert caught.value.code is Code.DEVICE_REFUSED
    assert "no such register" in caught.value.text
    with pytest.raises(DeviceError, match="of its own"):
        CODEC.decoder(READ_TWO).feed(frame(b"\x83\x63"))


def test_a_wrong_crc_is_a_bad_reply() -> None:
    assert code_of(READ_TWO, frame(TWO)[:-1] + b"\x00") is Code.BAD_REPLY


def test_another_amount_than_asked_for_is_a_bad_reply() -> None:
    # The byte count is wrong, but the CRC is right.
    assert code_of(READ_TWO, frame(bytes((3, 2)) + b"\x12\x34\x56\x78")) is Code.BAD_REPLY


def test_what_looks_like_a_reply_in_the_noise_does_not_hide_the_reply() -> None:
    # Noise with our address and function; the real frame begins inside the false one.
    assert CODEC.decoder(READ_TWO).feed(b"\x07\x03" + frame(TWO)) == TWO


def test_a_broken_frame_waits_for_one_that_may_still_become_whole() -> None:
    decoder = CODEC.decoder(READ_TWO)
    good = frame(TWO)
    assert decoder.feed(b"\x07\x03\x00\x00\x00\x00\x00\x00" + good[:1]) is None
    assert decoder.feed(good[1:]) == TWO


def test_replies_of_other_addresses_are_passed_over() -> None:
    assert CODEC.decoder(READ_TWO).feed(frame(TWO, address=8) + frame(TWO)) == TWO


def test_endless_noise_is_given_up() -> None:
    decoder = CODEC.decoder(READ_TWO)
    assert decoder.feed(b"\x55" * 500) is None
    with pytest.raises(DeviceError) as caught:
        decoder.feed(b"\x55" * 20)
    assert caught.value.code is Code.BAD_REPLY
