from __future__ import annotations

import dataclasses

import pytest

from devices import messages as agent_words
from devices.messages import CleanUpBench, DeviceReport, RaiseFence, StopBench
from devices.model import CommandStatus, DeviceState
from remotelab.bench import PRESENCE_MS, Bench
from remotelab.effects import BenchRecord, Effect, Seat, TellAll
from remotelab.messages import (
    AcquireLease,
    AskOutcomes,
    BenchChanged,
    BenchSnapshot,
    BenchState,
    CancelCommand,
    ClearStop,
    Command,
    CommandFinished,
    DeviceChanged,
    InterlockChanged,
    InventoryChanged,
    LeaseChanged,
    PresenceChanged,
    ReleaseLease,
    ReleaseQuarantine,
    RenewLease,
    RevokeLease,
    Stop,
    StopCleared,
    StopFinished,
    TelemetrySampled,
    TransferLease,
)
from signaling.errors import Code
from signaling.messages import RequestDone, RequestRefused
from tests.remotelab.lab import (
    BENCH,
    LAMP,
    MATE,
    NOW,
    OBSERVER,
    PSU,
    STUDENT,
    SUPERVISOR,
    bench_in_use,
    bench_online,
    command,
    done,
    one,
    report,
    said_to,
    said_to_agent,
    said_to_all,
    seat,
)


def refused(effects: list[Effect], who: Seat) -> Code:
    return one(said_to(effects, who, RequestRefused)).code


def test_a_newcomer_gets_everything_that_is_needed_to_draw_the_bench() -> None:
    bench = bench_in_use()
    bench.command(STUDENT, command(), False, NOW + 2.0)
    bench.agent_said(done("student/command-1"), NOW + 3.0)
    bench.joined(OBSERVER, NOW)
    drawn = one(said_to(bench.snapshot(OBSERVER), OBSERVER, BenchSnapshot))
    assert (drawn.bench, drawn.state, drawn.description) == (BENCH, BenchState.IN_USE, LAMP)
    assert drawn.lease is not None
    assert drawn.lease.participant == "student"
    assert [participant.id for participant in drawn.participants] == ["student", "observer"]
    assert [point.args for point in drawn.set_points] == [{"voltage": 3.3}]
    assert (drawn.outcomes, drawn.may) == ((), ("observe",))
    mine = one(said_to(bench.snapshot(STUDENT), STUDENT, BenchSnapshot))
    assert [outcome.id for outcome in mine.outcomes] == ["command-1"]


def test_before_the_agent_has_been_seen_there_is_nothing_to_draw() -> None:
    bench = Bench(BENCH, NOW)
    bench.joined(STUDENT, NOW)
    drawn = one(said_to(bench.snapshot(STUDENT), STUDENT, BenchSnapshot))
    assert (drawn.state, drawn.description, drawn.devices) == (BenchState.OFFLINE, None, ())


def test_many_comings_are_told_together() -> None:
    bench = bench_online()
    for number in range(5):
        bench.joined(seat(f"guest-{number}"), NOW)
    assert bench.next_ms == NOW + PRESENCE_MS
    told = one(said_to_all(bench.due(NOW + PRESENCE_MS), PresenceChanged))
    assert len(told.participants) == 5
    assert said_to_all(bench.due(NOW + 2 * PRESENCE_MS), PresenceChanged) == []


def test_a_holder_is_away_only_when_the_last_window_is_gone() -> None:
    bench = bench_in_use()
    second = seat("student", session="second")
    bench.joined(second, NOW)
    assert bench.disconnected(STUDENT, NOW) == []
    assert one(said_to_all(bench.disconnected(second, NOW), LeaseChanged)).reason == "away"
    assert one(said_to_all(bench.connected(second, NOW), LeaseChanged)).reason == "returned"
    bench.left(STUDENT, NOW)
    assert len(bench.presence.shown) == 1


def test_stop_overtakes_and_is_counted() -> None:
    bench = bench_in_use()
    effects = bench.asked(STUDENT, Stop("stop-0001", NOW), NOW)
    assert one(said_to_agent(effects, StopBench)).id == "student/stop-0001"
    told = bench.agent_said(agent_words.BenchStopped("student/stop-0001", BENCH, True), NOW)
    assert one(said_to_all(told, StopFinished)).verified
    assert bench.stats.stops == 1
    bench.asked(STUDENT, ClearStop("clear-001"), NOW)
    told = bench.agent_said(agent_words.BenchStopCleared("student/clear-001", BENCH), NOW)
    assert said_to_all(told, StopCleared)


def test_what_may_not_be_done_is_refused_and_named() -> None:
    bench = bench_in_use(MATE, OBSERVER)
    assert refused(bench.asked(OBSERVER, Stop("stop-0001", NOW), NOW), OBSERVER) is Code.FORBIDDEN
    assert refused(bench.asked(OBSERVER, AcquireLease("acquire-2"), NOW), OBSERVER) is Code.FORBIDDEN
    assert refused(bench.asked(MATE, AcquireLease("acquire-2"), NOW), MATE) is Code.LEASE_TAKEN
    assert refused(bench.asked(MATE, RevokeLease("revoke-01"), NOW), MATE) is Code.FORBIDDEN
    assert refused(bench.asked(MATE, ReleaseQuarantine("lift-0001"), NOW), MATE) is Code.FORBIDDEN
    assert refused(bench.asked(MATE, ReleaseLease("release-1", 1), NOW), MATE) is Code.NOT_CONTROLLER
    assert refused(bench.asked(STUDENT, ReleaseLease("release-1", 0), NOW), STUDENT) is Code.STALE_FENCE
    for name in ("", "x" * 65):
        assert refused(bench.asked(STUDENT, AcquireLease(name), NOW), STUDENT) is Code.BAD_ARGUMENT


def test_commands_are_cancelled_and_asked_for_by_request() -> None:
    bench = bench_in_use()
    bench.command(STUDENT, command(), False, NOW + 2.0)
    effects = bench.asked(STUDENT, CancelCommand("cancel-01", "command-1"), NOW + 3.0)
    assert said_to_agent(effects, agent_words.CancelExecution) == [agent_words.CancelExecution("student/command-1")]
    bench.agent_said(done("student/command-1"), NOW + 4.0)
    effects = bench.asked(STUDENT, AskOutcomes("asked-001", ("command-1",)), NOW + 5.0)
    assert one(said_to(effects, STUDENT, CommandFinished)).repeated
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("asked-001")]


def test_the_holder_renews_and_releases() -> None:
    bench = bench_in_use()
    assert said_to(bench.asked(STUDENT, RenewLease("renew-001", 1), NOW), STUDENT, RequestDone)
    assert said_to(bench.asked(STUDENT, ReleaseLease("release-1", 1), NOW), STUDENT, RequestDone)
    assert bench.standing.state is BenchState.DRAINING


def test_the_control_is_handed_to_somebody_who_is_here_and_may_have_it() -> None:
    bench = bench_in_use(MATE, OBSERVER, SUPERVISOR)
    assert refused(bench.asked(MATE, TransferLease("transfer-1", 1, "mate"), NOW), MATE) is Code.NOT_CONTROLLER
    for nobody in ("observer", "ghost"):
        effects = bench.asked(STUDENT, TransferLease("transfer-1", 1, nobody), NOW)
        assert refused(effects, STUDENT) is Code.UNKNOWN_PARTICIPANT
    effects = bench.asked(STUDENT, TransferLease("transfer-1", 1, "mate"), NOW)
    assert one(said_to_all(effects, LeaseChanged)).reason == "transferred"
    effects = bench.asked(SUPERVISOR, TransferLease("transfer-2", 0, "student"), NOW)
    assert said_to_agent(effects, RaiseFence) == [RaiseFence(BENCH, 3)]


def test_a_supervisor_takes_the_control_away() -> None:
    bench = bench_in_use(SUPERVISOR)
    effects = bench.asked(SUPERVISOR, RevokeLease("revoke-01"), NOW)
    assert one(said_to_all(effects, LeaseChanged)).reason == "revoked"
    order = one(said_to_agent(effects, CleanUpBench))
    bench.agent_said(agent_words.CleanUpFinished(order.id, BENCH, False, "Stuck."), NOW)
    effects = bench.asked(SUPERVISOR, ReleaseQuarantine("lift-0001"), NOW)
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.DRAINING


def test_telemetry_is_kept_and_passed_on_as_the_newest() -> None:
    bench = bench_online()
    effects = bench.agent_said(agent_words.TelemetrySampled(BENCH, "psu", NOW, {"voltage": 3.3}), NOW)
    assert effects == [TellAll(TelemetrySampled("psu", NOW, {"voltage": 3.3}), latest="telemetry psu")]
    assert bench.agent_said(agent_words.TelemetrySampled(BENCH, "nothing", NOW, {}), NOW) == []
    assert len(bench.panel.history()) == 1


def test_devices_and_interlocks_are_told_when_the_bench_has_them() -> None:
    bench = bench_online()
    gone = DeviceReport("psu", DeviceState.OFFLINE, Code.DEVICE_LOST, "Unplugged.")
    assert bench.agent_said(agent_words.DeviceChanged(BENCH, gone), NOW) == [TellAll(DeviceChanged(gone))]
    ghost = DeviceReport("ghost", DeviceState.ONLINE)
    assert bench.agent_said(agent_words.DeviceChanged(BENCH, ghost), NOW) == []
    tripped = agent_words.InterlockChanged(BENCH, "hot", True)
    assert bench.agent_said(tripped, NOW) == [TellAll(InterlockChanged("hot", True))]
    assert bench.agent_said(agent_words.InterlockChanged(BENCH, "cold", True), NOW) == []


def test_a_word_that_is_not_about_a_bench_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        bench_online().agent_said(object(), NOW)


def test_a_changed_inventory_is_told_with_the_state_of_every_device() -> None:
    bench = bench_online()
    smaller = dataclasses.replace(LAMP, devices=(PSU,))
    effects = bench.inventory(report(smaller, tripped=("hot",)))
    assert one(said_to_all(effects, InventoryChanged)).description == smaller
    assert [told.report.device for told in said_to_all(effects, DeviceChanged)] == ["psu"]
    assert said_to_all(effects, InterlockChanged) == [InterlockChanged("hot", True)]
    assert said_to_all(bench.inventory(report(smaller)), InventoryChanged) == []


def test_an_interlock_that_let_go_while_nobody_listened_is_told_too() -> None:
    bench = bench_online()
    bench.agent_said(agent_words.InterlockChanged(BENCH, "hot", True), NOW)
    assert said_to_all(bench.inventory(report()), InterlockChanged) == [InterlockChanged("hot", False)]


def test_an_agent_that_made_the_bench_safe_by_itself_has_moved_the_knobs() -> None:
    bench = bench_in_use()
    bench.command(STUDENT, command(), False, NOW + 2.0)
    bench.agent_said(done("student/command-1"), NOW + 3.0)
    bench.agent_left(NOW + 4.0)
    bench.agent_came(report(fence=1, made_safe=True), NOW + 90_000.0)
    assert bench.panel.set_points == ()


def test_an_agent_that_leaves_twice_has_left_once() -> None:
    bench = bench_online()
    assert one(said_to_all(bench.agent_left(NOW), BenchChanged)).state is BenchState.OFFLINE
    assert bench.agent_left(NOW) == []


def test_a_disk_that_fails_takes_the_bench_out_of_use() -> None:
    bench = bench_in_use()
    assert one(said_to_all(bench.record_failed(NOW), BenchChanged)).state is BenchState.QUARANTINED


def test_what_was_on_disk_is_taken_up() -> None:
    record = BenchRecord(BENCH, 7, "student", "Student", NOW + 500_000.0, True, None, True)
    bench = bench_online(STUDENT, record=record)
    assert bench.standing.stopped
    assert bench.standing.lease.fence == 7
    assert bench.standing.state is BenchState.IN_USE


def test_time_wakes_the_bench_now_and_then_even_when_nothing_is_due() -> None:
    bench = bench_online()
    first = bench.next_ms
    assert bench.due(first) == []
    assert bench.next_ms > first


def test_the_last_that_leaves_is_told_to_those_who_stay() -> None:
    bench = bench_online(STUDENT, OBSERVER)
    bench.due(NOW + PRESENCE_MS)
    bench.disconnected(OBSERVER, NOW + 1_000.0)
    bench.left(OBSERVER, NOW + 1_000.0)
    told = one(said_to_all(bench.due(NOW + 2_000.0), PresenceChanged))
    assert [participant.id for participant in told.participants] == ["student"]


def test_a_command_that_is_asked_for_as_a_request_is_refused() -> None:
    assert isinstance(command(), Command)
    assert refused(bench_in_use().asked(STUDENT, command(), NOW), STUDENT) is Code.UNEXPECTED


def test_no_knob_stands_where_it_stood_after_an_interlock_made_the_bench_safe() -> None:
    bench = bench_in_use()
    bench.command(STUDENT, command(), False, NOW + 2.0)
    bench.agent_said(done("student/command-1"), NOW + 3.0)
    assert bench.panel.set_points
    bench.agent_said(agent_words.CleanUpFinished("", BENCH, True), NOW + 4.0)
    assert bench.panel.set_points == ()
    assert bench.standing.state is BenchState.IN_USE


def test_what_another_lab_pc_was_given_ends_unknown_when_the_bench_moves() -> None:
    bench = bench_in_use()
    bench.command(STUDENT, command(), False, NOW + 2.0)
    bench.agent_left(NOW + 3.0)
    outcome = one(said_to(bench.moved(NOW + 4.0), STUDENT, CommandFinished))
    assert outcome.status is CommandStatus.UNKNOWN
    assert said_to_agent(bench.agent_came(report(fence=1), NOW + 5.0), agent_words.ResolveExecutions) == []
