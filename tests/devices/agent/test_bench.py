"""Telemetry, interlocks and the safe state of a bench that nobody commands any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.agent import agent
from devices.messages import (
    DeviceChanged,
    HealthReported,
    InterlockChanged,
    InventoryPublished,
    TelemetrySampled,
)
from devices.model import CommandStatus, DeviceState
from devices.sim.faults import Fault
from signaling.errors import Code
from tests.devices.agent.desk import ODD, MemoryDesk, probe_bench

LOCKED = (
    ODD
    + """
[[interlock]]
name = "high"
text = { en = "Too high.", zh = "太高。" }
when = "probe.polled > 5"
blocks = ["probe.set_value"]
"""
)
MAKES_SAFE = LOCKED + "makes_safe = true\n"


async def blocking(desk: MemoryDesk, is_blocking: bool) -> None:
    """Wait until the interlock was last said to block, or not to."""

    def changes() -> list[bool]:
        return [word.blocking for word in desk.heard if isinstance(word, InterlockChanged)]

    await desk.until(lambda: changes()[-1:] == [is_blocking])


async def test_readings_are_sampled_on_the_gateways_clock(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        await desk.result("set_value", args={"value": 2.5})
        sample = await desk.hear(TelemetrySampled, lambda word: word.values.get("polled") == 2.5)
        assert (sample.bench, sample.device) == ("bench", "probe")
        assert sample.time_ms <= desk.now_ms()


async def test_an_interlock_blocks_until_its_readings_are_known(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, LOCKED) as (desk, _):
        inventory = await desk.hear(InventoryPublished)
        assert inventory.benches[0].tripped == ("high",)
        await blocking(desk, False)
        assert (await desk.result("set_value", args={"value": 1.0})).status is CommandStatus.DONE


async def test_an_interlock_blocks_what_it_names_while_it_is_met(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, LOCKED) as (desk, _):
        await blocking(desk, False)
        await desk.result("set_value", args={"value": 6.0})
        await blocking(desk, True)
        refused = await desk.result("set_value", args={"value": 1.0})
        assert (refused.status, refused.code, refused.text) == (
            CommandStatus.CANCELLED,
            Code.INTERLOCKED,
            "Too high.",
        )
        assert (await desk.result("measure")).value == 6.0


async def test_an_interlock_is_looked_at_again_before_the_first_byte(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, LOCKED) as (desk, _):
        await blocking(desk, False)
        held = desk.execute("hold")  # ends by setting 9 V
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0})
        bench = desk.agent.benches["bench"]
        bench.reading_taken(bench.workers["probe-port"].devices["probe"], "polled", 9.0)
        desk.odd.release.set()
        assert (await desk.outcome(waiting)).code is Code.INTERLOCKED
        assert (await desk.outcome(held)).status is CommandStatus.DONE


async def test_an_interlock_brings_the_bench_to_its_safe_state(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, MAKES_SAFE) as (desk, _):
        await blocking(desk, False)
        await desk.result("set_value", args={"value": 6.0})
        await blocking(desk, True)
        await blocking(desk, False)
        assert (await desk.result("measure")).value == 0.0


async def test_a_device_that_went_away_blocks_what_depends_on_it(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, LOCKED) as (desk, simulation):
        await blocking(desk, False)
        simulation.unplug()
        await blocking(desk, True)


async def test_a_bench_without_its_gateway_becomes_safe_by_itself(tmp_path: Path) -> None:
    text = ODD.replace("[bench]", "[bench]\nlink_loss_s = 0.5")
    async with probe_bench(tmp_path, text) as (desk, _):
        await desk.result("set_value", args={"value": 7.0})
        desk.unlink()
        safety = desk.agent.benches["bench"].safety
        await desk.until(lambda: safety.made_safe is True)
        desk.heard.clear()
        desk.link()
        assert (await desk.hear(InventoryPublished)).benches[0].made_safe is True
        assert (await desk.result("measure")).value == 0.0
        desk.heard.clear()
        desk.link()
        assert (await desk.hear(InventoryPublished)).benches[0].made_safe is None


async def test_a_gateway_that_is_back_in_time_finds_the_bench_as_it_was(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0})
        desk.unlink()
        desk.heard.clear()
        desk.odd.release.set()
        desk.link()
        assert (await desk.hear(InventoryPublished)).benches[0].made_safe is None
        desk.resolve(held, waiting)
        assert (await desk.outcome(held)).status is CommandStatus.DONE
        lost = await desk.outcome(waiting)
        assert (lost.status, lost.code) == (CommandStatus.CANCELLED, Code.LINK_LOST)
        assert (await desk.result("measure")).value == 9.0


async def test_a_bench_that_could_not_become_safe_tries_again_when_its_device_returns(tmp_path: Path) -> None:
    text = ODD.replace("[bench]", "[bench]\nlink_loss_s = 0.5")
    async with probe_bench(tmp_path, text) as (desk, simulation):
        desk.unlink()
        simulation.unplug()
        safety = desk.agent.benches["bench"].safety
        await desk.until(lambda: safety.made_safe is False)
        simulation.work()
        await desk.until(lambda: safety.made_safe is True)


async def test_health_is_reported_per_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "TICK_S", 0.05)
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        for _ in range(3):
            await desk.result("measure")
        simulation.fail(Fault.GARBAGE, times=1)
        await desk.result("measure")
        report = await desk.hear(HealthReported, lambda word: word.devices[0].errors > 0)
        (device,) = report.devices
        assert (device.bench, device.device, device.waiting) == ("bench", "probe", 0)
        assert device.exchanges >= device.errors
        assert 0.0 < device.p50_ms <= device.p99_ms
        assert device.last_answer_ms is not None
        assert report.clock_error_ms >= 0.0
        assert [word.report.state for word in desk.heard if isinstance(word, DeviceChanged)][-1] is DeviceState.ONLINE


async def test_readings_that_an_interlock_needs_do_not_starve_under_a_flood(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, LOCKED.replace("[bench]", "[bench]\nqueue_depth = 64")) as (desk, _):
        await blocking(desk, False)
        sampled = len([word for word in desk.heard if isinstance(word, TelemetrySampled)])
        commands: list[str] = []

        def flood() -> bool:
            """Keep the queue filled, whatever happens."""
            while len(desk.agent.benches["bench"].workers["probe-port"].agenda.queue) < 32:
                commands.append(desk.execute("set_value", args={"value": 1.0}))
            samples = len([word for word in desk.heard if isinstance(word, TelemetrySampled)])
            return samples >= sampled + 5

        await desk.until(flood)
        outcomes = [await desk.outcome(command) for command in commands]
        assert {outcome.status for outcome in outcomes} == {CommandStatus.DONE}


async def test_a_flood_starts_nothing_late_and_ends_everything_once(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD.replace("[bench]", "[bench]\nqueue_depth = 64")) as (desk, simulation):
        simulation.instruments["probe"].service_ms = 2.0
        requests = [desk.request("set_value", args={"value": 1.0}, ttl_ms=20.0 + n) for n in range(60)]
        for request in requests:
            desk.say(request)
        outcomes = {request.id: await desk.outcome(request.id) for request in requests}
        for request in requests:
            outcome = outcomes[request.id]
            assert outcome.status in (CommandStatus.DONE, CommandStatus.EXPIRED)
            assert len(desk.outcomes(request.id)) == 1
            if outcome.first_byte_ms is not None:
                assert outcome.first_byte_ms < request.deadline_ms
        done = [request for request in requests if outcomes[request.id].status is CommandStatus.DONE]
        assert (await desk.result("count_writes")).value == len(done)


async def test_a_safe_state_that_an_interlock_wants_is_tried_for_until_it_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "TICK_S", 0.02)
    async with probe_bench(tmp_path, MAKES_SAFE) as (desk, simulation):
        await blocking(desk, False)
        bench = desk.agent.benches["bench"]
        await desk.result("set_value", args={"value": 3.0})
        # The reading that calls for it comes just as the cable is pulled.
        simulation.unplug()
        bench.reading_taken(bench.workers["probe-port"].devices["probe"], "polled", 9.0)
        await desk.until(lambda: bench.safety.has_failed)
        simulation.work()
        await desk.device(DeviceState.ONLINE)
        bench.reading_taken(bench.workers["probe-port"].devices["probe"], "polled", 9.0)
        await desk.until(lambda: not bench.safety.has_failed)
        await blocking(desk, False)
        assert (await desk.result("measure")).value == 0.0
