"""The SCPI parser of the simulated instruments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.firmware.scpi import (
    MAX_ERRORS,
    ScpiError,
    ScpiFirmware,
    block,
    number_in,
    only,
    scientific,
    switch_in,
    word_in,
)


class Toy(ScpiFirmware):
    """One value and one block."""

    def __init__(self) -> None:
        super().__init__("TONGKE,TOY,SN1,1.0")
        self.level = 0.0
        self.on("SOURce:LEVel", self._set)
        self.on("SOURce:LEVel?", lambda args: scientific(self.level))
        self.on("DATA?", lambda args: block(b"\n;"))

    def reset(self) -> None:
        self.level = 0.0

    def _set(self, args: list[str]) -> None:
        self.level = number_in(args, 0.0, 10.0)


def answer(toy: ScpiFirmware, line: str) -> bytes:
    return toy.receive(line.encode() + b"\n", 0.0)


def test_it_says_who_it_is() -> None:
    assert answer(Toy(), "*IDN?") == b"TONGKE,TOY,SN1,1.0\n"
    assert answer(Toy(), "SYST:VERS?") == b"1999.0\n"


@pytest.mark.parametrize("header", ["SOUR:LEV", "source:level", ":SOURce:LEV", "SOUR:LEVEL"])
def test_headers_are_short_or_long_in_any_case(header: str) -> None:
    toy = Toy()
    assert answer(toy, f"{header} 2.5") == b""
    assert answer(toy, f"{header}?") == b"2.500000E+00\n"


def test_units_of_one_line_are_answered_in_one_line() -> None:
    assert answer(Toy(), "SOUR:LEV 3;*OPC?;:SYST:ERR?;") == b'1;0,"No error"\n'


def test_a_block_stands_among_the_answers() -> None:
    assert answer(Toy(), "*OPC?;DATA?") == b"1;#12\n;\n"


def test_errors_queue_up_and_the_rest_of_the_line_is_done() -> None:
    toy = Toy()
    assert answer(toy, "NONSENSE;SOUR:LEV 11;*OPC?") == b"1\n"
    assert answer(toy, "SYST:ERR?") == b'-113,"Undefined header"\n'
    assert answer(toy, "SYST:ERR:NEXT?") == b'-222,"Data out of range"\n'
    assert answer(toy, "SYST:ERR?") == b'0,"No error"\n'


def test_a_full_error_queue_says_so_at_its_end() -> None:
    toy = Toy()
    for _ in range(MAX_ERRORS + 3):
        answer(toy, "NONSENSE")
    assert len(toy.errors) == MAX_ERRORS
    assert toy.errors[-1].number == -350
    answer(toy, "*CLS")
    assert not toy.errors


def test_a_line_may_come_in_pieces_and_several_at_once() -> None:
    toy = Toy()
    assert toy.receive(b"*ID", 0.0) == b""
    assert toy.receive(b"N?\r\n*OPC?\n", 0.0) == b"TONGKE,TOY,SN1,1.0\n1\n"


def test_an_endless_line_is_given_up() -> None:
    toy = Toy()
    toy.receive(b"x" * 600, 0.0)
    assert toy.errors[0].number == -363
    assert answer(toy, "*OPC?") == b"1\n"


def test_bytes_that_are_no_text_are_an_error() -> None:
    toy = Toy()
    assert toy.receive(b"\xff\n", 0.0) == b""
    assert toy.errors[0].number == -101


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_nothing_that_is_sent_breaks_it(pieces: list[bytes]) -> None:
    toy = Toy()
    for piece in pieces:
        toy.receive(piece, 0.0)
    assert toy.receive(b"\n*OPC?\n", 0.0).endswith(b"1\n")


def test_resetting_and_restarting_forget() -> None:
    toy = Toy()
    answer(toy, "SOUR:LEV 5;*RST")
    assert toy.level == 0.0
    answer(toy, "SOUR:LEV 5;NONSENSE")
    toy.receive(b"*ID", 0.0)
    toy.restart(1.0)
    assert toy.level == 0.0
    assert not toy.errors
    assert answer(toy, "*OPC?") == b"1\n"


def test_the_bare_instrument_has_nothing_to_reset() -> None:
    assert answer(ScpiFirmware("X"), "*RST;*OPC?") == b"1\n"


def number_of(error: pytest.ExceptionInfo[ScpiError]) -> int:
    return error.value.number


def test_arguments_are_checked() -> None:
    assert number_in(["1e1"], 0.0, 10.0) == 10.0
    assert switch_in(["ON"]) is True
    assert switch_in(["0"]) is False
    assert word_in(["square"], "SINusoid", "SQUare") == "SQU"
    assert word_in(["SIN"], "SINusoid", "SQUare") == "SIN"
    with pytest.raises(ScpiError) as error:
        number_in(["ten"], 0.0, 10.0)
    assert number_of(error) == -104
    for text in ("10.1", "nan", "-inf"):
        with pytest.raises(ScpiError) as error:
            number_in([text], 0.0, 10.0)
        assert number_of(error) == -222
    with pytest.raises(ScpiError) as error:
        switch_in(["MAYBE"])
    assert number_of(error) == -224
    with pytest.raises(ScpiError) as error:
        word_in(["NOISE"], "SINusoid")
    assert number_of(error) == -224
    with pytest.raises(ScpiError) as error:
        only([])
    assert number_of(error) == -109
    with pytest.raises(ScpiError) as error:
        only(["1", "2"])
    assert number_of(error) == -108
