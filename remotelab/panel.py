"""What a bench consists of and how its devices stand, as its agent reports: what the page draws. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.interlock import blocks
from devices.messages import BenchReport, DeviceReport
from devices.model import Action, ActionKind, BenchDescription, DeviceState, Interlock, Lane
from remotelab.messages import SetPoint, TelemetryHistory
from remotelab.mirror import PortMirror, ServiceTime
from remotelab.telemetry import TelemetryRing
from signaling.wire import Value


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """Everything that a command to one action is checked against, looked up once."""

    action: Action
    target: str
    lane: Lane
    interlocks: tuple[Interlock, ...]
    """Those that can block it."""
    mirror: PortMirror
    service: ServiceTime


class Panel:
    """The bench's description and the present state of its devices, interlocks and set-points."""

    def __init__(self) -> None:
        self.description: BenchDescription | None = None
        self.reports: dict[str, DeviceReport] = {}
        self.blocking: set[str] = set()
        self.mirrors: dict[str, PortMirror] = {}
        self._actions: dict[tuple[str, str], ActionEntry] = {}
        self._services: dict[tuple[str, str], ServiceTime] = {}
        self._rings: dict[str, TelemetryRing] = {}
        self._set_points: dict[tuple[str, str], SetPoint] = {}

    def publish(self, report: BenchReport) -> bool:
        """Take the agent's inventory; whether the description is another than before."""
        changed = report.description != self.description
        self.reports = {device.device: device for device in report.devices}
        self.blocking = set(report.tripped)
        if changed:
            self._compile(report.description)
        return changed

    def entry(self, device: str, action: str) -> ActionEntry | None:
        """What is known of an action; None when the device or the action is unknown."""
        return self._actions.get((device, action))

    def is_online(self, device: str) -> bool:
        """Whether a device can be commanded."""
        report = self.reports.get(device)
        return report is not None and report.state is DeviceState.ONLINE

    def why_blocked(self, entry: ActionEntry) -> Interlock | None:
        """The interlock that forbids this action now."""
        if not self.blocking:
            return None
        return next((interlock for interlock in entry.interlocks if interlock.name in self.blocking), None)

    def device_changed(self, report: DeviceReport) -> bool:
        """Take a device's new state; False for a device that the bench does not have."""
        if self.description is None or self.description.device(report.device) is None:
            return False
        self.reports[report.device] = report
        return True

    def interlock_changed(self, name: str, blocking: bool) -> bool:
        """Take an interlock's new state; False for one that the bench does not have."""
        if self.description is None or all(interlock.name != name for interlock in self.description.interlocks):
            return False
        (self.blocking.add if blocking else self.blocking.discard)(name)
        return True

    def sampled(self, device: str, time_ms: float, values: Mapping[str, Value]) -> bool:
        """Keep readings for who comes late; False for a device that the bench does not have."""
        ring = self._rings.get(device)
        if ring is None:
            return False
        ring.add(time_ms, values)
        return True

    def history(self) -> list[TelemetryHistory]:
        """The readings so far, one message for each device."""
        return [history for ring in self._rings.values() if (history := ring.history()) is not None]

    def carried_out(self, device: str, action: str, args: Mapping[str, Value]) -> None:
        """A command was done: when it sets a point, that is where the knob now stands."""
        entry = self._actions.get((device, action))
        if entry is not None and entry.action.kind is ActionKind.SET_POINT:
            self._set_points[device, action] = SetPoint(device, action, args)

    def made_safe(self) -> None:
        """The bench went to its safe state: no knob stands where it stood."""
        self._set_points.clear()

    @property
    def set_points(self) -> tuple[SetPoint, ...]:
        """Where the knobs stand."""
        return tuple(self._set_points.values())

    def _compile(self, description: BenchDescription) -> None:
        self.description = description
        ports = {device.port for device in description.devices}
        self.mirrors = {port: PortMirror(description.queue_depth) for port in ports}
        self._rings = {d.name: self._rings.get(d.name) or TelemetryRing(d.name) for d in description.devices}
        self._actions.clear()
        self._set_points.clear()
        known, self._services = self._services, {}
        for device in description.devices:
            for action in device.actions:
                place = (device.name, action.name)
                service = self._services[place] = known.get(place) or ServiceTime(action.expected_ms)
                self._actions[place] = ActionEntry(
                    action=action,
                    target=f"{device.name}.{action.name}",
                    lane=Lane.QUERY if action.kind is ActionKind.QUERY else Lane.CONTROL,
                    interlocks=tuple(lock for lock in description.interlocks if blocks(lock, *place)),
                    mirror=self.mirrors[device.port],
                    service=service,
                )
