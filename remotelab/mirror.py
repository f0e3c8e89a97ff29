"""The gateway's idea of the queue at one port of the lab PC: who would go when, and whether one more fits. Pure.

The order is that of ``devices.queue``: lanes, then deadlines, an owner's ``ordered`` commands in sequence, a ``latest``
command in the place of the one it replaces. Service times are learned per action, smoothed like round-trip times
(RFC 6298): mean and mean deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from devices.model import CommandMode, Lane
from signaling.errors import Code, OurError

_RANK = {lane: rank for rank, lane in enumerate(Lane)}
_MEAN_GAIN = 1 / 8
_DEVIATION_GAIN = 1 / 4

_Key: TypeAlias = tuple[int, float, int]


class ServiceTime:
    """How long an action holds the port, as learned so far. Starts with what the driver expects."""

    __slots__ = ("deviation_ms", "mean_ms")

    def __init__(self, expected_ms: float) -> None:
        self.mean_ms = expected_ms
        self.deviation_ms = 0.0

    @property
    def predicted_ms(self) -> float:
        """What to reckon with: the mean and its usual deviation."""
        return self.mean_ms + self.deviation_ms

    def observe(self, service_ms: float) -> None:
        """Learn from one execution."""
        error_ms = service_ms - self.mean_ms
        self.mean_ms += _MEAN_GAIN * error_ms
        self.deviation_ms += _DEVIATION_GAIN * (abs(error_ms) - self.deviation_ms)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A command that asks to be let in."""

    id: str
    lane: Lane
    deadline_ms: float
    owner: str
    mode: CommandMode
    target: str
    service_ms: float


class _Entry:
    __slots__ = ("command", "key")

    def __init__(self, command: Newcomer, arrival: int) -> None:
        self.command = command
        self.key: _Key = (_RANK[command.lane], command.deadline_ms, arrival)

    @property
    def chain(self) -> str:
        """Whose order it keeps."""
        return self.command.owner if self.command.mode is CommandMode.ORDERED else ""


def _arrival(entry: _Entry) -> int:
    return entry.key[2]


class PortMirror:
    """What is under way at one port: one running, the others waiting in the order in which they would run.

    ``link_ms`` is how long a command takes to the lab PC; ``depth`` is how many its queue takes.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self.link_ms = 0.0
        self._arrivals = 0
        self._waiting: list[_Entry] = []
        self._waiting_ms = 0.0
        self._running: _Entry | None = None
        self._running_until_ms = 0.0

    def __len__(self) -> int:
        return len(self._waiting) + (self._running is not None)

    @property
    def in_order(self) -> list[str]:
        """The ids of those that wait, in the order in which they would run."""
        return [entry.command.id for entry in self._waiting]

    @property
    def running(self) -> str | None:
        """The id of the one that is taken to be on the wire."""
        return self._running.command.id if self._running else None

    def admit(self, newcomer: Newcomer, now_ms: float) -> float:
        """Let a command in and return in how many milliseconds it should start.

        Raises :class:`OurError` ``queue_full`` or ``would_be_late``, with when to try again; then nothing has changed.
        """
        arrives_ms = now_ms + self.link_ms
        if self._running is None:
            self._refuse_if_late(newcomer, arrives_ms)
            self._run(_Entry(newcomer, self._next_arrival()), arrives_ms)
            return self.link_ms
        old = self._replaced_by(newcomer)
        if old is None and len(self) >= self._depth:
            wait_ms = max(1.0, self._running_until_ms - now_ms)
            raise OurError(
                Code.QUEUE_FULL, f"{self._depth} commands wait at this port already.", retry_after_ms=wait_ms
            )
        entry = _Entry(newcomer, self._next_arrival())
        free_ms = max(arrives_ms, self._running_until_ms)
        if old is None and (not self._waiting or entry.key > self._waiting[-1].key):
            # The usual case: its deadline is the latest of all, so nobody's place changes.
            start_ms = free_ms + self._waiting_ms
            self._refuse_if_late(newcomer, start_ms)
            self._waiting.append(entry)
        else:
            order = self._order_with(entry, old)
            start_ms = self._checked_start(order, entry, free_ms)
            self._waiting = order
        self._waiting_ms += newcomer.service_ms - (old.command.service_ms if old else 0.0)
        return start_ms - now_ms

    def finished(self, command_id: str, now_ms: float) -> None:
        """A command has ended, however it did; the next in order is taken to run now. Unknown ids change nothing."""
        running = self._running
        if running is not None and running.command.id == command_id:
            self._running = None
            if self._waiting:
                entry = self._waiting.pop(0)
                self._waiting_ms -= entry.command.service_ms
                self._run(entry, now_ms)
            return
        for index, entry in enumerate(self._waiting):
            if entry.command.id == command_id:
                del self._waiting[index]
                self._waiting_ms -= entry.command.service_ms
                self._waiting = self._ordered(self._waiting)
                return

    def clear(self) -> None:
        """The lab PC is gone and will start afresh."""
        self._waiting.clear()
        self._waiting_ms = 0.0
        self._running = None

    def _run(self, entry: _Entry, now_ms: float) -> None:
        self._running = entry
        self._running_until_ms = now_ms + entry.command.service_ms

    def _next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def _replaced_by(self, newcomer: Newcomer) -> _Entry | None:
        if newcomer.mode is not CommandMode.LATEST:
            return None
        for entry in self._waiting:
            other = entry.command
            if other.mode is CommandMode.LATEST and other.target == newcomer.target and other.lane is newcomer.lane:
                return entry
        return None

    def _order_with(self, entry: _Entry, old: _Entry | None) -> list[_Entry]:
        """The order with a newcomer in it, in the place of the one that it replaces, if any."""
        if old is not None:
            entry.key = (old.key[0], min(old.key[1], entry.key[1]), old.key[2])
        return self._ordered([*(other for other in self._waiting if other is not old), entry])

    def _ordered(self, entries: list[_Entry]) -> list[_Entry]:
        """The order in which they would run; each of a chain inherits the most urgent key behind it."""
        urgent: dict[str, _Key] = {}
        placed: list[tuple[_Key, int, _Entry]] = []
        for entry in sorted(entries, key=_arrival, reverse=True):
            key = entry.key
            if chain := entry.chain:
                key = urgent[chain] = min(key, urgent.get(chain, key))
            placed.append((key, entry.key[2], entry))
        placed.sort(key=itemgetter(0, 1))
        return [entry for _, _, entry in placed]

    def _checked_start(self, order: list[_Entry], newcomer: _Entry, free_ms: float) -> float:
        """When the newcomer would start; raises when it, or one that it pushes back, would start too late."""
        start_ms, at_ms, pushed = free_ms, free_ms, False
        for entry in order:
            if entry is newcomer:
                start_ms, pushed = at_ms, True
                self._refuse_if_late(entry.command, at_ms)
            elif pushed and at_ms > entry.command.deadline_ms >= at_ms - newcomer.command.service_ms:
                raise OurError(
                    Code.WOULD_BE_LATE,
                    "Another command that was let in before would be late.",
                    retry_after_ms=at_ms - entry.command.deadline_ms,
                )
            at_ms += entry.command.service_ms
        return start_ms

    @staticmethod
    def _refuse_if_late(command: Newcomer, start_ms: float) -> None:
        if start_ms > command.deadline_ms:
            late_ms = start_ms - command.deadline_ms
            raise OurError(
                Code.WOULD_BE_LATE,
                f"It could start {late_ms:.0f} ms after its deadline at the earliest.",
                retry_after_ms=late_ms,
            )
