"""One bench on the agent: what may run on it, and what its devices and interlocks report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devices.agent.attached_device import AttachedDevice
from devices.agent.bench_safety import BenchContext, BenchSafety
from devices.agent.execution import Execution, NotStarted, outcome_lost, too_late
from devices.agent.interlocks import Interlocks
from devices.agent.polling import Round
from devices.agent.port_worker import PortWorker, being_changed
from devices.journal import FenceRaised, Started
from devices.limits import ArgumentError, checked_arguments
from devices.messages import (
    BenchReport,
    DeviceChanged,
    DeviceHealth,
    Execute,
    InterlockChanged,
    TelemetrySampled,
)
from devices.model import Action, ActionKind, BenchDescription, CommandMode, DeviceState
from signaling.errors import Code, OurError
from signaling.wire import Value

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Route:
    worker: PortWorker
    device: AttachedDevice
    action: Action


class Bench:
    """See the module. It owns no task; the agent runs the workers of its ports."""

    def __init__(self, description: BenchDescription, context: BenchContext) -> None:
        self.name = description.name
        self.description = description
        self.workers: dict[str, PortWorker] = {}
        """By the names of their ports; changed by :meth:`attach` only."""
        self.fence = context.journal.journal.fence(description.name)
        """The highest fence seen."""
        self._context = context
        self._time = context.time
        self._interlocks = Interlocks(description)
        self._routes: dict[tuple[str, str], _Route] = {}
        self.safety = BenchSafety(description, context, self.workers, self.cancel)
        """Its stop, its clean-up, and what it does when the gateway stays away."""
        self.describe(description)

    def describe(self, description: BenchDescription) -> None:
        """Take on a changed description: limits, interlocks, texts, depth."""
        self.description = self.safety.description = description
        self._routes.clear()
        before, self._interlocks = self._interlocks, Interlocks(description)
        self._interlocks.adopt(before)
        for worker in self.workers.values():
            worker.agenda.queue.depth = description.queue_depth
        self._judge()

    def attach(self, port: str, worker: PortWorker | None) -> None:
        """Have another worker for a port, or none."""
        self._routes.clear()
        self.workers.pop(port, None)
        if worker is not None:
            self.workers[port] = worker

    # Commands.

    def execute(self, request: Execute, received_ms: float) -> None:
        """Let a command wait for its port, or end it at once."""
        outcomes = self._context.outcomes
        try:
            route = self._routes.get((request.device, request.action)) or self._route(request)
            args, start_by_ms = self._admit(route, request, received_ms)
        except NotStarted as why:
            outcomes.refuse(request.id, why, received_ms)
            return
        execution = Execution(request, route.action, args, received_ms)
        outcomes.open(execution)
        try:
            superseded = route.worker.agenda.submit(execution, start_by_ms)
        except OurError as error:
            outcomes.finish_with(execution, NotStarted(error.code, error.text))
            return
        if superseded is not None:
            outcomes.finish_with(superseded, NotStarted(Code.SUPERSEDED, "A newer value took its place."))

    def cancel(self, predicate: Callable[[Execution], bool], why: NotStarted) -> None:
        """End the commands that the predicate names and that have not begun."""
        for worker in self.workers.values():
            worker.cancel(predicate, why)

    def raise_fence(self, fence: int) -> None:
        """Commands of earlier leases end, and none is taken any more."""
        if fence <= self.fence:
            return
        self.fence = fence
        self._context.journal.write_if_possible(FenceRaised(self.name, fence))
        why = NotStarted(Code.LEASE_ENDED, "The lease that it belonged to has ended.")
        self.cancel(lambda execution: execution.request.fence < fence, why)

    def _admit(self, route: _Route, request: Execute, now_ms: float) -> tuple[dict[str, Value], float]:
        """The checked arguments and the local time by which it must start. Raises :class:`NotStarted`."""
        if request.fence != self.fence:
            if request.fence < self.fence:
                raise NotStarted(Code.STALE_FENCE, "The lease that it belongs to has ended.")
            self.raise_fence(request.fence)
        if route.worker.is_retired:
            raise being_changed()
        action, device = route.action, route.device
        if device.state is not DeviceState.ONLINE:
            code = Code.WRONG_IDENTITY if device.state is DeviceState.WRONG_IDENTITY else Code.DEVICE_OFFLINE
            raise NotStarted(code, device.text or f"{request.device} is being connected.")
        if self.safety.is_stopped and action.kind is not ActionKind.QUERY:
            raise NotStarted(Code.BENCH_STOPPED, "The bench is stopped.")
        if request.mode is CommandMode.LATEST and action.kind is not ActionKind.SET_POINT:
            raise NotStarted(Code.MODE_NOT_ALLOWED, f"{action.name} is no set-point.")
        try:
            args = checked_arguments(action, request.args)
        except ArgumentError as error:
            raise NotStarted(error.code, error.text) from None
        self._refuse_interlocked(request, now_ms)
        start_by_ms = self._time.start_by_ms(request.deadline_ms, now_ms)
        if start_by_ms is None or now_ms >= start_by_ms:
            raise too_late()
        if self._context.journal.journal.lost_records and action.kind is not ActionKind.QUERY:
            sent_at_least_ms = start_by_ms - action.most_time_to_live_ms
            if sent_at_least_ms < self._context.started_ms:
                raise outcome_lost()
        return args, start_by_ms

    def _route(self, request: Execute) -> _Route:
        """Where a command goes, remembered until the bench changes. Raises :class:`NotStarted`."""
        description = self.description.device(request.device)
        worker = self.workers.get(description.port) if description is not None else None
        if description is None or worker is None:
            raise NotStarted(Code.UNKNOWN_DEVICE, f"{self.name} has no device {request.device[:40]!r}.")
        action = description.action(request.action)
        if action is None:
            raise NotStarted(Code.UNKNOWN_ACTION, f"{request.device} has no action {request.action[:40]!r}.")
        route = self._routes[request.device, request.action] = _Route(worker, worker.devices[request.device], action)
        return route

    def _refuse_interlocked(self, request: Execute, now_ms: float) -> None:
        interlock = self._interlocks.forbidding(request.device, request.action, now_ms)
        if interlock is not None:
            raise NotStarted(Code.INTERLOCKED, interlock.text.en)

    # What the workers of the ports call.

    def may_start(self, execution: Execution) -> None:
        """The last look before the first byte. Raises :class:`NotStarted`."""
        if execution.withdrawn is not None:
            raise execution.withdrawn
        request, clock = execution.request, self._time.now_ms
        now_ms = clock()
        self._refuse_interlocked(request, now_ms)
        start_by_ms = self._time.start_by_ms(request.deadline_ms, now_ms)
        if start_by_ms is None or now_ms >= start_by_ms:
            raise too_late()
        if execution.is_query:
            return
        try:
            self._context.journal.write(Started(request.id, self._context.outcomes.unix_ms()))
        except OurError as error:
            raise NotStarted(error.code, error.text) from None
        if clock() >= start_by_ms:  # the disk may have held us up
            raise too_late()

    def device_changed(self, device: AttachedDevice) -> None:
        """A device came, went or turned out to be another."""
        if not device.is_online:
            self._interlocks.forget(device.name)
            self._judge()
        self._context.teller.tell(DeviceChanged(self.name, device.report()))
        if device.is_online:
            self.safety.device_returned()

    def reading_taken(self, device: AttachedDevice, name: str, value: Value) -> None:
        """A property was read."""
        if self._interlocks.take(device.name, name, value, self._time.now_ms()):
            self._judge()

    def round_taken(self, round_: Round, at_ms: float) -> None:
        """A round of readings is complete."""
        time_ms = self._time.on_server(at_ms)
        if time_ms is not None:
            sample = TelemetrySampled(self.name, round_.device, time_ms, round_.values)
            self._context.teller.tell_latest(f"{self.name}.{round_.device}.{round_.poll_ms:g}", sample)

    def decides(self, device: str, name: str) -> bool:
        """Whether an interlock depends on this reading."""
        return f"{device}.{name}" in self._interlocks.names

    def tick(self) -> None:
        """Called regularly: readings grow old, and a safe state that was not reached is tried for again."""
        if self._interlocks.names:
            self._judge()
            if self.safety.has_failed and self._interlocks.wants_safe_state:
                self.safety.make_safe()

    def _judge(self) -> None:
        for change in self._interlocks.evaluate(self._time.now_ms()):
            name = change.interlock.name
            if change.blocking is not change.was_blocking:
                logger.info("%s: interlock %s %s", self.name, name, "blocks" if change.blocking else "blocks no more")
                self._context.teller.tell(InterlockChanged(self.name, name, change.blocking))
            if change.is_met and change.interlock.makes_safe:
                logger.warning("%s: interlock %s brings the bench to its safe state", self.name, name)
                self.safety.make_safe()

    # Reports.

    def report(self) -> BenchReport:
        """How the bench stands, for the gateway."""
        return BenchReport(
            self.description,
            tuple(device.report() for device in self._devices()),
            self.safety.is_stopped,
            self.fence,
            self._interlocks.blocking,
            self.safety.made_safe,
        )

    def health(self) -> Iterable[DeviceHealth]:
        """How the devices have been doing since the last time."""
        for worker in self.workers.values():
            waiting = worker.agenda.waiting_per_device()
            for device in worker.devices.values():
                last_answer_ms = self._time.on_server(device.stats.last_answer_ms)
                yield device.health(self.name, waiting[device.name], last_answer_ms)

    def _devices(self) -> Iterable[AttachedDevice]:
        """In the order of the description."""
        found = {device.name: device for worker in self.workers.values() for device in worker.devices.values()}
        return [found[device.name] for device in self.description.devices if device.name in found]
