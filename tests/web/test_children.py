from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from web.children import Child

READY = "import sys, time; print('READY', sys.argv[1], flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('READY', flush=True); time.sleep(60)"
)


def program(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


async def test_a_child_says_when_it_is_ready_and_is_ended(tmp_path: Path) -> None:
    child = Child("child", lambda: program(READY, "here"), tmp_path / "child.log")
    await child.start()
    assert await child.ready(20.0) == "here"
    pid = child.pid
    assert pid is not None
    await child.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await child.aclose()


async def test_a_child_that_dies_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.children._AGAIN_S", 0.01)
    starts: asyncio.Queue[int] = asyncio.Queue()

    def command() -> list[str]:
        starts.put_nowait(0)
        return program(READY, "here")

    child = Child("child", command, tmp_path / "child.log")
    await child.start()
    await starts.get()
    await child.ready(20.0)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    await starts.get()
    await child.aclose()


async def test_what_a_child_complains_about_is_kept(tmp_path: Path) -> None:
    code = "import sys, time; sys.stderr.write('ouch\\n'); print('READY', flush=True); time.sleep(60)"
    child = Child("child", lambda: program(code), tmp_path / "child.log")
    await child.start()
    await child.ready(20.0)
    await child.aclose()
    assert (tmp_path / "child.log").read_text() == "ouch\n"


async def test_a_child_that_never_gets_ready_is_a_timeout(tmp_path: Path) -> None:
    child = Child("child", lambda: program("import time; time.sleep(60)"), tmp_path / "child.log")
    await child.start()
    with pytest.raises(TimeoutError):
        await child.ready(0.01)
    await child.aclose()


async def test_a_child_that_does_not_want_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.children._END_S", 0.05)
    child = Child("child", lambda: program(STUBBORN), tmp_path / "child.log")
    await child.start()
    await child.ready(20.0)
    await child.aclose()
    assert child.pid is None
