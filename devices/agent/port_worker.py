"""The owner of one port: opens it, makes sure who is behind it, and does one thing at a time on it.

It runs as one task. Nothing that an instrument or its driver does ends that task; each use of the port has a bound.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from devices.agent.attached_device import AttachedDevice
from devices.agent.clock import Clock
from devices.agent.execution import MAY_HAVE_RUN, Execution, NotStarted, Outcomes, too_late
from devices.agent.polling import Round
from devices.agent.port_agenda import Identifying, PortAgenda, SafeResult, Safing
from devices.agent.port_safety import BrokenOff, bring_to_safety
from devices.agent.port_use import OpenPort, nothing
from devices.conversation import PortConversation
from devices.model import CommandStatus, DeviceState, Lane
from devices.ports import Conversation, Transport
from signaling.backoff import Backoff, BackoffSettings
from signaling.errors import Code, DeviceError, OurError, TongkeError
from signaling.wire import Value

logger = logging.getLogger(__name__)

REOPEN_BACKOFF = BackoffSettings(first_ms=200.0, most_ms=5_000.0)
COMMAND_BOUND_MS = 10_000.0
"""And five times what the action should take."""
READ_BOUND_MS = 10_000.0

NO_SIGN_OF_LIFE = (Code.NO_REPLY, Code.BAD_REPLY)
"""What a device that is switched off, or babbles, makes of every exchange."""

T = TypeVar("T")


class PortHost(Protocol):
    """The bench, as the workers of its ports need it."""

    def may_start(self, execution: Execution) -> None:
        """Called right before the first byte. Raises :class:`NotStarted`."""
        ...

    def device_changed(self, device: AttachedDevice) -> None:
        """A device came, went or turned out to be another."""
        ...

    def reading_taken(self, device: AttachedDevice, name: str, value: Value) -> None:
        """A property was read."""
        ...

    def round_taken(self, round_: Round, at_ms: float) -> None:
        """A round of readings is complete."""
        ...

    def decides(self, device: str, name: str) -> bool:
        """Whether an interlock depends on this reading, so that polling it must not starve."""
        ...


@dataclass(frozen=True, slots=True)
class PortSettings:
    """What a worker needs from outside."""

    clock: Clock
    open_transport: Callable[[], Transport]
    uniform: Callable[[], float]


class PortWorker:
    """See the module. ``run`` it in a task of its own; call everything else from the same event loop."""

    def __init__(
        self,
        name: str,
        devices: Sequence[AttachedDevice],
        depth: int,
        host: PortHost,
        outcomes: Outcomes,
        settings: PortSettings,
    ) -> None:
        self.name = name
        self.devices = {device.name: device for device in devices}
        self.agenda = PortAgenda(depth, settings.clock, self._expired, host.decides)
        self.is_retired = False
        """Whether it takes no more commands."""
        self._host = host
        self._outcomes = outcomes
        self._settings = settings
        self._clock = settings.clock
        self._port: OpenPort | None = None
        self._running: Execution | None = None

    # What the bench asks for.

    def cancel(self, predicate: Callable[[Execution], bool], why: NotStarted) -> None:
        """End the commands that the predicate names, as long as their first byte has not been written."""
        for execution in self.agenda.withdraw(predicate):
            self._outcomes.finish_with(execution, why)
        running = self._running
        if running is not None and predicate(running):
            running.withdrawn = why

    def make_safe(self, lane: Lane, waiter: Callable[[SafeResult], None]) -> None:
        """Bring every device to its safe state and verify it; in the lane ``stop`` before anything else."""
        if self._port is None or self._port.lost is not None:
            waiter(SafeResult(tuple(f"{name}: {device.text or 'not there'}" for name, device in self.devices.items())))
            return
        self.agenda.make_safe(lane, waiter)
        if lane is Lane.STOP:
            self._port.break_off()

    def retire(self) -> None:
        """Have :meth:`run` end: what runs ends, what waits is cancelled, the devices are left in their safe state."""
        if self.is_retired:
            return
        self.is_retired = True
        self.cancel(lambda execution: True, being_changed())
        self.make_safe(Lane.CLEAN_UP, self._report_problems)
        self.agenda.ring()

    # The task.

    async def run(self) -> None:
        """Own the port until retired."""
        backoff = Backoff(self._settings.uniform, REOPEN_BACKOFF)
        try:
            while not self.is_retired:
                try:
                    await self._serve(await self._open(), backoff)
                except DeviceError as error:
                    self._set_all_offline(error)
                except Exception:
                    logger.exception("%s: the port is closed and opened anew after a fault of ours", self.name)
                    self._set_all_offline(OurError(Code.INTERNAL, "A fault of the agent; it has been logged."))
                self._close()
                if not self.is_retired:
                    await self.agenda.wait(backoff.next_ms())
        finally:
            self._close()
            self.cancel(lambda execution: True, being_changed())

    async def _open(self) -> OpenPort:
        transport = self._settings.open_transport()
        codec = next(iter(self.devices.values())).driver.codec
        conversation = PortConversation(transport, codec, clock=self._clock)
        port = OpenPort(transport, conversation)
        conversation.on_lost = lambda error: self._port_lost(port, error)
        await transport.open()
        logger.info("%s: open", self.name)
        self._port = port
        for device in self.devices.values():
            device.identity = ""
            device.backoff.succeeded()
            self._set(device, DeviceState.CONNECTING)
            self.agenda.identify_at(device, self._clock())
        return port

    async def _serve(self, port: OpenPort, backoff: Backoff) -> None:
        while port.lost is None:
            match self.agenda.take():
                case Execution() as execution:
                    await self._execute(port, execution)
                case Round() as round_:
                    await self._read(round_)
                case Safing() as safing:
                    await self._bring_to_safety(port, safing)
                case Identifying(device):
                    await self.identify(device)
                    if device.is_online:
                        backoff.succeeded()
                case None if self.is_retired:
                    return
                case None:
                    await self.agenda.wait()
        raise port.lost

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()
        self.agenda.clear()
        for safing in self.agenda.take_safings():
            _tell(safing, SafeResult(tuple(f"{name}: its port is closed" for name in self.devices)))

    # One thing at a time.

    async def use(
        self,
        device: AttachedDevice,
        act: Callable[[Conversation], Awaitable[T]],
        bound_ms: float,
        before_first_byte: Callable[[], None] = nothing,
        *,
        is_stop: bool = False,
    ) -> T:
        """Let a device's driver talk to it, and keep count; see :meth:`devices.agent.port_use.OpenPort.use`."""
        if self._port is None:
            raise DeviceError(Code.DEVICE_OFFLINE, f"{device.name}: its port is closed.")
        begun_ms = self._clock()
        try:
            result = await self._port.use(device.driver, act, bound_ms, before_first_byte, is_stop=is_stop)
        except TongkeError as error:
            self._note_failure(device, error)
            raise
        now_ms = self._clock()
        device.stats.succeeded(now_ms - begun_ms, now_ms)
        return result

    async def _execute(self, port: OpenPort, execution: Execution) -> None:
        device = self.devices[execution.request.device]
        driver, name, args = device.driver, execution.request.action, execution.args
        bound_ms = COMMAND_BOUND_MS + 5 * execution.action.expected_ms
        begun_ms = self._clock()
        value: Value = None
        failure: TongkeError | None = OurError(Code.GOING_AWAY, "The agent ended.")  # unless it ends otherwise
        self._running = execution
        try:
            value = await port.use(
                driver, lambda io: driver.run(io, name, args), bound_ms, lambda: self._host.may_start(execution)
            )
            failure = None
        except TongkeError as error:
            failure = error
            self._note_failure(device, error)
        finally:
            self._running = None
            conversation = port.conversation
            if conversation.first_byte_ms is not None:
                execution.first_byte_ms = conversation.first_byte_ms
                execution.last_byte_ms = conversation.last_byte_ms
                ended_ms = self._clock()
                execution.service_ms = ended_ms - begun_ms
                if failure is None:
                    device.stats.succeeded(ended_ms - begun_ms, ended_ms)
            self._end(execution, value, failure)

    def _end(self, execution: Execution, value: Value, failure: TongkeError | None) -> None:
        if failure is None:
            self._outcomes.finish(execution, CommandStatus.DONE, value)
        elif isinstance(failure, NotStarted):
            self._outcomes.finish_with(execution, failure)
        elif execution.first_byte_ms is None:
            self._outcomes.finish_with(execution, NotStarted(failure.code, failure.text))
        else:
            is_certain = execution.is_query or failure.code in (Code.DEVICE_REFUSED, Code.NOT_SAFE)
            text = failure.text if is_certain else f"{failure.text} {MAY_HAVE_RUN}"
            self._outcomes.finish(execution, CommandStatus.FAILED, None, failure.code, text)

    async def _read(self, round_: Round) -> None:
        device, name = self.devices[round_.device], round_.next_property
        try:
            value = await self.use(device, lambda io: device.driver.read(io, name), READ_BOUND_MS)
        except TongkeError as error:
            logger.debug("%s.%s: %s", device.name, name, error.text)
        else:
            round_.values[name] = value
            self._host.reading_taken(device, name, value)
        round_.done += 1
        if not self.agenda.go_on_reading(round_) and round_.values and device.is_online:
            self._host.round_taken(round_, self._clock())

    async def identify(self, device: AttachedDevice, *, is_stop: bool = False) -> None:
        """Ask a device what it is, and let it be online when it is the right one."""
        try:
            identity = await self.use(device, device.driver.identify, READ_BOUND_MS, is_stop=is_stop)
        except TongkeError as error:
            if error.code is Code.DEVICE_LOST:
                return
            is_other = error.code is Code.WRONG_IDENTITY
            if error.code is not Code.STOPPED:
                self._set(device, DeviceState.WRONG_IDENTITY if is_other else DeviceState.OFFLINE, error)
            self.agenda.identify_at(device, self._clock() + device.backoff.next_ms())
        else:
            device.identity = identity[:200]
            device.backoff.succeeded()
            if not device.is_online:
                self._set(device, DeviceState.ONLINE)
                self.agenda.start_polling(device.driver.description)

    async def _bring_to_safety(self, port: OpenPort, safing: Safing) -> None:
        is_stop = safing.lane is Lane.STOP
        try:
            result = await bring_to_safety(self, port, self.devices.values(), is_stop=is_stop)
        except BrokenOff:
            for waiter in safing.waiters:
                self.agenda.make_safe(Lane.STOP, waiter)
        else:
            _tell(safing, result)

    # What happens to devices.

    def _port_lost(self, port: OpenPort, error: DeviceError) -> None:
        port.lost = error
        self._set_all_offline(error)
        self.agenda.ring()

    def _set_all_offline(self, error: TongkeError) -> None:
        for device in self.devices.values():
            self._set(device, DeviceState.OFFLINE, error)

    def _set(self, device: AttachedDevice, state: DeviceState, error: TongkeError | None = None) -> None:
        if not device.become(state, error.code if error else None, error.text if error else ""):
            return
        if not device.is_online:
            self.agenda.stop_polling(device.name)
            why = NotStarted(Code.DEVICE_OFFLINE, f"{device.name} went away: {device.text}")
            self.cancel(lambda execution: execution.request.device == device.name, why)
        logger.info("%s/%s is %s: %s", self.name, device.name, state.value, device.text or device.identity)
        self._host.device_changed(device)

    def _note_failure(self, device: AttachedDevice, error: TongkeError) -> None:
        if not isinstance(error, DeviceError) or error.code in (Code.STOPPED, Code.DEVICE_LOST):
            return
        device.stats.failed(answered=error.code not in NO_SIGN_OF_LIFE)
        if device.is_online and device.stats.has_gone_silent:
            self._set(device, DeviceState.OFFLINE, error)
            self.agenda.identify_at(device, self._clock() + device.backoff.next_ms())

    def _expired(self, execution: Execution) -> None:
        self._outcomes.finish_with(execution, too_late())

    def _report_problems(self, result: SafeResult) -> None:
        for problem in result.problems:
            logger.error("%s: left without a verified safe state: %s", self.name, problem)


def being_changed() -> NotStarted:
    """What ends commands whose port is taken out of service."""
    return NotStarted(Code.GOING_AWAY, "The lab is changing this bench.")


def _tell(safing: Safing, result: SafeResult) -> None:
    for waiter in safing.waiters:
        waiter(result)
