"""One bench of the gateway: takes what participants and the agent say, and returns what is to be done. Pure.

It joins the parts that each know one thing: how the bench stands, what it consists of, its commands, its stop, and who
is here. All of it is touched by one thread only.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices import messages as agent_words
from devices.messages import BenchReport
from remotelab.bench_state import BenchEvent
from remotelab.effects import BenchRecord, Effect, Seat, Tell, TellAll
from remotelab.executions import DEFAULT_COMMANDS, CommandSettings, Executions
from remotelab.lease import DEFAULT_LEASE, LeaseEvent, LeaseSettings
from remotelab.messages import (
    AcquireLease,
    AskOutcomes,
    BenchSnapshot,
    CancelCommand,
    ClearStop,
    Command,
    DeviceChanged,
    InterlockChanged,
    InventoryChanged,
    PresenceChanged,
    ReleaseLease,
    ReleaseQuarantine,
    RenewLease,
    RevokeLease,
    Stop,
    TelemetrySampled,
    TransferLease,
)
from remotelab.panel import Panel
from remotelab.presence import Presence
from remotelab.standing import Standing
from remotelab.stats import BenchStats
from remotelab.stops import StopDesk
from signaling.errors import CallerError, Code, TongkeError
from signaling.messages import RequestDone, RequestRefused
from signaling.tokens import Right

PRESENCE_MS = 250.0
"""Comings and goings are told together, this often at most: a class that arrives at once is one event."""
MOST_ID_CHARS = 64
_FORGET_MS = 10_000.0
_SHOWN_OUTCOMES = 20


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Settings of every bench of a gateway."""

    lease: LeaseSettings = DEFAULT_LEASE
    commands: CommandSettings = DEFAULT_COMMANDS


DEFAULT_BENCH = BenchSettings()


class Bench:
    """The desk of one bench. ``record`` is what was on disk; everybody who held something counts as gone."""

    def __init__(
        self, name: str, now_ms: float, *, settings: BenchSettings = DEFAULT_BENCH, record: BenchRecord | None = None
    ) -> None:
        self.name = name
        self.stats = BenchStats()
        self.presence = Presence()
        self.panel = Panel()
        self.standing = Standing(name, record, settings.lease, now_ms)
        self._stops = StopDesk(name, self.standing)
        self._executions = Executions(name, self.standing, self.panel, settings.commands, self.stats, now_ms)
        self._sessions = 0
        self._presence_ms: float | None = None
        self._forget_ms = now_ms + _FORGET_MS

    def command(self, seat: Seat, command: Command, admissions: bool, now_ms: float) -> list[Effect]:
        """A participant's command: the hot path."""
        return self._executions.command(seat, command, admissions, now_ms)

    def asked(self, seat: Seat, request: object, now_ms: float) -> list[Effect]:
        """A participant's request other than a command; what may not be done is answered by ``RequestRefused``."""
        name = str(getattr(request, "id", ""))
        try:
            if not 0 < len(name) <= MOST_ID_CHARS:
                raise CallerError(Code.BAD_ARGUMENT, f"An id has 1 to {MOST_ID_CHARS} characters.")
            return self._answer(seat, request, now_ms)
        except TongkeError as error:
            refused = RequestRefused(name[:MOST_ID_CHARS], error.code, error.text, error.retry_after_ms)
            return [Tell(seat.session, refused)]

    def joined(self, seat: Seat, now_ms: float) -> list[Effect]:
        """A new session."""
        self._sessions += 1
        self.presence.joined(seat)
        return self.connected(seat, now_ms)

    def connected(self, seat: Seat, now_ms: float) -> list[Effect]:
        """A session has a socket."""
        first = self.presence.connected(seat.participant)
        self._presence_due(now_ms)
        return self.standing.came_back(seat.participant, now_ms) if first else []

    def disconnected(self, seat: Seat, now_ms: float) -> list[Effect]:
        """A session has lost its socket."""
        last = self.presence.disconnected(seat.participant)
        self._presence_due(now_ms)
        return self.standing.went_away(seat.participant, now_ms) if last else []

    def left(self, seat: Seat, now_ms: float) -> None:
        """A session that has no socket any more is over."""
        self._sessions -= 1
        self.presence.left(seat.participant)
        self._presence_due(now_ms)

    def snapshot(self, seat: Seat) -> list[Effect]:
        """Everything that a newcomer needs to draw the bench."""
        panel, standing = self.panel, self.standing
        snapshot = BenchSnapshot(
            bench=self.name,
            state=standing.state,
            text=standing.text,
            description=panel.description,
            devices=tuple(panel.reports.values()),
            stopped=standing.stopped,
            blocking=tuple(sorted(panel.blocking)),
            lease=standing.lease.shown,
            participants=self.presence.shown,
            set_points=panel.set_points,
            outcomes=self._executions.latest(seat.participant, _SHOWN_OUTCOMES),
            may=tuple(sorted(seat.rights)),
            until_ms=seat.until_ms,
        )
        return [Tell(seat.session, snapshot, replayed=True)]

    def agent_came(self, report: BenchReport, now_ms: float) -> list[Effect]:
        """The bench's agent has published its inventory, for the first time on this link."""
        effects = self._inventory(report)
        if report.made_safe is not None:
            self.panel.made_safe()
        effects += self.standing.agent_came(report.fence, report.made_safe, now_ms)
        effects += self._stops.agent_came(report.stopped, now_ms)
        return [*effects, *self._executions.agent_came()]

    def inventory(self, report: BenchReport) -> list[Effect]:
        """The agent has published its inventory again: its technician changed something."""
        return self._inventory(report)

    def agent_left(self, now_ms: float) -> list[Effect]:
        """The link to the agent is gone, or it does not have this bench any more."""
        if not self.standing.is_agent_here:
            return []
        self._executions.agent_left(now_ms)
        return [*self.standing.agent_left(), *self._stops.agent_left(now_ms)]

    def moved(self, now_ms: float) -> list[Effect]:
        """Another agent has the bench from now on; its journal knows nothing of what the other one was given."""
        return self._executions.give_up("The bench has moved to another lab PC.", self._sessions > 1, now_ms)

    def agent_said(self, message: object, now_ms: float) -> list[Effect]:
        """Something from the bench's agent."""
        match message:
            case agent_words.ExecutionFinished():
                return self._executions.finished(message, self._sessions > 1, now_ms)
            case agent_words.TelemetrySampled(device=device, time_ms=time_ms, values=values):
                if not self.panel.sampled(device, time_ms, values):
                    return []
                return [TellAll(TelemetrySampled(device, time_ms, values), latest=f"telemetry {device}")]
            case agent_words.BenchStopped():
                self.panel.made_safe()
                return self._stops.stopped(message, now_ms)
            case agent_words.BenchStopCleared():
                return self._stops.cleared(message, now_ms)
            case agent_words.CleanUpFinished():
                self.panel.made_safe()
                return self.standing.clean_up_finished(message, now_ms)
            case agent_words.DeviceChanged(report=report):
                return [TellAll(DeviceChanged(report))] if self.panel.device_changed(report) else []
            case agent_words.InterlockChanged(interlock=name, blocking=blocking):
                known = self.panel.interlock_changed(name, blocking)
                return [TellAll(InterlockChanged(name, blocking))] if known else []
        raise TypeError(f"{type(message).__name__} is nothing that an agent says of a bench")

    @property
    def next_ms(self) -> float:
        """When :meth:`due` must be called at the latest."""
        times = (self.standing.next_ms, self._executions.next_ms, self._presence_ms, self._forget_ms)
        return min(time for time in times if time is not None)

    def due(self, now_ms: float) -> list[Effect]:
        """What time has brought about."""
        effects = [*self.standing.due(now_ms), *self._executions.due(self._sessions > 1, now_ms)]
        if self._presence_ms is not None and self._presence_ms <= now_ms:
            self._presence_ms = None
            self.presence.changed = False
            effects.append(TellAll(PresenceChanged(self.presence.shown)))
        if self._forget_ms <= now_ms:
            self._forget_ms = now_ms + _FORGET_MS
            self._executions.forget_old(now_ms)
        return effects

    def record_failed(self, now_ms: float) -> list[Effect]:
        """The disk refused the bench's record: nothing more may be promised about it."""
        text = "The server could not store the bench's state."
        return self.standing.quarantine(text, now_ms, BenchEvent.RECORD_LOST)

    def _answer(self, seat: Seat, request: object, now_ms: float) -> list[Effect]:
        standing = self.standing
        match request:
            case Stop():
                self.stats.stops += 1
                return self._stops.stop(seat, request, now_ms)
            case ClearStop():
                return self._stops.clear(seat, request, now_ms)
            case CancelCommand(id=name, command=command):
                return [*self._executions.cancel(seat, command), Tell(seat.session, RequestDone(name))]
            case AskOutcomes(id=name):
                return [*self._executions.ask(seat, request, now_ms), Tell(seat.session, RequestDone(name))]
            case AcquireLease(id=name):
                _require(seat, Right.CONTROL)
                return standing.acquire(seat, name, now_ms)
            case RenewLease(id=name, fence=fence):
                return standing.renew(seat, name, fence, now_ms)
            case ReleaseLease(id=name, fence=fence):
                standing.lease.check(seat.participant, fence)
                return standing.end_lease(LeaseEvent.RELEASED, now_ms, seat, name)
            case TransferLease():
                return self._transfer(seat, request, now_ms)
            case RevokeLease(id=name):
                _require(seat, Right.SUPERVISE)
                return standing.end_lease(LeaseEvent.REVOKED, now_ms, seat, name)
            case ReleaseQuarantine(id=name):
                _require(seat, Right.SUPERVISE)
                return standing.lift_quarantine(seat, name, now_ms)
        raise CallerError(Code.UNEXPECTED, f"{type(request).__name__} cannot be asked for here.")

    def _transfer(self, seat: Seat, request: TransferLease, now_ms: float) -> list[Effect]:
        if not seat.may(Right.SUPERVISE):
            self.standing.lease.check(seat.participant, request.fence)
        name = self.presence.name_of(request.to)
        if name is None:
            raise CallerError(Code.UNKNOWN_PARTICIPANT, "Nobody here of that name may take the control.")
        return self.standing.transfer(seat, request.id, request.to, name, now_ms)

    def _inventory(self, report: BenchReport) -> list[Effect]:
        before = set(self.panel.blocking)
        changed: list[Effect] = []
        if self.panel.publish(report):
            changed.append(TellAll(InventoryChanged(report.description)))
        changed += [TellAll(DeviceChanged(device)) for device in report.devices]
        turned = sorted(before ^ self.panel.blocking)
        return [*changed, *(TellAll(InterlockChanged(name, name in self.panel.blocking)) for name in turned)]

    def _presence_due(self, now_ms: float) -> None:
        if self.presence.changed and self._presence_ms is None:
            self._presence_ms = now_ms + PRESENCE_MS


def _require(seat: Seat, right: Right) -> None:
    if not seat.may(right):
        raise CallerError(Code.FORBIDDEN, f"Your link does not give you the right to {right}.")
