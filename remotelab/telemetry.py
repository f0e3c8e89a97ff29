"""The readings so far of one device, for who comes late: a bounded ring of rows. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from remotelab.messages import TelemetryHistory
from signaling.wire import Value

MOST_COLUMNS = 32


class TelemetryRing:
    """The last ``keep`` readings of a device. Lists and maps are not kept: history is for plots of numbers."""

    __slots__ = ("_columns", "_device", "_rows", "latest")

    def __init__(self, device: str, *, keep: int = 600) -> None:
        self._device = device
        self._columns: dict[str, int] = {}
        self._rows: deque[tuple[float, Mapping[str, Value]]] = deque(maxlen=keep)
        self.latest: dict[str, Value] = {}
        """The newest reading of each property."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, time_ms: float, values: Mapping[str, Value]) -> None:
        """Keep one reading; the oldest gives way."""
        kept: dict[str, Value] = {}
        for name, value in values.items():
            if _is_bulky(value) or not self._has_column(name):
                continue
            kept[name] = value
        self._rows.append((time_ms, kept))
        self.latest.update(kept)

    def history(self) -> TelemetryHistory | None:
        """All of it in one message; None when there is nothing yet."""
        if not self._rows:
            return None
        columns = tuple(self._columns)
        rows = tuple((time_ms, *(values.get(name) for name in columns)) for time_ms, values in self._rows)
        return TelemetryHistory(self._device, ("time_ms", *columns), rows)

    def _has_column(self, name: str) -> bool:
        if name in self._columns:
            return True
        if len(self._columns) >= MOST_COLUMNS:
            return False
        self._columns[name] = len(self._columns)
        return True


def _is_bulky(value: Value) -> bool:
    return isinstance(value, list | dict | bytes) or (isinstance(value, str) and len(value) > 100)
