"""What became of one participant's commands: each id has one outcome, told again to whoever sends the id again. Pure.

Outcomes are forgotten after a while. A command that was sent before the memory began is never run: somebody must first
ask the lab PC's journal whether it ran already (:meth:`Outcomes.covers`).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from devices.model import CommandMode
from remotelab.messages import Command, CommandFinished
from remotelab.panel import ActionEntry
from signaling.errors import CallerError, Code
from signaling.wire import Value


@dataclass(frozen=True, slots=True)
class OutcomeSettings:
    """How long and how many outcomes are kept for each participant."""

    keep_ms: float = 600_000.0
    most: int = 4_096
    most_bytes: int = 2_097_152
    """Values of finished commands beyond this are forgotten, oldest first; their status is kept."""


DEFAULT_OUTCOMES = OutcomeSettings()

_NOTHING: Mapping[str, Value] = {}


def fingerprint(command: Command) -> int:
    """Equal for a command that is sent again, different for another command under the same id."""
    content = (command.fence, command.device, command.action, command.sent_ms, command.ttl_ms, command.mode)
    try:
        return hash((content, tuple(command.args.items())))
    except TypeError:  # lists and maps among the arguments
        return hash((content, repr(command.args)))


def rough_size(value: Value) -> int:
    """About how many bytes an open value takes; small ones count as nothing."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return 64 + sum(rough_size(item) for item in value.values())
    if isinstance(value, list | tuple):
        return 16 + 32 * len(value) + sum(rough_size(item) for item in value)
    return 0


@dataclass(slots=True)
class Entry:
    """One command that was let in, or whose fate is being asked for."""

    id: str
    fingerprint: int | None
    """None when only its outcome was asked for."""
    execution: str
    """Its id at the lab PC."""
    sessions: tuple[str, ...]
    """Who waits for the outcome."""
    sent_ms: float
    received_ms: float
    device: str = ""
    action: str = ""
    args: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    mode: CommandMode = CommandMode.ORDERED
    known: ActionEntry | None = None
    """What the command was checked against when it was let in."""
    resolving: bool = False
    """It was not handed over by this gateway: the journal is asked what became of it."""
    finished: CommandFinished | None = None
    finished_ms: float = 0.0
    size_bytes: int = 0
    """About how much its value takes, while it is kept."""


class Outcomes:
    """The commands of one participant on one bench."""

    __slots__ = ("_ended", "_entries", "_settings", "_size_bytes", "since_ms")

    def __init__(self, since_ms: float, settings: OutcomeSettings = DEFAULT_OUTCOMES) -> None:
        self._settings = settings
        self.since_ms = since_ms
        """Whatever was sent later and is unknown has never been let in."""
        self._entries: dict[str, Entry] = {}
        self._ended: deque[Entry] = deque()
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def covers(self, sent_ms: float) -> bool:
        """Whether an unknown id that was sent then has certainly never been let in."""
        return sent_ms > self.since_ms

    def get(self, command_id: str) -> Entry | None:
        """What is known of an id."""
        return self._entries.get(command_id)

    def known(self, command: Command) -> Entry | None:
        """The entry of a command that is sent again; None for a new one.

        Raises :class:`CallerError` ``id_reused`` when the id belongs to another command.
        """
        entry = self._entries.get(command.id)
        if entry is None:
            return None
        if entry.fingerprint is not None and entry.fingerprint != fingerprint(command):
            raise CallerError(Code.ID_REUSED, "This id belongs to another command.")
        return entry

    def add(self, entry: Entry) -> None:
        """Remember a command that is under way."""
        self._entries[entry.id] = entry

    def finish(self, entry: Entry, finished: CommandFinished, size_bytes: int, now_ms: float) -> None:
        """Remember the outcome; the oldest outcomes and values give way."""
        entry.finished, entry.finished_ms, entry.size_bytes = finished, now_ms, size_bytes
        entry.args, entry.known = _NOTHING, None
        self._ended.append(entry)
        self._size_bytes += size_bytes
        while len(self._ended) > self._settings.most:
            self._forget_oldest()
        if self._size_bytes > self._settings.most_bytes:
            self._shed_values()

    def latest(self, count: int) -> tuple[CommandFinished, ...]:
        """The newest outcomes, newest last."""
        newest = list(self._ended)[-count:]
        return tuple(entry.finished for entry in newest if entry.finished is not None)

    def forget_old(self, now_ms: float) -> None:
        """Drop what has been kept long enough."""
        while self._ended and self._ended[0].finished_ms + self._settings.keep_ms <= now_ms:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        entry = self._ended.popleft()
        self._size_bytes -= entry.size_bytes
        del self._entries[entry.id]
        self.since_ms = max(self.since_ms, entry.sent_ms)

    def _shed_values(self) -> None:
        heavy = iter([entry for entry in self._ended if entry.size_bytes])
        while self._size_bytes > 0.75 * self._settings.most_bytes:
            entry = next(heavy)
            entry.finished = _without_value(entry.finished)
            self._size_bytes -= entry.size_bytes
            entry.size_bytes = 0


def _without_value(finished: CommandFinished | None) -> CommandFinished | None:
    text = "The value is no longer kept; only the outcome is."
    return None if finished is None else dataclasses.replace(finished, value=None, text=text)
