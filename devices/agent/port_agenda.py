"""What one port has to do next: commands that wait, polling and identity checks that come due, clean-up and stop.

Everything waits in one :class:`CommandQueue`. One timer ends what has waited too long, also while the port is busy, and
one bell wakes the worker.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from devices.agent.attached_device import AttachedDevice
from devices.agent.clock import Clock
from devices.agent.execution import Execution
from devices.agent.polling import PollPlan, Round
from devices.model import DeviceDescription, Lane
from devices.queue import CommandQueue, Waiting

IDENTIFY_WITHIN_MS = 2_000.0


@dataclass(frozen=True, slots=True)
class SafeResult:
    """What came of bringing a port's devices to their safe state; no problems means verified."""

    problems: tuple[str, ...]
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None


@dataclass(slots=True, eq=False)
class Safing:
    """Bring every device of the port to its safe state and verify it, then tell who waits for it."""

    lane: Lane
    waiters: list[Callable[[SafeResult], None]]


@dataclass(slots=True, eq=False)
class Identifying:
    """Ask a device what it is."""

    device: AttachedDevice


Work: TypeAlias = Execution | Safing | Round | Identifying


class PortAgenda:
    """See the module. ``on_expired`` hears of commands that waited in vain; ``decides`` names what must not starve."""

    def __init__(
        self,
        depth: int,
        clock: Clock,
        on_expired: Callable[[Execution], None],
        decides: Callable[[str, str], bool],
    ) -> None:
        self._queue = CommandQueue(depth)
        self._next: Waiting | None = None
        """What came while nothing else was to be done: it goes straight to the worker unless something overtakes it."""
        self._clock = clock
        self._on_expired = on_expired
        self._decides = decides
        self._plan = PollPlan()
        self._urgent: deque[Round | Identifying] = deque()
        self._identify_at_ms: dict[str, tuple[float, AttachedDevice]] = {}
        self._bell: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_ms = math.inf

    @property
    def queue(self) -> CommandQueue:
        """Everything that waits."""
        entry, self._next = self._next, None
        if entry is not None:
            self._queue.push(entry)
        return self._queue

    def submit(self, execution: Execution, start_by_ms: float) -> Execution | None:
        """Let a command wait, and return the one that it supersedes. Raises :class:`OurError` ``queue_full``."""
        request = execution.request
        lane = Lane.QUERY if execution.is_query else Lane.CONTROL
        target = f"{request.device}.{request.action}"
        entry = Waiting(request.id, lane, start_by_ms, request.owner, request.mode, target, execution)
        if self._bell is not None and self._next is None and not self._queue and not self._urgent:
            self._next = entry
            self.ring()
            return None
        superseded = self.queue.push(entry)
        if not self.ring() and start_by_ms < self._timer_at_ms:
            self._arm(start_by_ms)
        return superseded.payload if superseded is not None else None  # type: ignore[return-value]  # as pushed above

    def withdraw(self, predicate: Callable[[Execution], bool]) -> list[Execution]:
        """Take out the waiting commands that the predicate names."""
        entries = self.queue.cancel(lambda entry: isinstance(entry.payload, Execution) and predicate(entry.payload))
        return [entry.payload for entry in entries if isinstance(entry.payload, Execution)]

    def make_safe(self, lane: Lane, waiter: Callable[[SafeResult], None]) -> None:
        """Have the safe state brought about; who asks while the same still waits shares its result."""
        name = f"~{lane.value}"
        waiting = next((e.payload for e in self.queue.cancel(lambda entry: entry.id == name)), None)
        safing = waiting if isinstance(waiting, Safing) else Safing(lane, [])
        safing.waiters.append(waiter)
        self.queue.push(Waiting(name, lane, math.inf, payload=safing))
        self.ring()

    def take_safings(self) -> list[Safing]:
        """Take out all that waits to bring about the safe state."""
        entries = self.queue.cancel(lambda entry: isinstance(entry.payload, Safing))
        return [entry.payload for entry in entries if isinstance(entry.payload, Safing)]

    def waiting_per_device(self) -> Counter[str]:
        """How many commands wait for each device."""
        waiting = (entry.payload for entry in self.queue.in_order())
        return Counter(work.request.device for work in waiting if isinstance(work, Execution))

    def start_polling(self, description: DeviceDescription) -> None:
        """Read a device's properties from now on, each as often as it says."""
        self._plan.add(description, self._clock())
        self._arm_for_next()

    def stop_polling(self, device: str) -> None:
        """Read a device no more."""
        self._plan.remove(device)
        self.queue.cancel(lambda entry: isinstance(entry.payload, Round) and entry.payload.device == device)

    def go_on_reading(self, round_: Round) -> bool:
        """Have the next property of a round read; False when the round is complete or its device has gone."""
        if not self._plan.holds(round_):
            return False
        now_ms = self._clock()
        if round_.is_complete:
            self._plan.finish(round_, now_ms)
            self._arm_for_next()
            return False
        name = f"~{round_.device}.{round_.next_property}"
        self.queue.push(Waiting(name, Lane.POLLING, now_ms + round_.poll_ms, payload=round_))
        return True

    def identify_at(self, device: AttachedDevice, at_ms: float) -> None:
        """Have a device's identity asked for at that time."""
        self._identify_at_ms[device.name] = (at_ms, device)
        self._arm_for_next()

    def take(self) -> Work | None:
        """What is to be done now."""
        entry = self._next
        if entry is not None and not self._queue:
            self._next = None
            return entry.payload  # type: ignore[return-value]  # only Work is ever pushed
        self._expire()
        if self._urgent and not self.queue.waiting_in(Lane.STOP) and not self.queue.waiting_in(Lane.CLEAN_UP):
            return self._urgent.popleft()
        entry = self.queue.pop()
        if entry is None:
            return None
        if len(self.queue):
            self._arm_for_next()
        return entry.payload  # type: ignore[return-value]  # only Work is ever pushed

    async def wait(self, at_most_ms: float | None = None) -> None:
        """Sleep until the bell rings, or for so long."""
        loop = asyncio.get_running_loop()
        self._bell = loop.create_future()
        timer = None if at_most_ms is None else loop.call_later(at_most_ms / 1_000.0, self.ring)
        try:
            await self._bell
        finally:
            self._bell = None
            if timer is not None:
                timer.cancel()

    def ring(self) -> bool:
        """Wake the worker; whether it slept."""
        if self._bell is None:
            return False
        if not self._bell.done():
            self._bell.set_result(None)
        return True

    def clear(self) -> None:
        """Forget polling, identity checks and the timer: the port has closed."""
        self._plan = PollPlan()
        self._urgent.clear()
        self._identify_at_ms.clear()
        self.queue.cancel(lambda entry: isinstance(entry.payload, Round | Identifying))
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at_ms = None, math.inf

    def _expire(self) -> None:
        """End what has waited too long. Checks that others depend on are not dropped but go first instead."""
        deadline_ms, now_ms = self.queue.next_deadline_ms, self._clock()
        if deadline_ms is None or now_ms < deadline_ms:
            return
        for entry in self.queue.expire(now_ms):
            match entry.payload:
                case Execution() as execution:
                    self._on_expired(execution)
                case Identifying() as identifying:
                    self._urgent.append(identifying)
                case Round() as round_ if self._decides(round_.device, round_.next_property):
                    self._urgent.append(round_)
                case Round() as round_:
                    round_.done += 1
                    self.go_on_reading(round_)

    def _tick(self) -> None:
        self._timer, self._timer_at_ms = None, math.inf
        self._expire()
        now_ms = self._clock()
        for round_ in self._plan.due(now_ms):
            self.go_on_reading(round_)
        for name, (at_ms, device) in list(self._identify_at_ms.items()):
            if at_ms <= now_ms:
                del self._identify_at_ms[name]
                entry = Waiting(f"~{name}", Lane.POLLING, now_ms + IDENTIFY_WITHIN_MS, payload=Identifying(device))
                if entry.id not in self.queue:
                    self.queue.push(entry)
        self._arm_for_next()
        if len(self.queue) or self._urgent:
            self.ring()

    def _arm_for_next(self) -> None:
        times = [at_ms for at_ms, _ in self._identify_at_ms.values()]
        times += [at_ms for at_ms in (self.queue.next_deadline_ms, self._plan.next_due_ms) if at_ms is not None]
        at_ms = min(times, default=math.inf)
        if at_ms < self._timer_at_ms:
            self._arm(at_ms)

    def _arm(self, at_ms: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_ms = at_ms
        delay_s = max(0.0, at_ms - self._clock()) / 1_000.0
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)
