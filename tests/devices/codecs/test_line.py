"""Lines and blocks, however they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.line import LineCodec, take_block
from signaling.errors import Code, DeviceError

SCPI = LineCodec(blocks=True)

texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="#"), max_size=40)
payloads = st.binary(max_size=300)


def feed_in_pieces(codec: LineCodec, data: bytes, sizes: list[int]) -> bytes | None:
    """Feed it in pieces of these sizes, repeated; the reply, which must come with the last piece."""
    decoder = codec.decoder(b"?")
    at, turn, reply = 0, 0, None
    while at < len(data):
        assert reply is None
        size = sizes[turn % len(sizes)]
        reply = decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    return reply


def block_of(data: bytes) -> bytes:
    length = str(len(data)).encode()
    return b"#" + str(len(length)).encode() + length + data


def code_of(codec: LineCodec, data: bytes) -> Code:
    with pytest.raises(DeviceError) as caught:
        codec.decoder(b"?").feed(data)
    return caught.value.code


def test_a_request_gets_its_terminator() -> None:
    assert LineCodec(request_end=b"\r\n").encode(b"*IDN?") == b"*IDN?\r\n"


def test_a_request_with_a_terminator_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="terminator"):
        SCPI.encode(b"VOLT 3\nOUTP 1")


@given(texts, st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_a_line_comes_out_whole_whatever_the_pieces(text: str, sizes: list[int]) -> None:
    assert feed_in_pieces(SCPI, text.encode() + b"\n", sizes) == text.encode()


@given(payloads, texts, st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_a_block_may_hold_anything_also_terminators(payload: bytes, text: str, sizes: list[int]) -> None:
    reply = text.encode() + b";" + block_of(payload)
    assert feed_in_pieces(SCPI, reply + b"\n", sizes) == reply


@given(payloads, payloads)
def test_several_blocks_stand_side_by_side(first: bytes, second: bytes) -> None:
    reply = block_of(first) + b"," + block_of(second) + b";1"
    assert SCPI.decoder(b"?").feed(reply + b"\n") == reply


@given(st.lists(st.binary(max_size=30), max_size=10), st.booleans())
def test_garbage_costs_at_most_one_clear_error(pieces: list[bytes], blocks: bool) -> None:
    decoder = LineCodec(blocks=blocks, max_reply_bytes=100).decoder(b"?")
    for piece in pieces:
        try:
            if decoder.feed(piece) is not None:
                return
        except DeviceError as error:
            assert error.code is Code.BAD_REPLY  # noqa: PT017  # either outcome is right
            return


def test_a_carriage_return_before_the_line_feed_is_taken_away() -> None:
    assert SCPI.decoder(b"?").feed(b"1.5\r\n") == b"1.5"
    assert feed_in_pieces(SCPI, b"1.5\r\n", [1]) == b"1.5"


def test_with_another_terminator_a_carriage_return_is_kept() -> None:
    codec = LineCodec(reply_end=b">")
    assert codec.decoder(b"?").feed(b"1.5\r>") == b"1.5\r"


def test_a_carriage_return_at_the_end_of_a_block_is_data() -> None:
    reply = block_of(b"12\r")
    assert SCPI.decoder(b"?").feed(reply + b"\n") == reply


def test_a_long_terminator_may_come_in_two_pieces() -> None:
    codec = LineCodec(reply_end=b"\r\n>")
    decoder = codec.decoder(b"?")
    assert decoder.feed(b"ok\r") is None
    assert decoder.feed(b"\n>") == b"ok"
    assert codec.decoder(b"?").feed(b">") is None


def test_without_blocks_a_hash_is_a_character() -> None:
    assert LineCodec().decoder(b"?").feed(b"#15\n") == b"#15"


def test_a_hash_in_the_middle_or_before_a_letter_is_no_block() -> None:
    assert SCPI.decoder(b"?").feed(b"no #15\n") == b"no #15"
    assert SCPI.decoder(b"?").feed(b"#H1F\n") == b"#H1F"


def test_an_empty_line_is_an_empty_reply() -> None:
    assert SCPI.decoder(b"?").feed(b"\n") == b""


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"1\x00.5", b"\x80", b"#13abc\xff\n", b";#13abc\x01\n"])
def test_what_is_no_text_is_a_bad_reply(data: bytes) -> None:
    assert code_of(SCPI, data) is Code.BAD_REPLY


@pytest.mark.parametrize("data", [b"1\n2\n", b"1\n2", b"#11a\nx"])
def test_more_than_one_reply_is_a_bad_reply(data: bytes) -> None:
    assert code_of(SCPI, data) is Code.BAD_REPLY


def test_blank_after_the_reply_does_no_harm() -> None:
    assert SCPI.decoder(b"?").feed(b"1\n\r") == b"1"


@pytest.mark.parametrize("data", [b"#3x", b"#41 00", b"#2\n1"])
def test_a_block_with_a_strange_length_is_a_bad_reply(data: bytes) -> None:
    assert code_of(SCPI, data) is Code.BAD_REPLY


def test_too_long_a_reply_is_given_up() -> None:
    codec = LineCodec(blocks=True, max_reply_bytes=20)
    assert code_of(codec, b"x" * 21) is Code.BAD_REPLY
    assert code_of(codec, b"x" * 30 + b"\n") is Code.BAD_REPLY
    assert code_of(codec, b"#299") is Code.BAD_REPLY


def test_a_block_is_taken_out_with_what_follows() -> None:
    assert take_block(b"#15hello;1") == (b"hello", b";1")
    assert take_block(block_of(bytes(range(256)))) == (bytes(range(256)), b"")


@pytest.mark.parametrize("data", [b"", b"hello", b";#11a", b"#15hell", b"#2", b"#2a1x"])
def test_what_is_no_whole_block_is_a_bad_reply(data: bytes) -> None:
    with pytest.raises(DeviceError) as caught:
        take_block(data)
    assert caught.value.code is Code.BAD_REPLY
