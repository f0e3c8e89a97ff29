"""The lab console as a person uses it: the page object of all journeys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

AXE = Path(__file__).parents[2] / "web/frontend/node_modules/axe-core/axe.min.js"


class Panel:
    """The instruments of a bench: what can be turned and read. Methods wait until the page shows what was asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def device(self, title: str) -> Locator:
        """An instrument's card."""
        return self.page.get_by_role("article", name=title, exact=True)

    def knob(self, title: str) -> Locator:
        """A set-point's knob."""
        return self.page.get_by_role("slider", name=title, exact=True)

    async def switch(self, title: str, *, on: bool) -> None:
        """Put a switch where it should be and wait until it is there and confirmed."""
        switch = self.page.get_by_role("switch", name=title)
        if (await switch.get_attribute("aria-checked") == "true") != on:
            await switch.click()
        await expect(switch).to_have_attribute("aria-checked", str(on).lower())
        await self.is_settled()

    async def is_settled(self) -> None:
        """Nothing of this window's is on its way any more."""
        await expect(self.page.locator(".tile[data-pending=true]")).to_have_count(0)

    async def press_on_knob(self, title: str, key: str, times: int = 1) -> None:
        """Turn a knob by keyboard."""
        await self.knob(title).focus()
        for _ in range(times):
            await self.page.keyboard.press(key)
        await self.is_settled()

    async def drag_knob(self, title: str, upwards_px: float) -> None:
        """Turn a knob by mouse; upwards is more."""
        await self.knob(title).scroll_into_view_if_needed()
        box = await self.knob(title).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await self.page.mouse.move(x, y)
        await self.page.mouse.down()
        await self.page.mouse.move(x, y - upwards_px, steps=20)
        await self.page.mouse.up()
        await self.is_settled()

    async def wanted(self, title: str) -> float:
        """Where a knob stands."""
        return float(await self.knob(title).get_attribute("aria-valuenow") or "nan")

    async def reads(self, device: str, title: str, low: float, high: float) -> None:
        """Wait until an instrument's reading lies between two bounds."""
        await self._number_between(self.device(device).locator(".reading", has_text=title).locator("dd"), low, high)

    async def plot_shows(self, curve: str, low: float, high: float) -> None:
        """Wait until the highest point of a curve, as its plot knows it, lies between two bounds."""
        row = self.page.locator(".curves tbody tr", has_text=curve)
        await self._number_between(row.locator("td").nth(2), low, high)

    async def _number_between(self, where: Locator, low: float, high: float) -> None:
        await expect(where).to_have_count(1)
        handle = await where.element_handle()
        await self.page.wait_for_function(
            """([element, low, high]) => {
                const number = parseFloat(element.textContent.replace("−", "-"));
                return low <= number && number <= high;
            }""",
            arg=[handle, low, high],
            timeout=20_000,
        )


class LabPage(Panel):
    """One window on a bench."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page)
        self._url = url

    # Getting there.

    def address(self, path: str) -> str:
        """The full address of a path on the demo's server."""
        return self._url + path

    async def open(self, bench: str, role: str, *, language: str = "en") -> None:
        """Enter by the demo's short address and wait until the bench can be used."""
        await self.page.add_init_script(f"localStorage.setItem('tongke.language', '{language}')")
        await self.page.goto(f"{self._url}/demo/{bench}/{role}")
        await self.is_connected()

    async def open_with_token(self, bench: str, token: str) -> None:
        """Enter by a link with a token of one's own, good or bad."""
        await self.page.goto(f"{self._url}/lab/{bench}#token={token}")

    async def is_connected(self) -> None:
        """The bench is there and the connection is open."""
        await expect(self.page.locator(".console[data-ready=true]")).to_be_visible(timeout=20_000)
        await expect(self.page.locator(".round-trip")).to_contain_text("ms", timeout=20_000)

    async def is_disconnected(self) -> None:
        """The panel is kept, and the page says that the connection is away."""
        await expect(self.page.locator(".console[data-ready=false]")).to_be_visible(timeout=20_000)

    # Control and stop.

    async def take_control(self) -> None:
        """Take the bench, and lift a stop that an earlier visitor may have left."""
        await self.page.get_by_role("button", name="Take control").click()
        await expect(self.page.locator(".control[data-mine=true]")).to_be_visible()
        if await self.stopped_banner.is_visible():
            await self.clear_stop()

    async def release_control(self) -> None:
        """Give the bench back and wait until it has been cleaned up."""
        await self.page.get_by_role("button", name="Release").click()
        await expect(self.page.locator(".bench-state[data-state=online]")).to_be_visible(timeout=20_000)

    async def press_stop(self) -> None:
        """Press Stop and wait until the bench is stopped."""
        await self.page.get_by_role("button", name="Stop", exact=True).click()
        await expect(self.stopped_banner).to_be_visible()

    async def clear_stop(self) -> None:
        """Lift the stop."""
        await self.page.get_by_role("button", name="Clear the stop").click()
        await expect(self.stopped_banner).to_be_hidden()

    @property
    def stopped_banner(self) -> Locator:
        """What says that the bench is stopped."""
        return self.page.locator(".banner-stop")

    async def speak(self, language: str) -> None:
        """Choose another language."""
        await self.page.get_by_role("button", name=language).click()

    # Looking at it.

    async def accessibility_faults(self) -> list[str]:
        """What axe finds, as rule and place."""
        if not await self.page.evaluate("'axe' in window"):
            # Not by a script tag: the page's policy rightly forbids that.
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        result: dict[str, Any] = await self.page.evaluate("axe.run()")
        return [f"{fault['id']}: {node['target']}" for fault in result["violations"] for node in fault["nodes"]]

    async def has_no_sideways_scrolling(self) -> None:
        """Everything fits the window's width."""
        width = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"the page is {width} px too wide"

    async def log_has(self, text: str | re.Pattern[str]) -> None:
        """Wait until the log has a line with this text."""
        await expect(self.page.locator(".log-line").filter(has_text=text).first).to_be_visible()
