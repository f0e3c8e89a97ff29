"""What waits to be written to one socket, in the order in which it should leave.

Three lanes: *control* (words and events, first in first out; overflow closes the connection), *latest* (one frame
per key; a newer one takes the older one's place) and *bulk* (pieces of large values). Control always goes first,
and a bulk piece goes only when nothing else waits, so that a scope trace never stands in the way of an outcome or a
stop.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from signaling.errors import Code, OurError


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """How much may wait for one slow reader before its connection is closed."""

    most_frames: int = 2_048
    most_bytes: int = 4_194_304
    most_bulk_bytes: int = 16_777_216


DEFAULT_OUTBOX = OutboxSettings()


class Outbox:
    """The bounded lanes of one connection. Pure: whoever owns the socket calls :meth:`pop`."""

    __slots__ = ("_bulk", "_bulk_bytes", "_control", "_control_bytes", "_latest", "_settings", "replaced")

    def __init__(self, settings: OutboxSettings = DEFAULT_OUTBOX) -> None:
        self._settings = settings
        self._control: deque[bytes] = deque()
        self._latest: dict[str, bytes] = {}
        self._bulk: deque[bytes] = deque()
        self._control_bytes = 0
        self._bulk_bytes = 0
        self.replaced = 0
        """How many *latest* frames were overtaken by newer ones before they could leave."""

    def __len__(self) -> int:
        return len(self._control) + len(self._latest) + len(self._bulk)

    def put(self, frame: bytes, *, first: bool = False) -> None:
        """Queue a control frame; ``first`` puts it before all others (stop).

        Raises :class:`OurError` ``too_slow`` when the lane is full: the connection must be closed.
        """
        self._control_bytes += len(frame)
        if len(self._control) >= self._settings.most_frames or self._control_bytes > self._settings.most_bytes:
            self._control_bytes -= len(frame)
            raise OurError(Code.TOO_SLOW, "The connection did not keep up with its events.")
        if first:
            self._control.appendleft(frame)
        else:
            self._control.append(frame)

    def put_latest(self, key: str, frame: bytes) -> None:
        """Queue a frame of which only the newest per key matters."""
        if self._latest.pop(key, None) is not None:
            self.replaced += 1
        self._latest[key] = frame

    def put_bulk(self, frames: list[bytes]) -> bool:
        """Queue the pieces of a large value; False, and nothing queued, when they do not fit."""
        size_bytes = sum(map(len, frames))
        if self._bulk_bytes + size_bytes > self._settings.most_bulk_bytes:
            return False
        self._bulk.extend(frames)
        self._bulk_bytes += size_bytes
        return True

    def pop(self) -> bytes | None:
        """The frame to write next, or None."""
        if self._control:
            frame = self._control.popleft()
            self._control_bytes -= len(frame)
            return frame
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        if self._bulk:
            frame = self._bulk.popleft()
            self._bulk_bytes -= len(frame)
            return frame
        return None

    def clear(self) -> None:
        """Forget everything that waits: the socket is gone."""
        self._control.clear()
        self._latest.clear()
        self._bulk.clear()
        self._control_bytes = self._bulk_bytes = 0
