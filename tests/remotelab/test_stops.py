from __future__ import annotations

import pytest

from devices.messages import BenchStopCleared, BenchStopped, ClearBenchStop, StopBench
from remotelab.effects import Persist, TellAgent
from remotelab.messages import ClearStop, Stop, StopCleared, StopFinished
from remotelab.standing import Standing
from remotelab.stops import MOST_PENDING, StopDesk
from signaling.errors import CallerError, Code, OurError
from signaling.messages import RequestDone, RequestRefused
from tests.remotelab.lab import (
    BENCH,
    MATE,
    NOW,
    OBSERVER,
    STUDENT,
    SUPERVISOR,
    audited,
    bench_in_use,
    one,
    persisted,
    said_to,
    said_to_agent,
    said_to_all,
)

STOP = Stop("stop-0001", NOW - 5.0)
CLEAR = ClearStop("clear-001")


def desk() -> tuple[StopDesk, Standing]:
    standing = bench_in_use().standing
    return StopDesk(BENCH, standing), standing


def is_stopped(standing: Standing) -> bool:
    """A type checker must not remember it from one line to the next."""
    return standing.stopped


def stopped_desk() -> tuple[StopDesk, Standing]:
    made, standing = desk()
    made.stop(STUDENT, STOP, NOW)
    made.stopped(BenchStopped("student/stop-0001", BENCH, True), NOW)
    return made, standing


def test_a_stop_reaches_the_agent_first_and_is_latched_on_disk() -> None:
    made, standing = desk()
    effects = made.stop(STUDENT, STOP, NOW)
    assert effects[0] == TellAgent(StopBench("student/stop-0001", BENCH), first=True)
    assert isinstance(effects[1], Persist)
    assert effects[1].record.stopped
    assert is_stopped(standing)
    assert audited(effects) == ["stop"]


def test_everybody_learns_that_the_bench_was_stopped_and_by_whom() -> None:
    made, _ = desk()
    made.stop(STUDENT, STOP, NOW)
    effects = made.stopped(BenchStopped("student/stop-0001", BENCH, True, "", NOW + 2.0, NOW + 3.0), NOW + 4.0)
    told = one(said_to_all(effects, StopFinished))
    assert (told.id, told.participant, told.verified) == ("stop-0001", "student", True)
    assert (told.ledger.sent_ms, told.ledger.first_byte_ms, told.ledger.gateway_replied_ms) == (
        NOW - 5.0,
        NOW + 2.0,
        NOW + 4.0,
    )
    assert made.stopped(BenchStopped("student/stop-0001", BENCH, True), NOW) == []


def test_who_may_neither_control_nor_stop_is_refused() -> None:
    made, standing = desk()
    with pytest.raises(CallerError) as raised:
        made.stop(OBSERVER, STOP, NOW)
    assert raised.value.code is Code.FORBIDDEN
    assert not is_stopped(standing)
    made.stop(MATE, STOP, NOW)


def test_stops_that_wait_for_the_agent_are_bounded() -> None:
    made, _ = desk()
    for number in range(MOST_PENDING):
        made.stop(STUDENT, Stop(f"stop-{number:04}", NOW), NOW)
    with pytest.raises(CallerError) as raised:
        made.stop(STUDENT, Stop("stop-more", NOW), NOW)
    assert raised.value.code is Code.TOO_MANY
    assert said_to_agent(made.stop(STUDENT, Stop("stop-0000", NOW), NOW), StopBench)


def test_without_the_agent_a_stop_is_latched_and_done_when_it_is_back() -> None:
    made, standing = desk()
    standing.agent_left()
    effects = made.stop(STUDENT, STOP, NOW)
    assert one(said_to_all(effects, StopFinished)).verified is False
    assert one(persisted(effects)).stopped
    assert said_to_agent(made.agent_came(stopped=False, now_ms=NOW), StopBench)
    assert made.agent_came(stopped=True, now_ms=NOW) == []


def test_a_bench_that_was_stopped_at_the_lab_is_stopped_here_too() -> None:
    made, standing = desk()
    effects = made.agent_came(stopped=True, now_ms=NOW)
    assert is_stopped(standing)
    assert one(persisted(effects)).stopped
    assert said_to_all(effects, StopFinished)
    fresh, _ = desk()
    assert fresh.agent_came(stopped=False, now_ms=NOW) == []


def test_a_stop_is_cleared_when_the_agent_has_cleared_it() -> None:
    made, standing = stopped_desk()
    assert one(said_to_agent(made.clear(STUDENT, CLEAR, NOW), ClearBenchStop)).id == "student/clear-001"
    assert is_stopped(standing)
    effects = made.cleared(BenchStopCleared("student/clear-001", BENCH), NOW)
    assert not is_stopped(standing)
    assert one(persisted(effects)).stopped is False
    assert one(said_to_all(effects, StopCleared)).participant == "student"
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("clear-001")]
    assert made.cleared(BenchStopCleared("student/clear-001", BENCH), NOW) == []


def test_only_the_controller_or_a_supervisor_clears_a_stop() -> None:
    made, _ = stopped_desk()
    with pytest.raises(CallerError) as raised:
        made.clear(MATE, CLEAR, NOW)
    assert raised.value.code is Code.NOT_CONTROLLER
    made.clear(SUPERVISOR, CLEAR, NOW)


def test_clearing_what_is_not_stopped_is_done_already() -> None:
    made, _ = desk()
    assert said_to(made.clear(STUDENT, CLEAR, NOW), STUDENT, RequestDone) == [RequestDone("clear-001")]


def test_a_stop_cannot_be_cleared_without_the_agent() -> None:
    made, standing = stopped_desk()
    standing.agent_left()
    with pytest.raises(OurError) as raised:
        made.clear(STUDENT, CLEAR, NOW)
    assert raised.value.code is Code.AGENT_OFFLINE


def test_a_stop_that_comes_while_another_is_cleared_keeps_the_bench_stopped() -> None:
    made, standing = stopped_desk()
    made.clear(STUDENT, CLEAR, NOW)
    effects = made.stop(MATE, Stop("stop-0002", NOW), NOW)
    assert one(said_to(effects, STUDENT, RequestRefused)).code is Code.BENCH_STOPPED
    made.cleared(BenchStopCleared("student/clear-001", BENCH), NOW)
    assert is_stopped(standing)


def test_a_stop_that_is_still_under_way_is_not_cleared() -> None:
    made, _ = desk()
    made.stop(STUDENT, STOP, NOW)
    with pytest.raises(CallerError) as raised:
        made.clear(STUDENT, CLEAR, NOW)
    assert raised.value.code is Code.BENCH_STOPPED


def test_clearings_that_wait_for_the_agent_are_bounded() -> None:
    made, _ = stopped_desk()
    for number in range(MOST_PENDING):
        made.clear(STUDENT, ClearStop(f"clear-{number:03}"), NOW)
    with pytest.raises(CallerError):
        made.clear(STUDENT, ClearStop("clear-more"), NOW)
    assert said_to_agent(made.clear(STUDENT, ClearStop("clear-000"), NOW), ClearBenchStop)


def test_whatever_waits_is_answered_when_the_agent_leaves() -> None:
    made, standing = stopped_desk()
    made.clear(STUDENT, CLEAR, NOW)
    assert one(said_to(made.agent_left(NOW), STUDENT, RequestRefused)).code is Code.AGENT_OFFLINE
    made.stop(MATE, Stop("stop-0002", NOW), NOW)
    assert one(said_to_all(made.agent_left(NOW + 9.0), StopFinished)).verified is False
    assert is_stopped(standing)
    assert made.agent_left(NOW) == []


def test_a_stop_outlives_a_clearing_that_was_asked_for_before_it() -> None:
    made, standing = stopped_desk()
    made.clear(STUDENT, CLEAR, NOW)
    again = made.stop(STUDENT, Stop("stop-0002", NOW), NOW)
    assert one(said_to(again, STUDENT, RequestRefused)).code is Code.BENCH_STOPPED
    made.stopped(BenchStopped("student/stop-0002", BENCH, True), NOW)
    late = made.cleared(BenchStopCleared("student/clear-001", BENCH), NOW)
    assert is_stopped(standing)
    assert one(said_to_agent(late, StopBench)).bench == BENCH
