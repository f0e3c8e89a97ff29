"""The demo: simulated instruments, a lab PC's agent and the server, each in its own process, kept running together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from signaling.tokens import Audience, Grant, sign
from web.app import KEY_FILE
from web.children import Child
from web.demo_instruments import KINDS, bench_file, ports_of
from web.keys import load_keys

_START_S = 30.0
_AGENT = "demo-lab"


async def run_demo(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Run everything until SIGINT or SIGTERM; ``announce`` is called with the address when the benches are there.

    Raises ``TimeoutError`` when a part does not start.
    """
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    ports, server = folder / "ports", folder / "server"
    token_file = _agent_token(server, folder / "agent.token")
    url = f"http://127.0.0.1:{port}"
    instruments = Child("instruments", lambda: _module("web.demo_instruments", str(ports)), folder / "instruments.log")
    gateway = Child("server", lambda: _serve(url, server), folder / "server.log")
    agent = Child("agent", lambda: _agent(url, ports, token_file, folder / "agent"), folder / "agent.log")
    async with contextlib.AsyncExitStack() as stack:
        for child in (gateway, instruments):
            stack.push_async_callback(child.aclose)
            await child.start()
        # From now on the port is fixed: a server that is started again must be found where it was.
        url = await gateway.ready(_START_S)
        await instruments.ready(_START_S)
        stack.push_async_callback(agent.aclose)
        await agent.start()
        if await _until_online(url, ended):
            announce(url)
        await ended.wait()


def _agent_token(server: Path, path: Path) -> Path:
    server.mkdir(parents=True, exist_ok=True)
    keys = load_keys(server / KEY_FILE)
    now_s = time.time()
    grant = Grant(Audience.AGENT, _AGENT, _AGENT, KINDS, frozenset(), now_s + 365 * 86_400)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(sign(grant, keys, now_s=now_s))
    return path


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _serve(url: str, data: Path) -> list[str]:
    port = url.rpartition(":")[2]
    return _module("web.cli", "serve", "--demo", "--host", "127.0.0.1", "--port", port, "--data", str(data))


def _agent(url: str, ports: Path, token_file: Path, data: Path) -> list[str]:
    benches = [option for kind in KINDS for option in ("--bench", str(bench_file(kind)))]
    paths = {name: path for kind in KINDS for name, path in ports_of(kind, ports).items()}
    given = [option for name, path in paths.items() for option in ("--port", f"{name}={path}")]
    link = ["--gateway", url, "--token-file", str(token_file), "--name", _AGENT, "--data", str(data)]
    return _module("web.cli", "agent", *benches, *given, *link)


async def _until_online(url: str, ended: asyncio.Event) -> bool:
    """Wait until the server sees every bench. Raises ``TimeoutError``."""
    async with asyncio.timeout(_START_S):
        while not ended.is_set():
            if await asyncio.to_thread(_benches_online, url) >= len(KINDS):
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await ended.wait()
    return False


def _benches_online(url: str) -> int:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2.0) as answer:  # noqa: S310  # our own server's address
            return int(json.load(answer)["benches_online"])
    except (OSError, ValueError, KeyError):
        return 0
