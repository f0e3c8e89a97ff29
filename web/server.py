"""Running the composed application: one event loop, one listening port, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys

from aiohttp import web

from web.app import build_app, tls_context
from web.settings import Settings

_SHUTDOWN_S = 3.0


def serve(settings: Settings, *, demo: bool = False, quiet: bool = False) -> int:
    """Serve until SIGINT or SIGTERM. Prints ``READY`` and the address once it listens. Raises ``OSError``."""
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, demo))
    return 0


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


async def _serve(settings: Settings, demo: bool) -> None:
    tls = tls_context(settings)
    runner = web.AppRunner(build_app(settings, demo=demo), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls, backlog=1_024)
        await site.start()
        # What is there by now stays: left out, a full garbage collection no longer holds everybody up for 20 ms.
        gc.collect()
        gc.freeze()
        scheme = "https" if tls else "http"
        host, port = runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"READY {scheme}://{shown}:{port}\n")
        sys.stdout.flush()
        await _interrupted()
    finally:
        await runner.cleanup()


async def _interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
