"""Large values on their way from an agent to those who asked, in pieces. Pure.

Pieces may come before or after the outcome that names them. They are kept, within a bound, for who asks again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.errors import Code, PeerError
from signaling.messages import ValueChunk

MOST_PIECES = 1_024


@dataclass(slots=True)
class _Value:
    pieces: dict[int, ValueChunk] = field(default_factory=dict)
    sessions: tuple[str, ...] = ()
    size_bytes: int = 0


class LargeValues:
    """The large values of one agent. The oldest give way when together they are too large."""

    def __init__(self, *, most_bytes: int = 16_777_216) -> None:
        self._most_bytes = most_bytes
        self._values: dict[str, _Value] = {}
        self._size_bytes = 0

    def add(self, piece: ValueChunk) -> tuple[str, ...]:
        """Take a piece, and return the sessions that it must be passed on to now.

        Raises :class:`PeerError` ``malformed`` for a piece that cannot belong to its value.
        """
        if not 0 <= piece.index < piece.count <= MOST_PIECES:
            raise PeerError(Code.MALFORMED, "A piece of a value lies outside of its value.")
        value = self._value(piece.value)
        if piece.index in value.pieces:
            return ()
        value.pieces[piece.index] = piece
        value.size_bytes += len(piece.data)
        self._size_bytes += len(piece.data)
        self._shed(piece.value)
        return value.sessions

    def pass_on(self, name: str, session: str) -> tuple[ValueChunk, ...]:
        """Let a session have a value: the pieces so far are returned, the others follow by :meth:`add`."""
        value = self._value(name)
        if session not in value.sessions:
            value.sessions = (*value.sessions, session)
        return tuple(value.pieces[index] for index in sorted(value.pieces))

    def _value(self, name: str) -> _Value:
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = _Value()
            self._size_bytes += len(name)
            self._shed(name)
        return value

    def _shed(self, but: str) -> None:
        while self._size_bytes > self._most_bytes:
            name = next(iter(self._values))
            if name == but:
                return
            self._size_bytes -= self._values.pop(name).size_bytes + len(name)
