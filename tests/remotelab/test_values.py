from __future__ import annotations

import pytest

from remotelab.values import MOST_PIECES, LargeValues
from signaling.errors import PeerError
from signaling.messages import ValueChunk


def piece(index: int, count: int = 3, *, value: str = "v", size: int = 4) -> ValueChunk:
    return ValueChunk(value, index, count, bytes([index]) * size)


def test_pieces_before_the_outcome_wait_and_later_ones_pass_at_once() -> None:
    values = LargeValues()
    assert values.add(piece(1)) == ()
    assert values.add(piece(0)) == ()
    assert [found.index for found in values.pass_on("v", "session")] == [0, 1]
    assert values.add(piece(2)) == ("session",)


def test_who_asks_again_gets_all_of_it_and_is_listed_once() -> None:
    values = LargeValues()
    values.pass_on("v", "session")
    for index in range(3):
        assert values.add(piece(index)) == ("session",)
    assert len(values.pass_on("v", "session")) == 3
    assert len(values.pass_on("v", "other")) == 3


def test_a_piece_that_comes_twice_is_passed_on_once() -> None:
    values = LargeValues()
    values.pass_on("v", "session")
    assert values.add(piece(0)) == ("session",)
    assert values.add(piece(0)) == ()


@pytest.mark.parametrize(("index", "count"), [(-1, 3), (3, 3), (0, 0), (0, MOST_PIECES + 1)])
def test_a_piece_outside_of_its_value_is_refused(index: int, count: int) -> None:
    with pytest.raises(PeerError):
        LargeValues().add(ValueChunk("v", index, count, b""))


def test_the_oldest_values_give_way() -> None:
    values = LargeValues(most_bytes=100)
    for name in ("a", "b", "c"):
        values.add(piece(0, value=name, size=40))
    assert values.pass_on("a", "session") == ()
    assert len(values.pass_on("c", "session")) == 1


def test_a_value_that_is_too_large_alone_is_kept_until_the_next_one() -> None:
    values = LargeValues(most_bytes=10)
    values.add(piece(0, size=100))
    assert len(values.pass_on("v", "session")) == 1
    values.add(piece(0, value="w", size=1))
    assert values.pass_on("v", "session") == ()
