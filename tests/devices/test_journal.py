"""The journal: what a crash at any moment may and may not make of it."""

from __future__ import annotations

import struct
import zlib

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.journal import (
    MAGIC,
    Begun,
    Closed,
    FenceRaised,
    Finished,
    Journal,
    JournalSettings,
    Record,
    Started,
    StopLatched,
    encode,
    encoded,
    replay,
)

BEGUN = Begun("boot-1", 0.0)
SETTINGS = JournalSettings(keep_ms=1_000.0, keep_ids=2, new_doubt_ms=100.0)


ENDED = Closed()


def file_of(*records: Record) -> bytes:
    return b"".join(encoded(list(records)))


def journal_of(*records: Record) -> Journal:
    journal = Journal(SETTINGS)
    for record in records:
        journal.apply(record)
    return journal


def test_a_command_is_unknown_then_started_then_finished() -> None:
    journal = journal_of(BEGUN)
    assert not journal.has_started("a")
    assert journal.outcome("a") is None
    journal.apply(Started("a", 1.0))
    assert journal.has_started("a")
    assert journal.interrupted() == ["a"]
    journal.apply(Finished("a", 2.0, b"done"))
    assert not journal.has_started("a")
    assert journal.outcome("a") == b"done"
    assert journal.interrupted() == []
    assert len(journal) == 1


def test_fences_only_grow_and_stops_are_latched() -> None:
    journal = journal_of(FenceRaised("lamp", 7), FenceRaised("lamp", 3), StopLatched("lamp", True))
    assert (journal.fence("lamp"), journal.fence("motor")) == (7, 0)
    assert journal.is_stopped("lamp")
    journal.apply(StopLatched("lamp", False))
    assert not journal.is_stopped("lamp")


def test_old_outcomes_are_forgotten_only_when_there_are_many() -> None:
    journal = journal_of(*(Finished(str(number), float(number), b"") for number in range(4)))
    assert journal.prune(999.0) == 0
    assert journal.prune(1_000.0) == 1
    assert journal.prune(5_000.0) == 1
    assert journal.prune(5_000.0) == 0
    assert journal.outcome("1") is None
    assert journal.outcome("2") == b""


def test_a_journal_that_had_to_forget_too_much_does_not_vouch() -> None:
    settings = JournalSettings(keep_ms=1_000.0, keep_ids=1, most_ids=2, new_doubt_ms=0.0)
    journal = Journal(settings)
    outcomes = [Finished(str(number), 100.0, b"") for number in range(3)]
    for record in outcomes:
        journal.apply(record)
    assert journal.prune(200.0) == 1, "a journal that has not begun is bounded too"
    journal.apply(journal.begin("boot-1", 200.0, is_new=True))
    assert journal.vouches(200.0)
    journal.apply(Finished("3", 200.0, b""))
    assert journal.prune(300.0) == 1
    assert not journal.vouches(1_299.0)
    assert journal.vouches(1_300.0)
    again = Journal(settings)
    for kept in journal.snapshot():
        again.apply(kept)
    assert not again.vouches(1_299.0), "the doubt outlives a restart"


def test_a_new_journal_vouches_after_a_while() -> None:
    journal = Journal(SETTINGS)
    assert not journal.vouches(1e12)
    journal.apply(journal.begin("boot-1", 1_000.0, is_new=True))
    assert not journal.lost_records
    assert not journal.vouches(1_099.0)
    assert journal.vouches(1_100.0)


@pytest.mark.parametrize(
    ("records", "boot", "is_damaged", "is_in_doubt"),
    [
        ([BEGUN], "boot-1", False, False),
        ([BEGUN, ENDED], "boot-1", False, False),
        ([BEGUN, ENDED], "boot-2", False, False),
        ([BEGUN], "boot-2", False, True),
        ([BEGUN, ENDED, BEGUN], "boot-2", False, True),
        ([BEGUN], "boot-1", True, True),
        ([], "boot-1", False, True),
    ],
)
def test_only_a_crash_of_the_machine_or_damage_casts_doubt(
    records: list[Record], boot: str, is_damaged: bool, is_in_doubt: bool
) -> None:
    journal = journal_of(*records)
    journal.apply(journal.begin(boot, 5_000.0, is_damaged=is_damaged))
    assert journal.lost_records is is_in_doubt
    assert journal.vouches(5_001.0) is not is_in_doubt
    assert journal.vouches(6_000.0)


def test_doubt_outlives_a_restart() -> None:
    journal = journal_of(Begun("boot-1", 9_000.0))
    journal.apply(journal.begin("boot-1", 5_000.0))
    assert not journal.vouches(8_999.0)
    assert not journal.lost_records


def test_a_snapshot_adds_up_to_the_same() -> None:
    records: list[Record] = [
        BEGUN,
        Started("a", 1.0),
        Finished("a", 2.0, b"done"),
        Started("b", 3.0),
        FenceRaised("lamp", 2),
        StopLatched("lamp", True),
        Closed(),
    ]
    journal = journal_of(*records)
    again = journal_of(*journal.snapshot())
    assert again.snapshot() == journal.snapshot()
    assert len(journal.snapshot()) == 6
    assert Journal().snapshot() == []


def test_a_whole_file_is_read_back() -> None:
    data = file_of(BEGUN, Started("a", 1.0), Finished("a", 2.0, b"done"), FenceRaised("lamp", 1))
    found = replay(data, SETTINGS)
    assert not found.is_torn
    assert not found.is_damaged
    assert found.journal.outcome("a") == b"done"


def record_with(payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


@pytest.mark.parametrize(
    "tail",
    [
        b"\0" * 64,
        encode(Started("a", 1.0))[:-1] + b"\xff",
        struct.pack("<II", 2_000_000, 0),
        record_with(msgpack.packb([9])),
        record_with(msgpack.packb([])),
        record_with(msgpack.packb({})),
        record_with(msgpack.packb([2, "a"])),
        record_with(msgpack.packb([2, "a", "b"])),
        record_with(b"\xc1"),
    ],
)
def test_after_damage_nothing_more_is_believed(tail: bytes) -> None:
    found = replay(file_of(BEGUN, FenceRaised("lamp", 5)) + tail + encode(FenceRaised("lamp", 9)))
    assert found.is_damaged
    assert found.journal.fence("lamp") == 5


@pytest.mark.parametrize(
    ("data", "is_torn", "is_damaged"), [(b"", True, False), (MAGIC[:5], True, False), (b"hello", False, True)]
)
def test_a_file_that_is_no_journal_is_damaged_or_barely_begun(data: bytes, is_torn: bool, is_damaged: bool) -> None:
    found = replay(data)
    assert (found.is_torn, found.is_damaged) == (is_torn, is_damaged)


STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["start", "finish"])), max_size=24)


@given(STEPS, st.data())
def test_a_file_cut_anywhere_never_contradicts_what_happened(steps: list[tuple[str, str]], data: st.DataObject) -> None:
    """The records of a life, cut at any byte: what is left says too little at most, never something false."""
    outcomes: dict[str, bytes] = {}
    began: set[str] = set()
    content = MAGIC + encode(BEGUN)
    for command, step in steps:
        if command in outcomes:
            continue
        if step == "start":
            began.add(command)
            content += encode(Started(command, 1.0))
        else:
            outcomes[command] = command.encode() + (b" ran" if command in began else b" never ran")
            content += encode(Finished(command, 2.0, outcomes[command]))
    left = content[: data.draw(st.integers(0, len(content)))]
    found = replay(left, SETTINGS)
    assert not found.is_damaged
    journal = found.journal
    journal.apply(journal.begin("boot-2", 10.0))
    for command in "abcd":
        known = journal.outcome(command)
        assert known in (None, outcomes.get(command))
        assert not journal.has_started(command) or command in began
        if known is None and not journal.has_started(command) and len(left) < len(content):
            assert not journal.vouches(10.0)


@given(st.binary(max_size=80))
def test_noise_is_never_believed(noise: bytes) -> None:
    found = replay(MAGIC + noise)
    assert found.is_torn or found.is_damaged or not noise
