"""The programs of the command path, each in a process of its own: instruments, relay, gateway, agent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Program, running
from signaling.tokens import Audience, Grant, Right, sign
from web.app import KEY_FILE
from web.keys import load_keys

BAUD = 9_600
DRIVER = "tongke-probe"
ACTION = "measure"
SETTINGS = """\
commands_per_s = 1000000.0
most_sessions = 20000
"""
"""What is measured is admission, not the rate limit that would refuse before it."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A running gateway, and how to get in."""

    folder: Path
    url: str
    gateway: Program

    def token(self, subject: str, bench: str, *rights: Right) -> str:
        """A person's token for a bench; without ``rights`` for everything that there is."""
        return self._signed(Grant(Audience.BENCH, subject, subject, (bench,), frozenset(rights or Right), _until_s()))

    def agent_token(self, benches: Sequence[str]) -> str:
        """A lab PC's token."""
        return self._signed(Grant(Audience.AGENT, "lab", "lab", tuple(benches), frozenset(), _until_s()))

    def _signed(self, grant: Grant) -> str:
        return sign(grant, load_keys(self.folder / "data" / KEY_FILE), now_s=time.time())


@contextlib.contextmanager
def instruments(folder: Path, count: int, *, baud: int | None) -> Iterator[list[str]]:
    """So many simulated instruments on ptys, in one process; their paths. ``baud`` None: as fast as they can."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["-m", "devices.sim", "--kind", "probe", "--copies", str(count), "--link", str(folder / "ptys")]
    if baud is not None:
        arguments += ["--baud", str(baud)]
    with running(arguments, ready="{", log=folder / "instruments.log") as program:
        yield list(json.loads(program.ready)["ports"].values())


@contextlib.contextmanager
def gateway(folder: Path, module: str = "web.cli", *options: str) -> Iterator[Rig]:
    """A gateway without agents."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "gateway.toml"
    settings.write_text(SETTINGS)
    arguments = ["-m", module, "serve", "--port", "0", "--data", str(folder / "data"), "--settings", str(settings)]
    with running([*arguments, *options], ready="READY", log=folder / "gateway.log") as program:
        yield Rig(folder, program.ready.split()[1], program)


@contextlib.contextmanager
def agent(rig: Rig, paths: Sequence[str], *, url: str | None = None, depth: int = 32) -> Iterator[Program]:
    """An agent with one bench (``bench-00``, ``bench-01``…) for each instrument; ``url`` leads through a relay.

    ``depth`` is how many commands may wait at each port.
    """
    names = [f"bench-{number:02d}" for number in range(len(paths))]
    token = rig.folder / "agent.token"
    token.write_text(rig.agent_token(names))
    arguments = ["-m", "web.cli", "agent", "--gateway", url or rig.url, "--token-file", str(token)]
    arguments += ["--data", str(rig.folder / "agent"), "--quiet"]
    for name, path in zip(names, paths, strict=True):
        arguments += ["--bench", str(_bench_file(rig.folder, name, path, depth))]
    with running(arguments, ready=None, log=rig.folder / "agent.log") as program:
        yield program


@contextlib.contextmanager
def relay(url: str, one_way_ms: float) -> Iterator[str]:
    """The gateway's address behind a link of that delay."""
    command = [sys.executable, "-m", "tests.relay", "--to", url.rpartition(":")[2], "--delay-ms", str(one_way_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tongke-bench-") as folder:
        yield Path(folder)


def _bench_file(folder: Path, name: str, path: str, depth: int) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(
        f'[bench]\nname = "{name}"\ntitle = {{ en = "{name}", zh = "{name}" }}\nqueue_depth = {depth}\n\n'
        f'[[port]]\nname = "port"\npath = "{path}"\nbaud = {BAUD}\n\n'
        f'[[device]]\nname = "probe"\ndriver = "{DRIVER}"\nport = "port"\n'
    )
    return file


def _until_s() -> float:
    return time.time() + 3_600
