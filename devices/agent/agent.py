"""The agent without its link: benches, ports, journal and outcomes. Words go in, words come out.

Whoever has a link to a gateway (``devices.agent.link``, a test, a benchmark) calls :meth:`Agent.linked`, hands over
each word by :meth:`Agent.receive` at once and calls :meth:`Agent.unlinked` when the link is gone.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from devices.agent.bench import Bench
from devices.agent.bench_file import BenchConfig
from devices.agent.bench_safety import BenchContext
from devices.agent.clock import Clock, ServerTime, boot_id, boottime_ms, unix_ms
from devices.agent.execution import NotStarted, Outcomes, Uplink
from devices.agent.site import Site, SiteSettings
from devices.journal import DEFAULT_JOURNAL, JournalSettings
from devices.journal_file import JournalFile
from devices.messages import (
    FROM_AGENT,
    CancelExecution,
    CleanUpBench,
    ClearBenchStop,
    Execute,
    HealthReported,
    InventoryPublished,
    RaiseFence,
    ResolveExecutions,
    StopBench,
)
from devices.ports import Transport
from devices.registry import Registry
from devices.transports import PortSpec, open_transport
from signaling.errors import Code

logger = logging.getLogger(__name__)

TICK_S = 0.5
HEALTH_EVERY_TICKS = 10


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What an agent needs from outside; the defaults are the real world."""

    name: str
    data_directory: Path
    registry: Registry
    journal: JournalSettings = DEFAULT_JOURNAL
    boot: str = field(default_factory=boot_id)
    clock: Clock = boottime_ms
    unix_ms: Clock = unix_ms
    open_transport: Callable[[PortSpec], Transport] = open_transport
    uniform: Callable[[], float] = random.random


class Agent:
    """Use it as an async context manager; on leaving, every bench is brought to its safe state."""

    def __init__(self, settings: AgentSettings) -> None:
        self.settings = settings
        self.time = ServerTime(settings.clock)
        self._uplink: Uplink | None = None
        self._group = asyncio.TaskGroup()
        self._ticker: asyncio.Task[None] | None = None
        self._unpublished: frozenset[str] = frozenset()

    async def __aenter__(self) -> Agent:
        """Read the journal and begin. Raises :class:`OurError` ``storage_failed``."""
        settings = self.settings
        self._journal = JournalFile.open(settings.data_directory, settings.boot, settings.journal)
        self._outcomes = Outcomes(self._journal, self.time, settings.unix_ms)
        self._outcomes.bury_interrupted()
        context = BenchContext(self.time, self._outcomes, self._journal, self, settings.clock())
        makers = SiteSettings(settings.registry, settings.open_transport, settings.uniform)
        await self._group.__aenter__()
        self._site = Site(makers, context, self._group)
        self._ticker = self._group.create_task(self._tick(), name="tick")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._site.retire()
        finally:
            self._site.close()
            if self._ticker is not None:
                self._ticker.cancel()
            try:
                await self._group.__aexit__(None, None, None)  # what the body raised stays as it is
            finally:
                self._journal.close()

    @property
    def benches(self) -> Mapping[str, Bench]:
        """The benches by name."""
        return self._site.benches

    async def configure(self, configs: Sequence[BenchConfig]) -> None:
        """Have exactly these benches. Ports whose configuration is the same are left alone, with all that waits."""
        await self._site.configure(configs, is_linked=lambda: self._uplink is not None)
        self.publish()

    async def retire(self) -> None:
        """Take no more commands and bring every bench to its safe state, as well as can be."""
        await self._site.retire()

    # The link.

    def linked(self, uplink: Uplink) -> None:
        """There is a link, and the gateway's clock is known: tell the gateway what there is."""
        self._uplink = self._outcomes.uplink = uplink
        self.publish()

    def unlinked(self) -> None:
        """The link is gone. Nothing that waits will run; what runs ends and is remembered."""
        self._uplink = self._outcomes.uplink = None
        for bench in self.benches.values():
            bench.safety.link_lost()

    def tell(self, message: object, *, first: bool = False) -> None:
        """See :class:`devices.agent.bench_safety.Teller`."""
        if self._uplink is not None and getattr(message, "bench", None) not in self._unpublished:
            self._uplink.send(FROM_AGENT.body(message), first=first)

    def tell_latest(self, key: str, message: object) -> None:
        """See :class:`devices.agent.bench_safety.Teller`."""
        if self._uplink is None or getattr(message, "bench", None) in self._unpublished:
            return
        try:
            self._uplink.send_latest(key, FROM_AGENT.body(message))
        except (TypeError, ValueError, OverflowError) as error:  # a driver read what no wire can carry
            logger.error("%s cannot be sent: %s", key, error)

    def publish(self) -> None:
        """Tell the gateway what there is. A bench that is becoming safe by itself follows when that has ended."""
        if self._uplink is None:
            return
        ready = [bench for bench in self.benches.values() if not bench.safety.is_becoming_safe]
        self._unpublished = frozenset(self.benches.keys() - {bench.name for bench in ready})
        reports = tuple(bench.report() for bench in ready)
        self.tell(InventoryPublished(self.settings.name, self.settings.boot, reports))
        for bench in ready:
            bench.safety.link_found()

    # What the gateway says.

    def receive(self, message: object, received_ms: float) -> None:
        """Act on a word from the gateway at once. Words that this agent does not know are ignored."""
        match message:
            case Execute():
                self._execute(message, received_ms)
            case CancelExecution(id=command):
                why = NotStarted(Code.CANCELLED_BY_CALLER, "It was withdrawn.")
                for bench in self.benches.values():
                    bench.cancel(lambda execution: execution.request.id == command, why)
            case ResolveExecutions(ids=ids):
                self._outcomes.resolve(ids)
            case StopBench() | ClearBenchStop() | RaiseFence() | CleanUpBench():
                self._act_on_bench(message)

    def _execute(self, request: Execute, received_ms: float) -> None:
        if self._outcomes.is_open(request.id) or self._outcomes.repeat(request.id):
            return
        bench = self.benches.get(request.bench)
        if bench is None:
            self._outcomes.refuse(request.id, NotStarted(Code.NOT_FOUND, "There is no such bench here."), received_ms)
        else:
            bench.execute(request, received_ms)

    def _act_on_bench(self, message: StopBench | ClearBenchStop | RaiseFence | CleanUpBench) -> None:
        bench = self.benches.get(message.bench)
        if bench is None:
            logger.warning("the gateway speaks of a bench %r that is not here", message.bench[:40])
            return
        match message:
            case StopBench(id=request):
                bench.safety.stop(request)
            case ClearBenchStop(id=request):
                bench.safety.clear_stop(request)
            case RaiseFence(fence=fence):
                bench.raise_fence(fence)
            case CleanUpBench(id=request):
                bench.safety.clean_up(request)

    # Reports.

    async def _tick(self) -> None:
        """What must happen regularly, whatever the ports do."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            for bench in self.benches.values():
                bench.tick()
            if ticks % HEALTH_EVERY_TICKS == 0:
                self._report_health()
            if self._journal.is_due_for_compaction:
                await self._journal.compact()

    def _report_health(self) -> None:
        devices = tuple(health for bench in self.benches.values() for health in bench.health())
        if self.time.follower.is_set:
            error_ms = self.time.follower.error_ms(self.settings.clock())
            self.tell_latest("health", HealthReported(devices, error_ms))
