"""``tongke agent``: the program on the lab PC."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from devices.agent.agent import AgentSettings
    from devices.agent.bench_files import BenchFiles
    from devices.agent.link import LinkSettings

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "agent",
        help="run on the lab PC: connect its instruments to the server",
        description="Own the ports of one or more benches and connect them to the server. No port needs to be open: "
        "the agent dials out. See docs/agent.md.",
    )
    parser.add_argument(
        "--bench", type=Path, action="append", required=True, metavar="FILE", help="a bench file, or a folder of them"
    )
    parser.add_argument("--gateway", metavar="URL", help="the server, for example https://lab.example.org")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a file that holds this lab PC's token")
    parser.add_argument("--token", metavar="TOKEN", help="the token itself; better in a file or in TONGKE_TOKEN")
    parser.add_argument("--data", type=Path, default=Path("tongke-agent"), metavar="DIR", help="where the journal is")
    parser.add_argument("--name", default=socket.gethostname(), help="what the server calls this lab PC in its reports")
    parser.add_argument(
        "--port", action="append", default=[], metavar="NAME=PATH", help="where a port of the bench file really is"
    )
    parser.add_argument("--check", action="store_true", help="only read the bench files and list their mistakes")
    parser.add_argument("--verbose", action="store_true", help="log everything that an instrument says wrong")
    parser.add_argument("--quiet", action="store_true", help="log warnings only")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Be the agent until interrupted; 2 when something that was given is wrong."""
    from devices.agent.agent import AgentSettings
    from devices.agent.bench_files import BenchFiles
    from devices.registry import installed_drivers
    from signaling.errors import OurError

    registry = installed_drivers()
    for name, why in registry.broken.items():
        sys.stderr.write(f"tongke agent: the driver {name} cannot be loaded: {why}\n")
    files = BenchFiles(options.bench, registry, dict(port.split("=", 1) for port in options.port if "=" in port))
    mistakes = files.load()
    mistakes += [f"--port {port}: write NAME=PATH" for port in options.port if "=" not in port]
    if options.check:
        return _report(files, mistakes)
    try:
        link = None if mistakes else _link_settings(options)
    except ValueError as error:
        mistakes.append(str(error))
        link = None
    if link is None:
        sys.stderr.writelines(f"tongke agent: {mistake}\n" for mistake in mistakes)
        return 2
    try:
        _serve(AgentSettings(options.name, options.data, registry), files, link, options)
    except OurError as error:
        sys.stderr.write(f"tongke agent: {error.text}\n")
        return 1
    return 0


def _report(files: BenchFiles, mistakes: list[str]) -> int:
    for config in files.configs:
        devices = ", ".join(f"{device.name} ({device.driver})" for device in config.description.devices)
        sys.stdout.write(f"{config.name}: {devices}\n")
    sys.stderr.writelines(f"{mistake}\n" for mistake in mistakes)
    return 2 if mistakes else 0


def _link_settings(options: argparse.Namespace) -> LinkSettings:
    from devices.agent.link import LinkSettings

    if not options.gateway:
        raise ValueError("--gateway is missing")
    parts = urlsplit(options.gateway)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(f"--gateway {options.gateway}: write it like https://lab.example.org")
    path = parts.path if parts.path.strip("/") else "/agent/socket"
    url = urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, "", ""))
    return LinkSettings(url, _token(options))


def _token(options: argparse.Namespace) -> str:
    token = options.token or os.environ.get("TONGKE_TOKEN", "")
    if options.token_file is not None:
        try:
            token = options.token_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"--token-file {options.token_file}: {error}") from error
    if not token.strip():
        raise ValueError("there is no token: give --token-file, or TONGKE_TOKEN in the environment")
    return str(token.strip())


def _serve(settings: AgentSettings, files: BenchFiles, link: LinkSettings, options: argparse.Namespace) -> None:
    import contextlib
    import logging
    import signal

    from devices.agent.service import run_agent

    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def serve() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await run_agent(settings, files, link, ended)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve())


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
