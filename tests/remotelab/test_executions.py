from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devices.messages import CancelExecution, Execute, ExecutionFinished, ResolveExecutions
from devices.model import CommandMode, CommandStatus
from remotelab.bench import Bench, BenchSettings
from remotelab.effects import Effect, Record, Seat, SendValue, Tell, TellAgent, TellAll
from remotelab.executions import MOST_ASKED, RESOLVE_MS, CommandSettings
from remotelab.messages import (
    AskOutcomes,
    CancelCommand,
    CommandAdmitted,
    CommandFinished,
    CommandLogged,
    CommandRefused,
    SetPoint,
    TransferLease,
)
from remotelab.outcomes import OutcomeSettings
from signaling.errors import Code
from signaling.messages import RequestDone, RequestRefused
from tests.remotelab.lab import (
    LAMP,
    MATE,
    NOW,
    OBSERVER,
    STUDENT,
    SUPERVISOR,
    audited,
    bench_in_use,
    command,
    done,
    execute,
    one,
    report,
    said_to,
    said_to_agent,
    seat,
)

LATER = NOW + 10.0


def send(
    bench: Bench, name: str = "command-1", *, who: Seat = STUDENT, now_ms: float = LATER, **more: object
) -> list[Effect]:
    return bench.command(who, command(name, **more), False, now_ms)  # type: ignore[arg-type]  # fields by name


def finish(bench: Bench, name: str = "command-1", **more: object) -> list[Effect]:
    return bench.agent_said(done(f"student/{name}", **more), LATER + 5.0)


def with_settings(**more: object) -> BenchSettings:
    return BenchSettings(commands=CommandSettings(**more))  # type: ignore[arg-type]  # fields by name


def test_a_command_goes_to_the_agent_with_its_deadline_owner_and_fence() -> None:
    bench = bench_in_use()
    word = execute(send(bench, args={"voltage": 3}, ttl_ms=300.0, mode=CommandMode.LATEST))
    assert word == Execute(
        "student/command-1",
        "lamp",
        "psu",
        "set_voltage",
        {"voltage": 3.0},
        NOW + 301.0,
        CommandMode.LATEST,
        "student",
        1,
    )


def test_admission_is_told_to_those_who_ask_for_it() -> None:
    bench = bench_in_use()
    effects = bench.command(STUDENT, command(), True, LATER)
    assert said_to(effects, STUDENT, CommandAdmitted) == [CommandAdmitted("command-1", 0.0)]
    effects = bench.command(STUDENT, command("command-2"), True, LATER)
    assert said_to(effects, STUDENT, CommandAdmitted) == [CommandAdmitted("command-2", 50.0)]


def test_the_outcome_carries_the_whole_ledger() -> None:
    bench = bench_in_use(OBSERVER)
    send(bench)
    effects = finish(
        bench,
        value=3.3,
        agent_received_ms=NOW + 12.0,
        first_byte_ms=NOW + 13.0,
        last_byte_ms=NOW + 14.0,
        service_ms=1.5,
    )
    told = one(said_to(effects, STUDENT, CommandFinished))
    assert (told.status, told.value, told.repeated) == (CommandStatus.DONE, 3.3, False)
    assert told.ledger.sent_ms == NOW + 1.0
    assert told.ledger.gateway_received_ms == LATER
    assert told.ledger.gateway_replied_ms == LATER + 5.0
    assert (told.ledger.agent_received_ms, told.ledger.first_byte_ms, told.ledger.last_byte_ms) == (
        NOW + 12.0,
        NOW + 13.0,
        NOW + 14.0,
    )
    assert audited(effects) == ["command"]
    assert bench.panel.set_points == (SetPoint("psu", "set_voltage", {"voltage": 3.3}),)


def test_others_see_what_was_done_and_whoever_did_it_does_not_see_it_twice() -> None:
    bench = bench_in_use(OBSERVER)
    send(bench)
    logged = one([effect for effect in finish(bench) if isinstance(effect, TellAll)])
    assert isinstance(logged.message, CommandLogged)
    assert (logged.message.participant, logged.message.args) == ("student", {"voltage": 3.3})
    assert logged.but == (STUDENT.session,)
    assert logged.latest is not None
    alone = bench_in_use()
    send(alone)
    assert not [effect for effect in finish(alone) if isinstance(effect, TellAll)]


def test_a_second_outcome_for_the_same_command_is_ignored() -> None:
    bench = bench_in_use()
    send(bench)
    finish(bench)
    assert bench.agent_said(ExecutionFinished("student/command-1", CommandStatus.FAILED), LATER) == []


def test_a_resent_command_gets_the_stored_outcome_and_runs_nothing() -> None:
    bench = bench_in_use()
    send(bench)
    finish(bench, value=1.5)
    effects = send(bench, now_ms=LATER + 9_999.0)
    told = one(said_to(effects, STUDENT, CommandFinished))
    assert (told.value, told.repeated) == (1.5, True)
    assert said_to_agent(effects, Execute) == []


def test_a_command_resent_while_it_runs_waits_for_the_one_outcome_in_both_windows() -> None:
    bench = bench_in_use()
    second = seat("student", session="second")
    send(bench)
    assert send(bench) == []
    assert bench.command(second, command(), False, LATER) == []
    effects = finish(bench)
    assert {effect.session for effect in effects if isinstance(effect, Tell)} == {STUDENT.session, "second"}


def test_another_command_under_a_used_id_is_refused() -> None:
    bench = bench_in_use()
    send(bench)
    refused = one(said_to(send(bench, args={"voltage": 5.0}), STUDENT, CommandRefused))
    assert refused.code is Code.ID_REUSED


def test_two_participants_may_use_the_same_id() -> None:
    bench = bench_in_use(SUPERVISOR)
    send(bench, action="read")
    effects = send(bench, action="read", who=SUPERVISOR, fence=0)
    assert execute(effects).id == "supervisor/command-1"


def test_a_refusal_names_code_text_and_argument_and_is_audited() -> None:
    bench = bench_in_use()
    effects = send(bench, args={"voltage": 99.0})
    refused = one(said_to(effects, STUDENT, CommandRefused))
    assert (refused.code, refused.parameter) == (Code.OUT_OF_LIMITS, "voltage")
    assert audited(effects) == ["command"]
    assert bench.stats.refusals == {Code.OUT_OF_LIMITS: 1}


def test_a_bad_id_is_refused_before_anything_is_remembered_of_it() -> None:
    bench = bench_in_use()
    assert one(said_to(send(bench, "x"), STUDENT, CommandRefused)).code is Code.BAD_ARGUMENT


def test_a_refused_command_is_not_remembered_and_may_be_mended() -> None:
    bench = bench_in_use()
    send(bench, args={"voltage": 99.0})
    assert execute(send(bench, args={"voltage": 9.0})).args == {"voltage": 9.0}


def test_a_full_queue_refuses_at_once_with_when_to_try_again() -> None:
    bench = bench_in_use()
    for number in range(4):
        execute(send(bench, f"command-{number}"))
    refused = one(said_to(send(bench, "command-9"), STUDENT, CommandRefused))
    assert refused.code is Code.QUEUE_FULL
    assert refused.retry_after_ms is not None
    finish(bench, "command-0")
    assert execute(send(bench, "command-9")).id == "student/command-9"


def test_a_command_that_would_be_late_is_refused_at_once() -> None:
    bench = bench_in_use()
    send(bench, ttl_ms=900.0)
    refused = one(said_to(send(bench, "command-2", ttl_ms=20.0), STUDENT, CommandRefused))
    assert refused.code is Code.WOULD_BE_LATE


def test_who_sends_too_fast_is_told_to_wait() -> None:
    bench = bench_in_use(settings=with_settings(commands_per_s=10.0, burst=1.0))
    send(bench)
    refused = one(said_to(send(bench, "command-2"), STUDENT, CommandRefused))
    assert (refused.code, refused.retry_after_ms) == (Code.RATE_LIMITED, 100.0)


def test_no_participant_may_have_too_many_under_way() -> None:
    bench = bench_in_use(settings=with_settings(most_running=1))
    send(bench)
    assert one(said_to(send(bench, "command-2"), STUDENT, CommandRefused)).code is Code.TOO_MANY


def test_service_times_and_the_way_to_the_lab_are_learned_from_outcomes() -> None:
    bench = bench_in_use()
    entry = bench.panel.entry("psu", "set_voltage")
    assert entry is not None
    send(bench)
    finish(bench, service_ms=90.0, agent_received_ms=LATER + 8.0)
    assert entry.service.mean_ms == 55.0
    assert entry.mirror.link_ms == 1.0
    send(bench, "command-2")
    bench.agent_said(ExecutionFinished("student/command-2", CommandStatus.FAILED, service_ms=900.0), LATER)
    assert entry.service.mean_ms == 55.0


def test_a_failed_set_point_moves_no_knob() -> None:
    bench = bench_in_use()
    send(bench)
    bench.agent_said(ExecutionFinished("student/command-1", CommandStatus.FAILED, code=Code.NO_REPLY), LATER)
    assert bench.panel.set_points == ()


def test_a_large_value_follows_to_everybody_who_waits_for_it() -> None:
    bench = bench_in_use()
    send(bench, action="read")
    effects = finish(bench, chunks="value-1")
    assert [effect for effect in effects if isinstance(effect, SendValue)] == [SendValue(STUDENT.session, "value-1")]
    again = send(bench, action="read")
    assert [effect for effect in again if isinstance(effect, SendValue)] == [SendValue(STUDENT.session, "value-1")]


def test_a_waiting_command_is_cancelled_at_the_agent() -> None:
    bench = bench_in_use()
    send(bench)
    effects = bench.asked(STUDENT, CancelCommand("cancel-01", "command-1"), LATER)
    assert said_to_agent(effects, CancelExecution) == [CancelExecution("student/command-1")]
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("cancel-01")]
    finish(bench)
    effects = bench.asked(STUDENT, CancelCommand("cancel-02", "command-1"), LATER)
    assert said_to_agent(effects, CancelExecution) == []


@pytest.mark.parametrize("who", [STUDENT, MATE])
def test_only_ones_own_commands_can_be_cancelled(who: Seat) -> None:
    bench = bench_in_use(MATE)
    send(bench, "command-2")
    effects = bench.asked(who, CancelCommand("cancel-01", "command-1"), LATER)
    assert one(said_to(effects, who, RequestRefused)).code is Code.UNKNOWN_COMMAND


def test_a_command_from_before_the_gateways_memory_is_never_run_but_looked_up() -> None:
    bench = bench_in_use()
    effects = send(bench, sent_ms=NOW - 1.0)
    assert said_to_agent(effects, Execute) == []
    assert said_to_agent(effects, ResolveExecutions) == [ResolveExecutions(("student/command-1",))]
    assert send(bench, sent_ms=NOW - 1.0) == []
    outcome = bench.agent_said(done("student/command-1", 7.0, repeated=True), LATER)
    told = one(said_to(outcome, STUDENT, CommandFinished))
    assert (told.value, told.repeated) == (7.0, True)
    assert bench.panel.set_points == ()


def test_a_command_from_before_waits_for_an_agent_that_is_away() -> None:
    bench = bench_in_use()
    bench.agent_left(NOW)
    bench.due(NOW + RESOLVE_MS)
    assert send(bench, sent_ms=NOW - 1.0, now_ms=NOW + RESOLVE_MS + 1.0) == []
    effects = bench.agent_came(report(fence=1), NOW + RESOLVE_MS + 2.0)
    assert said_to_agent(effects, ResolveExecutions) == [ResolveExecutions(("student/command-1",))]


def test_after_a_restart_without_an_agent_a_command_from_before_ends_unknown_in_the_end() -> None:
    bench = Bench("lamp", NOW)
    bench.joined(STUDENT, NOW)
    assert send(bench, sent_ms=NOW - 1.0) == []
    assert bench.next_ms <= LATER + RESOLVE_MS
    effects = bench.due(LATER + RESOLVE_MS)
    told = one(said_to(effects, STUDENT, CommandFinished))
    assert (told.status, told.code) == (CommandStatus.UNKNOWN, Code.OUTCOME_LOST)


def test_outcomes_can_be_asked_for_known_running_or_from_before() -> None:
    bench = bench_in_use()
    send(bench)
    finish(bench)
    send(bench, "command-2")
    asked = AskOutcomes("asked-001", ("command-1", "command-2", "command-3", "command-3"))
    effects = bench.asked(STUDENT, asked, LATER)
    assert [told.id for told in said_to(effects, STUDENT, CommandFinished)] == ["command-1"]
    assert said_to_agent(effects, ResolveExecutions) == [ResolveExecutions(("student/command-3",))]
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("asked-001")]
    outcome = bench.agent_said(
        ExecutionFinished("student/command-3", CommandStatus.CANCELLED, code=Code.NEVER_STARTED), LATER
    )
    assert one(said_to(outcome, STUDENT, CommandFinished)).code is Code.NEVER_STARTED
    assert not [effect for effect in outcome if isinstance(effect, TellAll)]


def test_asking_is_bounded_and_ids_are_checked() -> None:
    bench = bench_in_use()
    many = tuple(f"command-{number}" for number in range(MOST_ASKED + 1))
    for asked, code in [(many, Code.TOO_MANY), (("x",), Code.BAD_ARGUMENT)]:
        effects = bench.asked(STUDENT, AskOutcomes("asked-001", asked), LATER)
        assert one(said_to(effects, STUDENT, RequestRefused)).code is code
        assert said_to_agent(effects, ResolveExecutions) == []


def test_when_the_link_breaks_open_commands_wait_for_the_journals_answer() -> None:
    bench = bench_in_use()
    for number in range(3):
        send(bench, f"command-{number}")
    assert said_to(bench.agent_left(LATER), STUDENT, CommandFinished) == []
    effects = bench.agent_came(report(fence=1), LATER + 5_000.0)
    resolve = one(said_to_agent(effects, ResolveExecutions))
    assert resolve.ids == ("student/command-0", "student/command-1", "student/command-2")
    assert len(bench.panel.mirrors["psu-port"]) == 0
    effects = finish(bench, "command-1", repeated=True)
    assert one(said_to(effects, STUDENT, CommandFinished)).status is CommandStatus.DONE


def test_what_the_lab_is_silent_about_for_a_minute_is_unknown_for_good() -> None:
    bench = bench_in_use(OBSERVER)
    send(bench)
    bench.agent_left(LATER)
    assert bench.due(LATER + RESOLVE_MS - 1.0) is not None
    effects = bench.due(LATER + RESOLVE_MS)
    told = one(said_to(effects, STUDENT, CommandFinished))
    assert (told.status, told.code) == (CommandStatus.UNKNOWN, Code.OUTCOME_LOST)
    assert finish(bench) == []
    again = one(said_to(send(bench), STUDENT, CommandFinished))
    assert (again.status, again.repeated) == (CommandStatus.UNKNOWN, True)


def test_an_action_that_has_vanished_meanwhile_still_gets_its_outcome() -> None:
    bench = bench_in_use()
    send(bench)
    bench.panel.publish(report(type(LAMP)(LAMP.name, LAMP.title, ())))
    assert one(said_to(finish(bench), STUDENT, CommandFinished)).status is CommandStatus.DONE


def test_who_has_not_been_seen_for_long_is_forgotten_and_old_ids_are_looked_up_again() -> None:
    bench = bench_in_use(settings=with_settings(outcomes=OutcomeSettings(keep_ms=1_000.0)))
    send(bench)
    finish(bench)
    bench.due(NOW + 100_000.0)
    assert bench.snapshot(STUDENT)
    effects = send(bench, now_ms=NOW + 200_000.0)
    assert said_to_agent(effects, ResolveExecutions) == [ResolveExecutions(("student/command-1",))]
    bench.due(NOW + 300_000.0)


def test_a_sender_from_the_future_takes_nobody_elses_memory_away() -> None:
    bench = bench_in_use(MATE, settings=with_settings(outcomes=OutcomeSettings(keep_ms=1_000.0)))
    send(bench, sent_ms=NOW + 1e15)
    finish(bench)
    later_ms = NOW + 100_000.0
    bench.due(later_ms)
    bench.asked(STUDENT, TransferLease("transfer-1", 1, MATE.participant), later_ms)
    effects = bench.command(MATE, command("command-2", fence=2, sent_ms=later_ms + 1.0), False, later_ms + 1.0)
    assert said_to_agent(effects, Execute)


def test_an_observer_makes_the_journal_remember_nothing() -> None:
    bench = bench_in_use(OBSERVER)
    asked = bench.asked(OBSERVER, AskOutcomes("asked-001", ("command-9",)), LATER)
    assert one(said_to(asked, OBSERVER, RequestRefused)).code is Code.FORBIDDEN
    sent = bench.command(OBSERVER, command(sent_ms=NOW - 5.0), False, LATER)
    assert one(said_to(sent, OBSERVER, CommandRefused)).code is Code.FORBIDDEN
    assert said_to_agent([*asked, *sent], ResolveExecutions) == []


def test_asking_for_outcomes_is_paced_like_commands() -> None:
    bench = bench_in_use(settings=with_settings(commands_per_s=1.0, burst=1.0))
    asked = AskOutcomes("asked-001", ("command-8", "command-9"))
    assert one(said_to(bench.asked(STUDENT, asked, LATER), STUDENT, RequestRefused)).code is Code.RATE_LIMITED


def test_a_refused_command_leaves_a_short_line_however_long_it_is() -> None:
    bench = bench_in_use()
    effects = send(bench, "x" * 50_000, device="y" * 50_000, action="z" * 50_000, args={"a": "b" * 50_000})
    line = one([effect for effect in effects if isinstance(effect, Record)])
    assert len(repr(line)) < 1_000


class OneOutcome(RuleBasedStateMachine):
    """Whatever is lost, resent or answered twice: each id is handed over at most once and ends at most one way."""

    ids = st.sampled_from([f"command-{number}" for number in range(6)])

    def __init__(self) -> None:
        super().__init__()
        self.bench = bench_in_use()
        self.now_ms = LATER
        self.handed_over: list[str] = []
        self.ends: dict[str, CommandStatus] = {}
        self.is_agent_here = True
        self.refused: set[str] = set()

    def note(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, TellAgent) and isinstance(effect.message, Execute):
                self.handed_over.append(effect.message.id)
            if isinstance(effect, Tell) and isinstance(effect.message, CommandFinished):
                told = effect.message
                assert self.ends.setdefault(told.id, told.status) is told.status

    @rule(name=ids)
    def send(self, name: str) -> None:
        self.now_ms += 1.0
        self.note(self.bench.command(STUDENT, command(name, sent_ms=LATER, ttl_ms=10_000.0), False, self.now_ms))

    @rule(name=ids, status=st.sampled_from([CommandStatus.DONE, CommandStatus.FAILED, CommandStatus.EXPIRED]))
    def end(self, name: str, status: CommandStatus) -> None:
        if self.is_agent_here:
            self.note(self.bench.agent_said(ExecutionFinished(f"student/{name}", status), self.now_ms))

    @rule()
    def lose_the_agent_or_find_it(self) -> None:
        if self.is_agent_here:
            self.note(self.bench.agent_left(self.now_ms))
        else:
            self.note(self.bench.agent_came(report(fence=1), self.now_ms))
        self.is_agent_here = not self.is_agent_here

    @rule(pause_ms=st.sampled_from([10.0, 5_000.0, 61_000.0]))
    def time_passes(self, pause_ms: float) -> None:
        self.now_ms += pause_ms
        self.note(self.bench.due(self.now_ms))

    @invariant()
    def nothing_is_handed_over_twice(self) -> None:
        assert len(self.handed_over) == len(set(self.handed_over))


OneOutcome.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestOneOutcome = OneOutcome.TestCase
