"""The interlocks of one bench and the readings that decide them. Pure: ``now_ms`` is the agent's clock."""

from __future__ import annotations

from dataclasses import dataclass

from devices.interlock import Condition, blocks, parse
from devices.model import BenchDescription, Interlock
from signaling.wire import Value

LEAST_AGE_MS = 2_000.0
POLLS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What an interlock's condition has become. ``is_met``: it is true, not merely undecidable."""

    interlock: Interlock
    blocking: bool
    was_blocking: bool
    is_met: bool


@dataclass(slots=True)
class _Watched:
    interlock: Interlock
    condition: Condition
    value: bool | None = None


class Interlocks:
    """Which interlocks block now. A reading older than three polls, and than two seconds, counts as unknown."""

    def __init__(self, description: BenchDescription) -> None:
        self._watched = [_Watched(interlock, parse(interlock.when)) for interlock in description.interlocks]
        self._most_age_ms = {
            f"{device.name}.{prop.name}": max(POLLS * prop.poll_ms, LEAST_AGE_MS)
            for device in description.devices
            for prop in device.properties
            if prop.poll_ms is not None
        }
        self._readings: dict[str, tuple[Value, float]] = {}
        self._guards: dict[tuple[str, str], list[_Watched]] = {}
        self.names = frozenset(name for watched in self._watched for name in watched.condition.names)
        """The readings that decide something."""

    @property
    def blocking(self) -> tuple[str, ...]:
        """The names of the interlocks that block, as of the last :meth:`evaluate`."""
        return tuple(watched.interlock.name for watched in self._watched if watched.value is not False)

    @property
    def wants_safe_state(self) -> bool:
        """Whether a condition that calls for the safe state is true, as of the last :meth:`evaluate`."""
        return any(watched.interlock.makes_safe and watched.value is True for watched in self._watched)

    def take(self, device: str, prop: str, value: Value, now_ms: float) -> bool:
        """Take a reading; whether it matters to an interlock."""
        name = f"{device}.{prop}"
        if name not in self.names:
            return False
        self._readings[name] = (value, now_ms)
        return True

    def forget(self, device: str) -> None:
        """A device went away: what it said last is no longer known."""
        for name in [name for name in self._readings if name.startswith(f"{device}.")]:
            del self._readings[name]

    def adopt(self, other: Interlocks) -> None:
        """Go on from another's readings: the bench's description has changed."""
        self._readings = {name: reading for name, reading in other._readings.items() if name in self.names}

    def evaluate(self, now_ms: float) -> list[Change]:
        """Judge anew, and return the interlocks whose condition has become another: true, false or undecidable."""
        if not self._watched:
            return []
        fresh = self._fresh(now_ms)
        changes = []
        for watched in self._watched:
            value = watched.condition.evaluate(fresh)
            if value is not watched.value:
                changes.append(Change(watched.interlock, value is not False, watched.value is not False, value is True))
                watched.value = value
        return changes

    def forbidding(self, device: str, action: str, now_ms: float) -> Interlock | None:
        """The first interlock that forbids an action by the readings of this moment."""
        guards = self._guards.get((device, action))
        if guards is None:
            guards = [watched for watched in self._watched if blocks(watched.interlock, device, action)]
            self._guards[device, action] = guards
        if not guards:
            return None
        fresh = self._fresh(now_ms)
        return next((watched.interlock for watched in guards if watched.condition.blocks(fresh)), None)

    def _fresh(self, now_ms: float) -> dict[str, Value]:
        most_age_ms = self._most_age_ms
        return {
            name: value
            for name, (value, at_ms) in self._readings.items()
            if now_ms - at_ms <= most_age_ms.get(name, LEAST_AGE_MS)
        }
