"""Processes that belong to this one: started, watched, started again when they die, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

_log = logging.getLogger(__name__)

_AGAIN_S = 0.5
_LONGEST_S = 5.0
_END_S = 8.0


class Child:
    """One process that is kept running. ``command`` is asked for its arguments at each start."""

    def __init__(self, name: str, command: Callable[[], Sequence[str]], log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it for good: :meth:`aclose` ends it."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def ready(self, timeout_s: float) -> str:
        """What stood behind ``READY`` in its first line. Raises ``TimeoutError``."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self._ready)

    async def aclose(self) -> None:
        """End the process, gently at first."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                async with asyncio.timeout(_END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _keep(self) -> None:
        delay_s = _AGAIN_S
        while True:
            started = asyncio.get_running_loop().time()
            status = await self._run()
            if asyncio.get_running_loop().time() - started > 10.0 * _LONGEST_S:
                delay_s = _AGAIN_S
            _log.warning("%s has ended (%s) and is started again; see %s", self.name, status, self._log)
            await asyncio.sleep(delay_s)
            delay_s = min(_LONGEST_S, 2.0 * delay_s)

    async def _run(self) -> int:
        # A session of its own: Ctrl-C in the terminal is for us, and we end the children in order.
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._process = process
        if process.stdout is not None:
            async for line in process.stdout:
                word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                if word == "READY" and not self._ready.done():
                    self._ready.set_result(rest)
        return await process.wait()
