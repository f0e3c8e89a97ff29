"""The whole agent: benches from files, a link to the gateway, and an eye on both."""

from __future__ import annotations

import asyncio
import gc
import logging
from types import TracebackType

from devices.agent.agent import Agent, AgentSettings
from devices.agent.bench_files import BenchFiles
from devices.agent.link import GatewayLink, LinkSettings

logger = logging.getLogger(__name__)

WATCH_EVERY_S = 1.0


class AgentService:
    """An agent in a process: ``async with AgentService(settings, files, link) as agent``.

    Without ``link`` whoever enters it speaks to :class:`Agent` directly. ``files`` must have been loaded.
    """

    def __init__(self, settings: AgentSettings, files: BenchFiles, link: LinkSettings | None = None) -> None:
        self._agent = Agent(settings)
        self._files = files
        self._link = link
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Agent:
        """Begin. Raises :class:`OurError` ``storage_failed``."""
        agent = await self._agent.__aenter__()
        await agent.configure(self._files.configs)
        self._tasks.append(asyncio.create_task(self._watch(), name="watch"))
        if self._link is not None:
            link = GatewayLink(self._link, agent, agent.settings.uniform)
            self._tasks.append(asyncio.create_task(link.run(), name="link"))
        return agent

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Bring the benches to their safe state, tell the gateway how everything ended, and go."""
        try:
            await self._agent.retire()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._agent.__aexit__(kind, error, traceback)

    async def _watch(self) -> None:
        """Follow changes of the bench files."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                if self._files.refresh():
                    logger.info("the bench files have changed")
                    await self._agent.configure(self._files.configs)
            except Exception:
                logger.exception("the changed bench files could not be put into force")


async def run_agent(settings: AgentSettings, files: BenchFiles, link: LinkSettings, ended: asyncio.Event) -> None:
    """Be an agent until ``ended`` is set. Raises :class:`OurError` ``storage_failed`` when it cannot begin."""
    async with AgentService(settings, files, link):
        # What is there by now stays: left out, a full collection takes no longer than an exchange.
        gc.collect()
        gc.freeze()
        await ended.wait()
