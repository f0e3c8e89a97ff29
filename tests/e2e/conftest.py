"""The whole demo in its own processes, and browsers on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.e2e.lab_page import LabPage
from tests.peers import require_program

SCREENSHOTS = Path(__file__).parent / "screenshots"

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running ``tongke demo``."""

    url: str
    pid: int

    def kill_gateway(self) -> None:
        """Kill the server outright; the demo starts it again."""
        os.kill(self._child("serve"), signal.SIGKILL)

    def _child(self, word: str) -> int:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            if word.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
        raise LookupError(f"the demo has no process {word!r}")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all journeys, on a free port."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "web.cli", "demo", "--port", "0", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next((line.split()[1] for line in process.stdout if line.startswith("READY ")), "")
        assert url, "the demo did not start"
        yield Demo(url, process.pid)
        process.send_signal(signal.SIGINT)
        process.stdout.read()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = require_program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield browser
        await browser.close()


OpenPage = Callable[..., Awaitable[LabPage]]


@pytest.fixture
async def new_page(browser: Browser, demo: Demo) -> AsyncIterator[OpenPage]:
    """Opens windows, each a visitor of his own. Fails when one of them met an error or broke the page's policy."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def open_page(*, width: int = 1280, height: int = 900, dark: bool = False) -> LabPage:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            has_touch=width < 600,
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said.type, said.text) else None)
        return LabPage(page, demo.url)

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []


def is_complaint(kind: str, text: str) -> bool:
    """Whether the browser complains of the page, and not of a server that a test has just killed."""
    return kind == "error" and "WebSocket connection to" not in text and "ERR_CONNECTION_REFUSED" not in text


@pytest.fixture
def screenshots() -> Path:
    """Where screenshots go, for people to look at; not kept in the repository."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS
