"""When which properties are read for telemetry. Pure: ``now_ms`` is the agent's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from devices.model import DeviceDescription
from signaling.wire import Value


@dataclass(slots=True, eq=False)
class Round:
    """Reading all properties of a device that are read equally often, one after the other."""

    device: str
    properties: tuple[str, ...]
    poll_ms: float
    due_ms: float
    under_way: bool = False
    done: int = 0
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def next_property(self) -> str:
        """What is read next."""
        return self.properties[self.done]

    @property
    def is_complete(self) -> bool:
        """Whether all of it has been read."""
        return self.done == len(self.properties)


class PollPlan:
    """The rounds of the devices on one port."""

    def __init__(self) -> None:
        self._rounds: dict[str, list[Round]] = {}

    def add(self, device: DeviceDescription, now_ms: float) -> None:
        """Read a device from now on; its rounds start afresh."""
        periods: dict[float, list[str]] = {}
        for prop in device.properties:
            if prop.poll_ms is not None:
                periods.setdefault(prop.poll_ms, []).append(prop.name)
        self._rounds[device.name] = [
            Round(device.name, tuple(names), poll_ms, now_ms) for poll_ms, names in periods.items()
        ]

    def remove(self, device: str) -> None:
        """Read a device no more."""
        self._rounds.pop(device, None)

    def holds(self, round_: Round) -> bool:
        """Whether a round still belongs to the plan."""
        return any(round_ is kept for kept in self._rounds.get(round_.device, ()))

    @property
    def next_due_ms(self) -> float | None:
        """When :meth:`due` has something next."""
        return min((round_.due_ms for round_ in self._all() if not round_.under_way), default=None)

    def due(self, now_ms: float) -> list[Round]:
        """The rounds that begin now; each is under way until :meth:`finish`."""
        begun = [round_ for round_ in self._all() if not round_.under_way and round_.due_ms <= now_ms]
        for round_ in begun:
            round_.under_way = True
            round_.done = 0
            round_.values = {}
        return begun

    def finish(self, round_: Round, now_ms: float) -> None:
        """A round has ended. The next begins a period after this one was due; periods that were missed are skipped."""
        round_.under_way = False
        missed = max(0.0, now_ms - round_.due_ms) // round_.poll_ms
        round_.due_ms += (missed + 1) * round_.poll_ms

    def _all(self) -> Iterable[Round]:
        return (round_ for rounds in self._rounds.values() for round_ in rounds)
