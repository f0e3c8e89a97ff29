"""Whole journeys through the lab console: real browser, gateway, agent, serial ports and simulated instruments."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Demo, OpenPage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SUPPLY, METER = "Power supply", "Multimeter"


async def test_a_student_turns_the_lamp_up_an_observer_sees_it_and_stop_drops_it(new_page: OpenPage) -> None:
    student, observer = await new_page(), await new_page()
    await student.open("lamp", "student")
    await observer.open("lamp", "observer")
    await student.take_control()
    await student.switch("Switch the output", on=True)

    await student.press_on_knob("Set voltage", "PageUp", times=20)
    assert await student.wanted("Set voltage") == pytest.approx(2.0)
    await student.reads(SUPPLY, "Voltage", 1.9, 2.1)

    await student.drag_knob("Set voltage", upwards_px=60)
    wanted = await student.wanted("Set voltage")
    assert 4.0 < wanted < 9.0
    await student.reads(SUPPLY, "Voltage", wanted - 0.1, wanted + 0.1)
    await student.reads(METER, "Current", 0.02, 1.5)
    await student.plot_shows(f"Voltage, {SUPPLY}", wanted - 0.1, wanted + 0.1)

    await observer.reads(SUPPLY, "Voltage", wanted - 0.1, wanted + 0.1)
    await expect(observer.knob("Set voltage")).to_have_attribute("aria-valuenow", f"{wanted:g}")
    await expect(observer.knob("Set voltage")).to_have_attribute("aria-disabled", "true")
    await observer.log_has("Set voltage")
    await expect(observer.page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)

    await student.press_stop()
    await student.reads(SUPPLY, "Voltage", -0.05, 0.05)
    await observer.reads(SUPPLY, "Voltage", -0.05, 0.05)
    await expect(observer.stopped_banner).to_be_visible()
    await student.clear_stop()
    await expect(observer.stopped_banner).to_be_hidden()
    await student.release_control()


async def test_escape_pressed_twice_stops_the_bench(new_page: OpenPage) -> None:
    student = await new_page()
    await student.open("resonance", "student")
    await student.take_control()
    await student.page.keyboard.press("Escape")
    await student.page.keyboard.press("Escape")
    await expect(student.stopped_banner).to_be_visible()
    await student.clear_stop()
    await student.release_control()


async def test_a_killed_gateway_is_survived_with_the_panel_kept(new_page: OpenPage, demo: Demo) -> None:
    student = await new_page()
    await student.open("motor", "student")
    await student.take_control()
    demo.kill_gateway()
    await student.is_disconnected()
    knob = student.knob("Drive by voltage")
    await expect(knob).to_have_attribute("aria-disabled", "true")
    await student.is_connected()
    await expect(student.page.locator(".device-state[data-state=online]")).to_be_visible(timeout=20_000)
    await expect(student.page.locator(".control[data-mine=true]")).to_be_visible()
    await student.release_control()


@pytest.mark.parametrize(("token", "title"), [("nonsense", "This link is not valid"), ("", "A link is needed")])
async def test_a_link_that_does_not_open_the_bench_says_what_to_do(new_page: OpenPage, token: str, title: str) -> None:
    stranger = await new_page()
    await stranger.open_with_token("lamp", token)
    await expect(stranger.page.get_by_role("heading", level=1)).to_have_text(title)
    assert await stranger.accessibility_faults() == []


async def test_the_token_leaves_the_address_and_survives_a_reload(new_page: OpenPage) -> None:
    student = await new_page()
    await student.open("plate", "student")
    assert student.page.url.endswith("/lab/plate")
    await student.page.reload()
    await student.is_connected()


async def test_an_interlock_that_trips_is_explained(new_page: OpenPage) -> None:
    student = await new_page()
    await student.open("lamp", "student")
    await student.take_control()
    await student.press_on_knob("Set voltage", "End")
    await student.page.get_by_role("switch", name="Switch the output").click()
    await student.log_has("More than 10 V across the lamp: it would burn out.")
    await student.reads(METER, "Voltage", -0.05, 0.05)
    await student.release_control()


async def test_a_value_out_of_limits_is_refused_at_once(new_page: OpenPage) -> None:
    student = await new_page()
    await student.open("lamp", "student")
    await student.take_control()
    field = student.page.get_by_role("textbox", name="Set voltage (V)")
    await field.fill("99")
    await field.press("Enter")
    await expect(student.page.get_by_text("Between 0 V and 16 V.")).to_be_visible()
    await student.release_control()


async def test_a_scope_trace_is_drawn_and_can_be_taken_home(new_page: OpenPage, tmp_path: Path) -> None:
    student = await new_page()
    await student.open("resonance", "student")
    await student.take_control()
    await student.switch("Switch the output", on=True)
    await student.page.get_by_role("button", name="Read a trace: Read").click()
    trace = student.page.get_by_role("img", name=re.compile("Read a trace: 500 points"))
    await expect(trace).to_be_visible()
    async with student.page.expect_download() as download:
        await student.page.get_by_role("button", name=re.compile("Read a trace: Download")).click()
    await (await download.value).save_as(tmp_path / "trace.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "trace.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0][0] == "x1 (s)"
    assert len(rows) == 501
    await student.release_control()


async def test_telemetry_can_be_paused_marked_and_taken_home(new_page: OpenPage, tmp_path: Path) -> None:
    observer = await new_page()
    await observer.open("lamp", "observer")
    page = observer.page
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused").first).to_be_visible()
    plot = page.get_by_role("group", name=re.compile("Plot of Voltage")).first
    await plot.focus()
    for key in ("ArrowLeft", "Enter", "ArrowLeft", "ArrowLeft", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("columnheader", name="B − A").first).to_contain_text("1 s")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download all data as CSV").click()
    await (await download.value).save_as(tmp_path / "data.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "data.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0][:3] == ["time_utc", "seconds", "Power supply Voltage (V)"]
    assert len(rows) > 3


async def test_the_language_can_be_changed_and_is_remembered(new_page: OpenPage) -> None:
    observer = await new_page()
    await observer.page.goto(observer.address("/demo/lamp/observer"))
    await observer.is_connected()
    await observer.speak("中文")
    await expect(observer.knob("设定电压")).to_be_visible()
    await expect(observer.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await observer.page.reload()
    await expect(observer.knob("设定电压")).to_be_visible()


async def test_the_start_page_leads_to_a_bench(new_page: OpenPage) -> None:
    visitor = await new_page()
    await visitor.page.goto(visitor.address("/"))
    await expect(visitor.page.get_by_role("listitem")).to_have_count(4)
    assert await visitor.accessibility_faults() == []
    await visitor.page.get_by_label("Your name").fill("Zhang Wei")
    card = visitor.page.get_by_role("group", name=re.compile("Heated plate"))
    await card.get_by_role("button", name="Observer").click()
    await visitor.is_connected()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Heated plate")


@pytest.mark.parametrize("bench", ["lamp", "resonance", "motor", "plate"])
@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 1000, False), (390, 844, True)])
async def test_every_bench_looks_right_and_everybody_can_use_it(
    new_page: OpenPage, screenshots: Path, bench: str, width: int, height: int, dark: bool
) -> None:
    student = await new_page(width=width, height=height, dark=dark)
    await student.open(bench, "student")
    await student.take_control()
    await expect(student.page.locator(".curves td").first).not_to_have_text("–")
    name = f"{bench}-{width}{'-dark' if dark else ''}"
    await student.page.screenshot(path=screenshots / f"{name}-en.png")
    await student.has_no_sideways_scrolling()
    assert await student.accessibility_faults() == []
    await student.speak("中文")
    await student.page.screenshot(path=screenshots / f"{name}-zh.png", full_page=True)
    await student.has_no_sideways_scrolling()
    await student.speak("EN")
    await student.release_control()
