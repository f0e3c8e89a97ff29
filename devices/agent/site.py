"""The benches of one lab PC and the tasks that own their ports; all of it can change while the rest goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.agent.attached_device import AttachedDevice
from devices.agent.bench import Bench
from devices.agent.bench_file import BenchConfig, PortConfig, make_driver
from devices.agent.bench_safety import BenchContext
from devices.agent.port_worker import PortSettings, PortWorker
from devices.ports import Transport
from devices.registry import Registry
from devices.transports import PortSpec

logger = logging.getLogger(__name__)

RETIRE_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How drivers and ports come to be."""

    registry: Registry
    open_transport: Callable[[PortSpec], Transport]
    uniform: Callable[[], float]


class Site:
    """See the module. ``group`` owns the tasks; end with :meth:`retire`, then :meth:`close`."""

    def __init__(self, settings: SiteSettings, context: BenchContext, group: asyncio.TaskGroup) -> None:
        self.benches: dict[str, Bench] = {}
        self._settings = settings
        self._context = context
        self._group = group
        self._configs: dict[str, BenchConfig] = {}
        self._tasks: dict[PortWorker, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()

    async def configure(self, configs: Sequence[BenchConfig], *, is_linked: Callable[[], bool]) -> None:
        """Have exactly these benches. Ports whose configuration is the same are left alone, with all that waits."""
        async with self._changing:
            wanted = {config.name: config for config in configs}
            leaving = []
            for name, bench in self.benches.items():
                kept = wanted[name].ports if name in wanted else ()
                leaving += [bench.workers[port.name] for port in self._configs[name].ports if port not in kept]
            await self._end(leaving)
            for bench in self.benches.values():
                for port_name, worker in list(bench.workers.items()):
                    if worker in leaving:
                        bench.attach(port_name, None)
            for name in self.benches.keys() - wanted.keys():
                self.benches.pop(name).safety.close()
            for config in configs:
                self._set_up(config, is_linked())
            self._configs = wanted

    async def retire(self) -> None:
        """Take no more commands and bring every bench to its safe state, as well as can be."""
        await self._end([worker for bench in self.benches.values() for worker in bench.workers.values()])

    def close(self) -> None:
        """End what is left at once."""
        for bench in self.benches.values():
            bench.safety.close()
        for task in self._tasks.values():
            task.cancel()

    def _set_up(self, config: BenchConfig, is_linked: bool) -> None:
        bench = self.benches.get(config.name)
        if bench is None:
            bench = self.benches[config.name] = Bench(config.description, self._context)
            if not is_linked:
                bench.safety.link_lost()
        elif bench.description != config.description:
            bench.describe(config.description)
        for port in config.ports:
            if port.name not in bench.workers:
                self._start(bench, port)

    def _start(self, bench: Bench, port: PortConfig) -> None:
        settings = self._settings
        devices = [
            AttachedDevice(make_driver(settings.registry, port, device), settings.uniform) for device in port.devices
        ]
        outside = PortSettings(self._context.time.now_ms, lambda: settings.open_transport(port.spec), settings.uniform)
        name = f"{bench.name}/{port.name}"
        worker = PortWorker(name, devices, bench.description.queue_depth, bench, self._context.outcomes, outside)
        bench.attach(port.name, worker)
        task = self._group.create_task(worker.run(), name=name)
        self._tasks[worker] = task
        task.add_done_callback(lambda _: self._tasks.pop(worker, None))

    async def _end(self, workers: Sequence[PortWorker]) -> None:
        """Let ports go; each gives its devices' safe state a try."""
        tasks = [self._tasks[worker] for worker in workers if worker in self._tasks]
        for worker in workers:
            worker.retire()
        if not tasks:
            return
        _, stuck = await asyncio.wait(tasks, timeout=RETIRE_WITHIN_S)
        for task in stuck:
            logger.error("%s does not end by itself", task.get_name())
            task.cancel()
        if stuck:
            await asyncio.wait(stuck)
