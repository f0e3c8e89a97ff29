"""What an agent must not forget: which commands began, how each ended, the fences, the stops. Pure.

A record is written before the act that it announces: ``Started`` before a command's first byte, ``Finished`` before its
outcome is told. So after a crash of the agent an id that is unknown here never began, and one that started but did not
finish has an unknown outcome. After a crash of the whole machine the last records may be missing (nothing waits for the
disk, see docs/decisions/0002): then, for as long as an id could be from before, the journal does not vouch.

In the file each record is its length and CRC-32 (4 bytes each, little-endian), then a msgpack array.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

import msgpack  # type: ignore[import-untyped]  # the package ships no types

MAGIC = b"tongke journal 1\n"
MAX_RECORD_BYTES = 1_048_576

_HEAD = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Begun:
    """The agent started; until ``doubtful_until_ms`` an unknown id may have been forgotten."""

    boot: str
    doubtful_until_ms: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The agent ended in order, with everything on the disk."""


@dataclass(frozen=True, slots=True)
class Started:
    """A command is about to write its first byte."""

    id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A command has its one outcome, encoded; it need not have started."""

    id: str
    at_ms: float
    outcome: bytes


@dataclass(frozen=True, slots=True)
class FenceRaised:
    """Commands of a bench with a smaller fence are refused."""

    bench: str
    fence: int


@dataclass(frozen=True, slots=True)
class StopLatched:
    """A bench was stopped, or cleared again."""

    bench: str
    stopped: bool


Record: TypeAlias = Begun | Closed | Started | Finished | FenceRaised | StopLatched

_KINDS: dict[type, tuple[int, tuple[str, ...]]] = {
    Begun: (0, ("boot", "doubtful_until_ms")),
    Closed: (1, ()),
    Started: (2, ("id", "at_ms")),
    Finished: (3, ("id", "at_ms", "outcome")),
    FenceRaised: (4, ("bench", "fence")),
    StopLatched: (5, ("bench", "stopped")),
}
_BY_NUMBER: dict[int, tuple[type, tuple[type, ...]]] = {
    0: (Begun, (str, float)),
    1: (Closed, ()),
    2: (Started, (str, float)),
    3: (Finished, (str, float, bytes)),
    4: (FenceRaised, (str, int)),
    5: (StopLatched, (str, bool)),
}


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How long ids are kept: all of the last ``keep_ms`` up to ``most_ids``, and at least the newest ``keep_ids``."""

    keep_ms: float = 86_400_000.0
    keep_ids: int = 20_000
    most_ids: int = 200_000
    """About 70 MB. When younger ones must be forgotten, the journal does not vouch for ``keep_ms`` afterwards."""
    new_doubt_ms: float = 120_000.0
    """For how long a brand-new journal does not vouch: no id that a gateway still asks for is older."""


DEFAULT_JOURNAL = JournalSettings()


class Journal:
    """What the records add up to. All times are Unix milliseconds of the lab PC."""

    def __init__(self, settings: JournalSettings = DEFAULT_JOURNAL) -> None:
        self._settings = settings
        self._started: dict[str, float] = {}
        # Apart, and nothing but plain values: so the garbage collector never walks through a day's outcomes.
        self._outcomes: dict[str, bytes] = {}
        self._ended_ms: dict[str, float] = {}
        self._fences: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._begun: Begun | None = None
        self._closed = False
        self.lost_records = False
        """Whether this start found records missing: commands that were sent before it may already have run."""

    def __len__(self) -> int:
        return len(self._started) + len(self._outcomes)

    def apply(self, record: Record) -> None:
        """Take a record into account."""
        match record:
            case Finished():
                self._started.pop(record.id, None)
                self._outcomes[record.id] = record.outcome
                self._ended_ms[record.id] = record.at_ms
            case Started():
                self._started[record.id] = record.at_ms
            case FenceRaised():
                self._fences[record.bench] = max(record.fence, self.fence(record.bench))
            case StopLatched(stopped=True):
                self._stopped.add(record.bench)
            case StopLatched():
                self._stopped.discard(record.bench)
            case Begun():
                self._begun = record
                self._closed = False
            case Closed():
                self._closed = True
            case _:
                assert_never(record)

    def begin(self, boot: str, now_ms: float, *, is_new: bool = False, is_damaged: bool = False) -> Begun:
        """The record that opens a new life of the agent, on a journal that is new, whole or damaged."""
        before = self._begun
        doubtful_until_ms = before.doubtful_until_ms if before else 0.0
        if is_new:
            doubtful_until_ms = now_ms + self._settings.new_doubt_ms
        elif is_damaged or before is None or (before.boot != boot and not self._closed):
            self.lost_records = True
            doubtful_until_ms = now_ms + self._settings.keep_ms
        return Begun(boot, doubtful_until_ms)

    def vouches(self, now_ms: float) -> bool:
        """Whether an id that is not known here surely never began."""
        return self._begun is not None and now_ms >= self._begun.doubtful_until_ms

    def has_started(self, command: str) -> bool:
        """Whether a command began and has no outcome yet."""
        return command in self._started

    def outcome(self, command: str) -> bytes | None:
        """The encoded outcome of a command, or None when it has none that is known."""
        return self._outcomes.get(command)

    def interrupted(self) -> list[str]:
        """The commands that began and never finished: right after a start, those that a crash cut off."""
        return list(self._started)

    def fence(self, bench: str) -> int:
        """The highest fence seen for a bench."""
        return self._fences.get(bench, 0)

    def is_stopped(self, bench: str) -> bool:
        """Whether a bench is stopped."""
        return bench in self._stopped

    def prune(self, now_ms: float) -> int:
        """Forget outcomes that are both old and many, or too many; how many it were."""
        settings, forgotten = self._settings, 0
        while len(self._ended_ms) > settings.keep_ids:
            oldest, at_ms = next(iter(self._ended_ms.items()))
            if now_ms - at_ms < settings.keep_ms:
                if len(self._ended_ms) <= settings.most_ids:
                    break
                if self._begun is not None:
                    self._begun = Begun(self._begun.boot, now_ms + settings.keep_ms)
            del self._ended_ms[oldest], self._outcomes[oldest]
            forgotten += 1
        return forgotten

    def snapshot(self) -> list[Record]:
        """The fewest records that add up to the same."""
        records: list[Record] = [] if self._begun is None else [self._begun]
        records += [FenceRaised(bench, fence) for bench, fence in self._fences.items()]
        records += [StopLatched(bench, True) for bench in self._stopped]
        records += [Finished(command, at_ms, self._outcomes[command]) for command, at_ms in self._ended_ms.items()]
        records += [Started(command, at_ms) for command, at_ms in self._started.items()]
        if self._closed:
            records.append(Closed())
        return records


def encode(record: Record) -> bytes:
    """A record as it stands in the file."""
    payload: bytes
    if type(record) is Started:  # these two are written for every command
        payload = msgpack.packb((2, record.id, record.at_ms))
    elif type(record) is Finished:
        payload = msgpack.packb((3, record.id, record.at_ms, record.outcome))
    else:
        number, fields = _KINDS[type(record)]
        payload = msgpack.packb([number, *[getattr(record, field) for field in fields]])
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


@dataclass(frozen=True, slots=True)
class Replay:
    """What a file held: ``is_torn`` when its last record was cut short, ``is_damaged`` when it cannot be trusted."""

    journal: Journal
    is_torn: bool
    is_damaged: bool


def replay(data: bytes, settings: JournalSettings = DEFAULT_JOURNAL) -> Replay:
    """Read a journal file. A record that a crash cut short is dropped; after a damaged one nothing is believed."""
    journal = Journal(settings)
    if not data.startswith(MAGIC):
        return Replay(journal, is_torn=MAGIC.startswith(data), is_damaged=not MAGIC.startswith(data))
    offset = len(MAGIC)
    while offset < len(data):
        if len(data) - offset < _HEAD.size:
            return Replay(journal, is_torn=True, is_damaged=False)
        size_bytes, checksum = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size
        if not 0 < size_bytes <= MAX_RECORD_BYTES:
            return Replay(journal, is_torn=False, is_damaged=True)
        payload = data[offset : offset + size_bytes]
        if len(payload) < size_bytes:
            return Replay(journal, is_torn=True, is_damaged=False)
        offset += size_bytes
        record = _decoded(payload) if zlib.crc32(payload) == checksum else None
        if record is None:
            return Replay(journal, is_torn=False, is_damaged=True)
        journal.apply(record)
    return Replay(journal, is_torn=False, is_damaged=False)


def _decoded(payload: bytes) -> Record | None:
    try:
        content: Any = msgpack.unpackb(payload)
    except (ValueError, msgpack.exceptions.UnpackException):
        return None
    if not isinstance(content, list) or not content or content[0] not in _BY_NUMBER:
        return None
    kind, types = _BY_NUMBER[content[0]]
    if len(content) != 1 + len(types) or any(type(v) is not t for v, t in zip(content[1:], types, strict=True)):
        return None
    record: Record = kind(*content[1:])
    return record


def encoded(records: list[Record]) -> Iterator[bytes]:
    """A whole file of these records, piece by piece."""
    yield MAGIC
    for record in records:
        yield encode(record)
