"""A safe state that was not reached at once: it is reached later, and nobody is told too early how it went."""

from __future__ import annotations

from pathlib import Path

from devices.messages import BenchStopped, CleanUpFinished, ClearBenchStop, InventoryPublished, StopBench
from devices.model import DeviceState
from devices.sim.bench import start_simulation
from tests.devices.agent.desk import ODD, PROBE, bench_config, desk_with, probe_bench


async def test_a_stop_that_missed_an_instrument_is_carried_out_when_it_returns(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        await desk.result("set_value", args={"value": 7.0})
        simulation.unplug()
        await desk.device(DeviceState.OFFLINE)
        desk.say(StopBench("s", "bench"))
        assert not (await desk.hear(BenchStopped)).verified
        simulation.work()
        await desk.until(lambda: not desk.agent.benches["bench"].safety.owes_stop)
        assert (await desk.result("measure")).value == 0.0


async def test_a_stop_that_a_crash_cut_short_is_carried_out_by_the_next_life(tmp_path: Path) -> None:
    async with start_simulation("probe", tmp_path / "sim") as simulation:
        config = bench_config(tmp_path, ODD, simulation.ports)
        async with desk_with(tmp_path, config) as desk:
            await desk.device(DeviceState.ONLINE)
            desk.say(StopBench("s", "bench"))
            assert (await desk.hear(BenchStopped)).verified
        async with desk_with(tmp_path, config) as desk:
            safety = desk.agent.benches["bench"].safety
            assert safety.owes_stop
            await desk.until(lambda: not safety.owes_stop)


async def test_a_stop_that_was_cleared_is_owed_no_more(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, PROBE) as (desk, simulation):
        simulation.unplug()
        await desk.device(DeviceState.OFFLINE)
        desk.say(StopBench("s", "bench"))
        desk.say(ClearBenchStop("c", "bench"))
        assert not desk.agent.benches["bench"].safety.owes_stop


async def test_a_bench_is_published_once_it_is_known_whether_it_became_safe(tmp_path: Path) -> None:
    text = ODD.replace("[bench]", "[bench]\nlink_loss_s = 0.5")
    async with probe_bench(tmp_path, text) as (desk, _):
        safety = desk.agent.benches["bench"].safety
        desk.execute("hold")
        await desk.odd.entered.wait()
        desk.unlink()
        await desk.until(lambda: safety.is_becoming_safe)
        desk.heard.clear()
        desk.link()
        assert (await desk.hear(InventoryPublished)).benches == ()
        desk.odd.release.set()
        published = await desk.hear(InventoryPublished, lambda word: bool(word.benches))
        earlier = desk.heard[: desk.heard.index(published)]
        assert not [word for word in earlier if getattr(word, "bench", None) == "bench"]
        assert published.benches[0].made_safe is True
        assert safety.made_safe is None


async def test_the_gateway_learns_of_a_safe_state_that_an_interlock_wanted(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, PROBE) as (desk, _):
        desk.agent.benches["bench"].safety.make_safe()
        assert await desk.hear(CleanUpFinished) == CleanUpFinished("", "bench", True)
