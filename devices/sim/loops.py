"""Which event loop a simulation of its own runs in."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable


def loop_factory(*, exact: bool) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop with timers finer than the millisecond of epoll and uvloop, or else the fastest there is."""
    if exact:
        return lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
