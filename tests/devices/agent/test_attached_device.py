"""Devices that come, go, fall silent, babble or turn out to be others."""

from __future__ import annotations

from pathlib import Path

from devices.messages import BenchStopped, DeviceChanged, ExecutionFinished, InventoryPublished, StopBench
from devices.model import CommandStatus, DeviceState
from devices.sim.bench import start_simulation
from devices.sim.faults import Fault
from devices.transports import PortSpec, open_transport
from signaling.errors import Code
from tests.devices.agent.desk import ODD, PROBE, Desk, bench_config, desk_with, probe_bench

TWO = (
    PROBE
    + """
[[port]]
name = "other-port"
path = "PATH"

[[device]]
name = "other"
driver = "odd"
port = "other-port"
"""
)

SHARED = (
    ODD
    + """
[[device]]
name = "second"
driver = "tongke-probe"
port = "probe-port"
serial = "SN9999"
"""
)


def changes(desk: Desk, device: str = "probe") -> list[tuple[DeviceState, Code | None]]:
    """What was said of a device, one after the other."""
    reports = [word.report for word in desk.heard if isinstance(word, DeviceChanged)]
    return [(report.state, report.code) for report in reports if report.device == device]


async def test_a_device_is_known_by_its_identity_before_it_is_online(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        change = await desk.hear(DeviceChanged, lambda word: word.report.state is DeviceState.ONLINE)
        assert change.report.identity.startswith("TONGKE,PROBE")
        inventory = await desk.hear(InventoryPublished)
        assert inventory.benches[0].devices[0].state is DeviceState.CONNECTING


async def test_a_command_to_a_device_that_is_not_there_never_starts(tmp_path: Path) -> None:
    config = bench_config(tmp_path, PROBE, {"probe-port": str(tmp_path / "nothing")})
    async with desk_with(tmp_path, config) as desk:
        finished = await desk.result("measure")
        assert (finished.status, finished.code) == (CommandStatus.CANCELLED, Code.DEVICE_OFFLINE)
        change = await desk.hear(DeviceChanged)
        assert (change.report.state, change.report.code) == (DeviceState.OFFLINE, Code.DEVICE_OFFLINE)


async def test_another_instrument_on_the_port_is_not_commanded(tmp_path: Path) -> None:
    async with start_simulation("psu", tmp_path) as simulation:
        config = bench_config(tmp_path, PROBE, {"probe-port": simulation["psu"]})
        async with desk_with(tmp_path, config) as desk:
            await desk.device(DeviceState.WRONG_IDENTITY)
            assert (await desk.result("set_value", args={"value": 1.0})).code is Code.WRONG_IDENTITY
            desk.say(StopBench("s", "bench"))
            assert not (await desk.hear(BenchStopped)).verified


async def test_an_unplugged_device_fails_the_running_command_and_cancels_the_waiting(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0})
        simulation.unplug()
        cancelled = await desk.outcome(waiting)
        assert (cancelled.status, cancelled.code) == (CommandStatus.CANCELLED, Code.DEVICE_OFFLINE)
        desk.odd.release.set()
        failed = await desk.outcome(held)
        assert (failed.status, failed.code) == (CommandStatus.FAILED, Code.DEVICE_LOST)
        assert "may have been carried out" in failed.text
        await desk.device(DeviceState.OFFLINE)


async def test_a_cable_pulled_in_the_middle_of_a_reply_ends_in_device_lost(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, simulation):
        simulation.fail(Fault.HANG_UP, times=1)
        finished = await desk.result("set_value", args={"value": 4.0})
        assert (finished.status, finished.code) == (CommandStatus.FAILED, Code.DEVICE_LOST)
        assert "may have been carried out" in finished.text


async def test_a_replugged_device_comes_back_and_nothing_runs_late(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        desk.execute("hold")
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0})
        simulation.unplug()
        desk.odd.release.set()
        await desk.device(DeviceState.OFFLINE)
        simulation.work()
        await desk.device(DeviceState.ONLINE)
        assert [finished.status for finished in desk.outcomes(waiting)] == [CommandStatus.CANCELLED]
        assert (await desk.result("count_writes")).value == 0
        assert [state for state, _ in changes(desk)][-3:] == [
            DeviceState.OFFLINE,
            DeviceState.CONNECTING,
            DeviceState.ONLINE,
        ]


async def test_a_silent_device_goes_offline_and_comes_back_when_it_answers_again(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        desk.odd.timeout_ms = 20.0
        simulation.fail(Fault.SILENCE)
        await desk.device(DeviceState.OFFLINE)
        assert changes(desk)[-1] == (DeviceState.OFFLINE, Code.NO_REPLY)
        simulation.work()
        desk.odd.timeout_ms = 5_000.0
        await desk.device(DeviceState.ONLINE)
        assert (await desk.result("measure")).status is CommandStatus.DONE


async def test_a_babbling_device_fails_its_command_and_nothing_else(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, simulation):
        simulation.fail(Fault.GARBAGE, times=1)
        finished = await desk.result("measure")
        assert (finished.status, finished.code) == (CommandStatus.FAILED, Code.BAD_REPLY)
        assert (await desk.result("measure")).status is CommandStatus.DONE


async def test_a_stuck_device_does_not_hold_up_another_one(tmp_path: Path) -> None:
    async with start_simulation("probe", tmp_path / "1") as one, start_simulation("probe", tmp_path / "2") as two:
        config = bench_config(tmp_path, TWO, {"probe-port": one["probe"], "other-port": two["probe"]})
        async with desk_with(tmp_path, config) as desk:
            await desk.device(DeviceState.ONLINE)
            await desk.device(DeviceState.ONLINE, "other")
            endless = desk.execute("settle", "other")
            for _ in range(20):
                assert (await desk.result("measure")).status is CommandStatus.DONE
            assert desk.outcomes(endless) == []
            desk.say(StopBench("s", "bench"))
            assert (await desk.hear(BenchStopped)).verified


async def test_devices_that_share_a_port_are_judged_one_by_one(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, SHARED) as (desk, _):
        await desk.device(DeviceState.WRONG_IDENTITY, "second")
        assert (await desk.result("measure")).status is CommandStatus.DONE
        assert (await desk.result("measure", "second")).code is Code.WRONG_IDENTITY


async def test_a_fault_of_ours_does_not_end_the_ports_task(tmp_path: Path) -> None:
    opened = 0

    def open_badly(spec: PortSpec) -> object:
        nonlocal opened
        opened += 1
        if opened == 1:
            raise ZeroDivisionError
        return open_transport(spec)

    async with start_simulation("probe", tmp_path / "sim") as simulation:
        config = bench_config(tmp_path, PROBE, simulation.ports)
        async with desk_with(tmp_path, config, open_transport=open_badly) as desk:
            await desk.device(DeviceState.ONLINE)
            assert changes(desk)[0] == (DeviceState.OFFLINE, Code.INTERNAL)
            assert len([word for word in desk.heard if isinstance(word, ExecutionFinished)]) == 0
