"""Commands on an agent: each runs at most once, never late, and ends exactly once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest

from devices.agent import port_worker
from devices.messages import CancelExecution, ExecutionFinished, RaiseFence, ResolveExecutions
from devices.model import CommandMode, CommandStatus
from signaling.errors import Code
from signaling.messages import ValueChunk
from tests.devices.agent.desk import ODD, MemoryDesk, probe_bench

DONE, FAILED, EXPIRED, CANCELLED, UNKNOWN = CommandStatus


def ending(finished: ExecutionFinished) -> tuple[CommandStatus, Code | None]:
    return finished.status, finished.code


async def writes(desk: MemoryDesk) -> object:
    """How many settings the instrument has been sent."""
    return (await desk.result("count_writes")).value


async def test_a_command_is_done_and_its_ledger_tells_when(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        finished = await desk.result("set_value", args={"value": 3}, mode=CommandMode.LATEST)
        assert ending(finished) == (DONE, None)
        assert finished.agent_received_ms is not None
        assert finished.first_byte_ms is not None
        assert finished.last_byte_ms is not None
        assert finished.agent_received_ms <= finished.first_byte_ms <= finished.last_byte_ms <= desk.now_ms()
        assert finished.service_ms is not None
        assert (await desk.result("measure")).value == 3.0


async def test_a_resent_command_is_answered_and_not_executed(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        request = desk.request("set_value", args={"value": 1.0})
        for _ in range(3):
            desk.say(request)
        first = await desk.outcome(request.id)
        desk.say(request)
        assert [finished.repeated for finished in desk.outcomes(request.id)] == [False, True]
        assert desk.outcomes(request.id)[1].status is first.status
        assert await writes(desk) == 1


async def test_a_late_command_never_reaches_the_wire(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, simulation):
        assert ending(await desk.result("set_value", args={"value": 1.0}, ttl_ms=0.0)) == (
            EXPIRED,
            Code.DEADLINE_PASSED,
        )
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        requests = simulation.instruments["probe"].requests
        waiting = desk.execute("set_value", args={"value": 1.0}, ttl_ms=20.0)
        assert ending(await desk.outcome(waiting)) == (EXPIRED, Code.DEADLINE_PASSED)
        assert desk.outcomes(held) == []
        assert simulation.instruments["probe"].requests == requests
        desk.odd.release.set()
        await desk.outcome(held)


async def test_the_deadline_is_checked_at_the_first_byte(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        late = desk.execute("think", ttl_ms=20.0)
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0}, ttl_ms=20.0)
        await desk.outcome(waiting)  # expires by itself, later than the other's deadline
        desk.odd.release.set()
        assert ending(await desk.outcome(late)) == (EXPIRED, Code.DEADLINE_PASSED)
        assert (await desk.outcome(late)).first_byte_ms is None
        assert await writes(desk) == 0


async def test_nothing_starts_before_the_gateways_clock_is_known(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        desk.agent.time.follower.reset()
        assert ending(await desk.result("set_value", args={"value": 1.0})) == (EXPIRED, Code.DEADLINE_PASSED)


async def test_a_clock_that_may_be_wrong_counts_against_the_command(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        now_ms = desk.now_ms()
        desk.agent.time.follower.reset()
        desk.agent.time.follower.observe(
            sent_ms=now_ms - 10_000.0, received_ms=now_ms, replied_ms=now_ms, back_ms=now_ms
        )
        assert ending(await desk.result("measure", ttl_ms=9_000.0)) == (EXPIRED, Code.DEADLINE_PASSED)
        assert ending(await desk.result("measure", ttl_ms=60_000.0)) == (DONE, None)


async def test_a_newer_setting_takes_the_place_of_the_waiting_one(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        knob = [desk.execute("set_value", args={"value": float(n)}, mode=CommandMode.LATEST) for n in range(4)]
        desk.odd.release.set()
        assert [ending(await desk.outcome(command)) for command in knob] == [
            (CANCELLED, Code.SUPERSEDED),
            (CANCELLED, Code.SUPERSEDED),
            (CANCELLED, Code.SUPERSEDED),
            (DONE, None),
        ]
        await desk.outcome(held)
        assert (await desk.result("measure")).value == 3.0


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("set_value", {"args": {"value": "3 V"}}, Code.BAD_ARGUMENT),
        ("set_value", {"args": {"value": 2_000.0}}, Code.OUT_OF_LIMITS),
        ("set_value", {"args": {"value": float("nan")}}, Code.BAD_ARGUMENT),
        ("fly", {}, Code.UNKNOWN_ACTION),
        ("measure", {"device": "nobody"}, Code.UNKNOWN_DEVICE),
        ("measure", {"bench": "elsewhere"}, Code.NOT_FOUND),
        ("measure", {"mode": CommandMode.LATEST}, Code.MODE_NOT_ALLOWED),
        ("measure", {"fence": 0}, Code.STALE_FENCE),
    ],
)
async def test_what_cannot_be_done_never_starts(
    tmp_path: Path, action: str, fields: dict[str, Any], code: Code
) -> None:
    async with probe_bench(tmp_path) as (desk, simulation):
        desk.say(RaiseFence("bench", 1))
        requests = simulation.instruments["probe"].requests
        finished = await desk.result(action, fields.pop("device", "probe"), **fields)
        assert ending(finished) == (CANCELLED, code)
        assert finished.first_byte_ms is None
        assert simulation.instruments["probe"].requests == requests


async def test_the_labs_tighter_limit_holds(tmp_path: Path) -> None:
    text = ODD + '\n[device.limits]\n"set_value.value" = { high = 5.0 }\n'
    async with probe_bench(tmp_path, text) as (desk, _):
        assert (await desk.result("set_value", args={"value": 5.1})).code is Code.OUT_OF_LIMITS
        assert (await desk.result("set_value", args={"value": 5.0})).status is DONE


async def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD.replace("[bench]", "[bench]\nqueue_depth = 2")) as (desk, _):
        desk.execute("hold")
        await desk.odd.entered.wait()
        commands = [desk.execute("set_value", args={"value": 1.0}) for _ in range(3)]
        assert ending(await desk.outcome(commands[2])) == (CANCELLED, Code.QUEUE_FULL)
        desk.odd.release.set()
        assert ending(await desk.outcome(commands[1])) == (DONE, None)


async def test_an_owners_commands_run_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        desk.execute("hold")
        await desk.odd.entered.wait()
        commands = [
            desk.execute("measure"),
            desk.execute("set_value", args={"value": 1.0}, ttl_ms=40_000.0),
            desk.execute("measure"),
            desk.execute("set_value", args={"value": 2.0}, ttl_ms=30_000.0),
        ]
        desk.odd.release.set()
        await desk.outcome(commands[3])
        ended = [word.id for word in desk.heard if isinstance(word, ExecutionFinished)]
        assert ended[-4:] == commands
        assert [(await desk.outcome(command)).value for command in commands] == [9.0, None, 1.0, None]


async def test_a_waiting_command_can_be_withdrawn_and_a_running_one_cannot(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        waiting = desk.execute("set_value", args={"value": 1.0})
        desk.say(CancelExecution(waiting))
        desk.say(CancelExecution(held))
        desk.say(CancelExecution("nobody's"))
        assert ending(await desk.outcome(waiting)) == (CANCELLED, Code.CANCELLED_BY_CALLER)
        desk.odd.release.set()
        assert ending(await desk.outcome(held)) == (DONE, None)


async def test_a_command_that_holds_the_port_but_has_written_nothing_can_be_withdrawn(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        thinking = desk.execute("think")
        await desk.odd.entered.wait()
        desk.say(CancelExecution(thinking))
        desk.odd.release.set()
        assert ending(await desk.outcome(thinking)) == (CANCELLED, Code.CANCELLED_BY_CALLER)
        assert await writes(desk) == 0


async def test_a_raised_fence_ends_the_commands_of_earlier_leases(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        old = desk.execute("set_value", args={"value": 1.0}, fence=1)
        new = desk.execute("set_value", args={"value": 2.0}, fence=2)
        assert ending(await desk.outcome(old)) == (CANCELLED, Code.LEASE_ENDED)
        desk.say(RaiseFence("bench", 1))
        desk.odd.release.set()
        assert ending(await desk.outcome(new)) == (DONE, None)
        assert ending(await desk.outcome(held)) == (DONE, None)
        assert ending(await desk.result("set_value", args={"value": 3.0}, fence=1)) == (CANCELLED, Code.STALE_FENCE)
        assert desk.agent.benches["bench"].fence == 2


async def test_a_driver_that_fails_ends_only_its_command(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        finished = await desk.result("fail")
        assert ending(finished) == (FAILED, Code.INTERNAL)
        assert "secret" not in finished.text
        assert "may have been carried out" in finished.text
        assert "ZeroDivisionError" in caplog.text
        assert (await desk.result("measure")).status is DONE


async def test_a_driver_that_never_returns_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_worker, "COMMAND_BOUND_MS", 0.0)
    async with probe_bench(tmp_path, ODD) as (desk, _):
        assert (await desk.result("never_end")).code is Code.NO_REPLY
        monkeypatch.undo()
        assert (await desk.result("measure")).status is DONE


@pytest.mark.parametrize("action", ["babble", "nest"])
async def test_a_result_that_no_wire_can_carry_fails_the_command(
    tmp_path: Path, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        assert ending(await desk.result(action)) == (FAILED, Code.BAD_REPLY)
        assert (await desk.result("measure")).status is DONE
        assert caplog.records[-1].levelno == logging.ERROR


async def test_a_large_value_travels_in_pieces_and_is_sent_again_on_request(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        command = desk.execute("trace")
        finished = await desk.outcome(command)
        assert finished.value is None
        assert finished.chunks == command
        for _ in range(2):
            pieces = [word for word in desk.heard if isinstance(word, ValueChunk)]
            assert [piece.index for piece in pieces] == list(range(pieces[0].count))
            assert max(len(piece.data) for piece in pieces) <= 16_384
            assert len(msgpack.unpackb(b"".join(piece.data for piece in pieces))["y"]) == 4_000
            desk.heard.clear()
            desk.say(ResolveExecutions((command,)))
            assert (await desk.outcome(command)).repeated


async def test_what_the_agent_never_heard_of_will_never_run(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, unix_ms=lambda: 9e15) as (desk, _):
        request = desk.request("set_value", args={"value": 1.0})
        desk.say(ResolveExecutions((request.id,)))
        assert ending(await desk.outcome(request.id)) == (CANCELLED, Code.NEVER_STARTED)
        desk.say(request)
        assert [finished.code for finished in desk.outcomes(request.id)] == [Code.NEVER_STARTED] * 2
        assert await writes(desk) == 0


async def test_a_young_journal_does_not_claim_to_know(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        request = desk.request("set_value", args={"value": 1.0})
        desk.say(ResolveExecutions((request.id,)))
        assert ending(await desk.outcome(request.id)) == (UNKNOWN, Code.OUTCOME_LOST)
        desk.say(request)
        assert len(desk.outcomes(request.id)) == 2
        assert await writes(desk) == 0


async def test_what_waits_or_runs_is_not_resolved_before_it_ends(tmp_path: Path) -> None:
    async with probe_bench(tmp_path, ODD) as (desk, _):
        held = desk.execute("hold")
        await desk.odd.entered.wait()
        desk.say(ResolveExecutions((held,)))
        assert desk.outcomes(held) == []
        desk.odd.release.set()
        assert ending(await desk.outcome(held)) == (DONE, None)


async def test_words_that_are_not_known_here_are_ignored(tmp_path: Path) -> None:
    async with probe_bench(tmp_path) as (desk, _):
        desk.say(RaiseFence("elsewhere", 3))
        desk.agent.receive(object(), 0.0)
        assert (await desk.result("measure")).status is DONE
