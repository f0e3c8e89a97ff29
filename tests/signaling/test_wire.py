"""The wire reads what it wrote, and refuses everything else with one clear error."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import Code
from signaling.wire import MAX_OPEN_DEPTH, FrameError, Value, Vocabulary, frame


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    id: str
    flag: bool
    count: int
    number: float
    blob: bytes
    colour: Colour
    inner: Inner
    inners: tuple[Inner, ...]
    maybe: Inner | None
    table: Mapping[str, Inner]
    numbers: Mapping[str, float]
    names: tuple[str, ...]
    flags: tuple[bool, ...] = ()
    counts: tuple[int, ...] = ()
    blobs: tuple[bytes, ...] = ()
    open: Value = None


@dataclass(frozen=True, slots=True)
class Small:
    id: str
    value: Value = None
    note: str = "-"


@dataclass(frozen=True, slots=True)
class Nested:
    inner: Inner


VOCABULARY = Vocabulary(Word, Small, Nested, max_bytes=4_096)

names = st.text(max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, names, st.none() | finite)
open_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | finite | names | st.binary(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=3),
    max_leaves=5,
).filter(lambda value: _depth(value) <= MAX_OPEN_DEPTH)
words = st.builds(
    Word,
    id=names,
    flag=st.booleans(),
    count=st.integers(-(2**63), 2**64 - 1),
    number=finite,
    blob=st.binary(max_size=16),
    colour=st.sampled_from(Colour),
    inner=inners,
    inners=st.lists(inners, max_size=3).map(tuple),
    maybe=st.none() | inners,
    table=st.dictionaries(names, inners, max_size=2),
    numbers=st.dictionaries(names, finite, max_size=2),
    names=st.lists(names, max_size=2).map(tuple),
    flags=st.lists(st.booleans(), max_size=2).map(tuple),
    counts=st.lists(st.integers(-(2**63), 2**64 - 1), max_size=2).map(tuple),
    blobs=st.lists(st.binary(max_size=4), max_size=2).map(tuple),
    open=open_values,
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _refusal(data: bytes) -> FrameError:
    with pytest.raises(FrameError) as caught:
        VOCABULARY.decode(data)
    return caught.value


def _pack(content: object, seq: object = 0) -> bytes:
    return bytes(msgpack.packb([seq, content]))


@given(words, st.integers(0, 2**63))
def test_a_word_comes_back_as_it_was_sent(word: Word, seq: int) -> None:
    assert VOCABULARY.decode(VOCABULARY.encode(word, seq)) == (seq, word)


@given(st.binary(max_size=200))
def test_garbage_costs_one_frame_error_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        VOCABULARY.decode(data)


@given(words, st.data())
def test_a_damaged_frame_is_a_word_or_one_frame_error(word: Word, data: st.DataObject) -> None:
    sound = bytearray(VOCABULARY.encode(word))
    for _ in range(data.draw(st.integers(1, 4))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sound)))
    with contextlib.suppress(FrameError):
        VOCABULARY.decode(bytes(sound[:cut]))


def test_a_small_number_takes_one_byte_and_a_large_one_nine() -> None:
    body = VOCABULARY.body(Small("a"))
    assert frame(body, 0x7F) == b"\x92\x7f" + body
    assert frame(body, 0x80) == b"\x92\xcf\x00\x00\x00\x00\x00\x00\x00\x80" + body


def test_an_empty_optional_field_is_left_out_and_a_default_is_filled_in() -> None:
    assert msgpack.unpackb(VOCABULARY.body(Small("a"))) == {"type": "Small", "id": "a", "note": "-"}
    assert VOCABULARY.decode(_pack({"type": "Small", "id": "a"})) == (0, Small("a"))
    nested = VOCABULARY.body(Nested(Inner("a")))
    assert msgpack.unpackb(nested) == {"type": "Nested", "inner": {"name": "a"}}


def test_an_integer_is_taken_for_a_number() -> None:
    _, nested = VOCABULARY.decode(_pack({"type": "Nested", "inner": {"name": "a", "weight": 3}}))
    assert nested == Nested(Inner("a", 3.0))
    assert isinstance(nested.inner.weight, float)


def test_a_frame_over_the_limit_is_refused_before_it_is_read() -> None:
    assert _refusal(b"\xff" * 4_097).code is Code.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x92\x00",
        bytes(msgpack.packb({"type": "Small"})),
        bytes(msgpack.packb([0])),
        _pack({}, seq=-1),
        _pack({}, seq=True),
        _pack({}, seq="0"),
        _pack([]),
        _pack({"type": "Small", "id": msgpack.ExtType(4, b"x")}),
        _pack({"type": "Small", "id": msgpack.Timestamp(1)}),
        _pack({1: "a"}),
        b"\x92\x00\x81\xa1\xff\x00",
        b"\x91" * 3_000,
    ],
)
def test_what_is_no_frame_is_malformed(data: bytes) -> None:
    assert _refusal(data).code is Code.MALFORMED


def test_an_unknown_word_is_refused_with_the_request_it_bore() -> None:
    error = _refusal(_pack({"type": "Nonsense", "id": "r-1"}))
    assert (error.code, error.request) == (Code.UNKNOWN_TYPE, "r-1")
    assert _refusal(_pack({"id": 5})).request is None
    assert "without a type" in _refusal(_pack({"type": 5})).text


def test_a_wrong_field_is_named_with_its_whole_path() -> None:
    error = _refusal(_pack({"type": "Nested", "inner": {"name": "a", "weight": "heavy"}}))
    assert (error.code, error.text) == (Code.MALFORMED, "Nested.inner.weight: a finite number is wanted")
    assert _refusal(_pack({"type": "Nested", "inner": 3})).text == "Nested.inner: a map is wanted"
    assert _refusal(_pack({"type": "Nested"})).text == "Nested.inner is missing"
    assert "no field 'more'" in _refusal(_pack({"type": "Small", "id": "a", "more": 1})).text


@pytest.mark.parametrize(
    ("field", "wrong", "told"),
    [
        ("id", 1, "a string"),
        ("flag", 1, "true or false"),
        ("count", 1.5, "an integer"),
        ("count", True, "an integer"),
        ("number", math.nan, "a finite number"),
        ("number", math.inf, "a finite number"),
        ("number", True, "a finite number"),
        ("blob", "text", "bytes"),
        ("colour", "green", "one of red, blue"),
        ("colour", 3, "one of red, blue"),
        ("inners", {}, "a list"),
        ("table", [], "a map"),
        ("numbers", {"a": None}, "a finite number"),
        ("names", [1], "a string"),
    ],
)
def test_every_declared_type_refuses_the_others(field: str, wrong: object, told: str) -> None:
    word = Word("i", True, 1, 1.0, b"", Colour.RED, Inner("n"), (), None, {}, {}, ())
    content = msgpack.unpackb(VOCABULARY.body(word))
    content[field] = wrong
    error = _refusal(_pack(content))
    assert error.code is Code.MALFORMED
    assert told in error.text
    assert error.request == (None if field == "id" else "i")


def test_an_open_value_may_nest_only_so_deep() -> None:
    deep: object = 1
    for _ in range(MAX_OPEN_DEPTH):
        deep = {"a": [deep]} if _depth(deep) + 2 <= MAX_OPEN_DEPTH else [deep]
        if _depth(deep) == MAX_OPEN_DEPTH:
            break
    assert VOCABULARY.decode(_pack({"type": "Small", "id": "a", "value": deep}))
    error = _refusal(_pack({"type": "Small", "id": "a", "value": [deep]}))
    assert (error.code, error.request) == (Code.TOO_DEEP, "a")


def test_a_message_of_another_vocabulary_cannot_be_sent_by_mistake() -> None:
    with pytest.raises(TypeError, match="not a word"):
        VOCABULARY.encode(Inner("a"))


def test_a_message_that_cannot_be_packed_does_not_spoil_the_next_one() -> None:
    with pytest.raises(TypeError):
        VOCABULARY.encode(Small("a", value=object()))
    assert VOCABULARY.decode(VOCABULARY.encode(Small("b"))) == (0, Small("b"))


def test_two_vocabularies_add_up() -> None:
    both = Vocabulary(Small, max_bytes=10) + Vocabulary(Nested, Small, max_bytes=20)
    assert set(both.words) == {"Small", "Nested"}
    assert both.max_bytes == 20


@dataclass(frozen=True, slots=True)
class Unfit:
    value: set[int]


def test_what_cannot_stand_on_the_wire_is_refused_when_the_vocabulary_is_built() -> None:
    with pytest.raises(TypeError, match="cannot stand on the wire"):
        Vocabulary(Unfit)
    with pytest.raises(TypeError, match="not a dataclass"):
        Vocabulary(int)


def test_a_map_inside_an_open_value_has_texts_for_keys() -> None:
    words = Vocabulary(ValueHolder)
    with pytest.raises(FrameError) as raised:
        words.decode(msgpack.packb([0, {"type": "ValueHolder", "value": {b"k": 1}}]))
    assert raised.value.code is Code.MALFORMED


@dataclass(frozen=True, slots=True)
class ValueHolder:
    value: Value
