"""Stop and clean-up: what overtakes everything, and what a bench returns to."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from devices.messages import BenchStopCleared, BenchStopped, CleanUpBench, CleanUpFinished, ClearBenchStop, StopBench
from devices.model import CommandMode, CommandStatus, DeviceState
from devices.sim.faults import Fault
from signaling.errors import Code
from tests.devices.agent.desk import ODD, PROBE, MemoryDesk, probe_bench
from tests.devices.agent.odd import Odd


def stopped(request: str) -> StopBench:
    return StopBench(request, "bench")


def answers(request: str, word: BenchStopped | CleanUpFinished) -> bool:
    return word.id == request


async def stop(desk: MemoryDesk, request: str = "s") -> BenchStopped:
    desk.say(StopBench(request, "bench"))
    return await desk.hear(BenchStopped, lambda word: word.id == request)


async def test_a_stop_cancels_what_waits_and_makes_the_bench_safe(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        waiting = [desk.execute("set_value", args={"value": 5.0}), desk.execute("measure")]
        desk.say(stopped("s"))
        for command in waiting:
            assert (await desk.outcome(command)).code is Code.STOPPED
        desk.odd.release.set()
        finished = await desk.outcome(held)
        assert (finished.status, finished.code) == (CommandStatus.FAILED, Code.STOPPED)
        answer = await desk.hear(BenchStopped)
        assert answer.verified
        assert answer.first_byte_ms is not None
        assert (await desk.result("measure")).value == 0.0


async def test_a_stop_cuts_settling_short(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        settling = desk.execute("settle")
        await desk.odd.entered.wait()
        assert (await stop(desk)).verified
        assert (await desk.outcome(settling)).code is Code.STOPPED


async def test_a_stop_withdraws_what_has_not_written_yet(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        thinking = desk.execute("think")
        await desk.odd.entered.wait()
        assert (await stop(desk)).verified
        finished = await desk.outcome(thinking)
        assert (finished.status, finished.code) == (CommandStatus.CANCELLED, Code.STOPPED)


async def test_a_stop_breaks_off_the_exchange_on_the_wire_when_the_driver_says_how(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        desk.odd.timeout_ms = 3_600_000.0
        Odd.break_off = b"\n"
        try:
            simulation.fail(Fault.SILENCE, times=1)
            endless = desk.execute("measure")
            await on_the_wire(desk)
            assert (await stop(desk)).verified
            assert (await desk.outcome(endless)).code is Code.STOPPED
        finally:
            Odd.break_off = None


async def on_the_wire(desk: MemoryDesk) -> None:
    """Let the loop run until a request has been written and its reply is awaited."""
    worker = desk.agent.benches["bench"].workers["probe-port"]
    while worker._port is None or not worker._port.conversation.on_the_wire:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0)


async def test_a_stopped_bench_runs_only_queries_until_it_is_cleared(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        await stop(desk)
        refused = await desk.result("set_value", args={"value": 1.0}, mode=CommandMode.LATEST)
        assert (refused.status, refused.code) == (CommandStatus.CANCELLED, Code.BENCH_STOPPED)
        assert (await desk.result("measure")).status is CommandStatus.DONE
        desk.say(ClearBenchStop("c", "bench"))
        assert await desk.hear(BenchStopCleared) == BenchStopCleared("c", "bench")
        assert (await desk.result("set_value", args={"value": 1.0})).status is CommandStatus.DONE


async def test_a_stop_outlives_the_agent(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        await stop(desk)
    async with probe_bench(tmp_path) as (desk, _):
        assert desk.agent.benches["bench"].report().stopped
        assert (await desk.result("set_value", args={"value": 1.0})).code is Code.BENCH_STOPPED


async def test_each_of_two_stops_is_answered(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        desk.execute("hold")
        await desk.odd.entered.wait()
        for request in "abc":
            desk.say(stopped(request))
        desk.odd.release.set()
        for request in "abc":
            assert (await desk.hear(BenchStopped, partial(answers, request))).verified


async def test_a_stop_without_its_instrument_is_answered_as_not_verified(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, simulation):
        simulation.unplug()
        await desk.device(DeviceState.OFFLINE)
        answer = await stop(desk)
        assert not answer.verified
        assert "probe" in answer.text


async def test_a_stop_of_an_instrument_that_does_not_answer_is_not_verified(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        desk.odd.timeout_ms = 30.0
        simulation.fail(Fault.SILENCE)
        assert not (await stop(desk)).verified
        desk.odd.timeout_ms = 5_000.0
        simulation.work()
        await desk.device(DeviceState.ONLINE)
        assert (await stop(desk, "again")).verified


async def test_a_clean_up_makes_safe_and_verifies(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        await desk.result("set_value", args={"value": 7.0})
        desk.say(CleanUpBench("c", "bench"))
        assert await desk.hear(CleanUpFinished) == CleanUpFinished("c", "bench", True, "")
        assert (await desk.result("measure")).value == 0.0


async def test_a_clean_up_that_cannot_be_verified_says_why(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        desk.odd.timeout_ms = 30.0
        simulation.fail(Fault.GARBAGE)
        desk.say(CleanUpBench("c", "bench"))
        finished = await desk.hear(CleanUpFinished)
        assert not finished.verified
        assert finished.text.startswith("probe: ")


async def test_a_stop_overtakes_a_clean_up_and_answers_for_it(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, PROBE) as (desk, simulation):
        simulation.fail(Fault.SLOW, times=1)
        desk.say(CleanUpBench("c", "bench"))
        await on_the_wire(desk)
        assert (await stop(desk)).verified
        assert (await desk.hear(CleanUpFinished)).verified
        order = [type(word) for word in desk.heard if isinstance(word, BenchStopped | CleanUpFinished)]
        assert len(order) == 2


async def test_clean_ups_that_wait_together_are_done_once_and_both_answered(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        desk.execute("hold")
        await desk.odd.entered.wait()
        for request in "ab":
            desk.say(CleanUpBench(request, "bench"))
        desk.odd.release.set()
        for request in "ab":
            assert (await desk.hear(CleanUpFinished, partial(answers, request))).verified
