from __future__ import annotations

import pytest

from devices.messages import CleanUpBench, CleanUpFinished, RaiseFence
from remotelab.bench_state import BenchEvent
from remotelab.effects import BenchRecord, Effect, Persist, TellAgent
from remotelab.lease import LeaseEvent, LeaseSettings, LeaseState
from remotelab.messages import BenchChanged, BenchState, LeaseChanged
from remotelab.standing import CLEAN_UP_MS, Standing
from signaling.errors import CallerError, Code, OurError
from signaling.messages import RequestDone, RequestRefused
from tests.remotelab.lab import (
    BENCH,
    MATE,
    NOW,
    STUDENT,
    SUPERVISOR,
    audited,
    one,
    persisted,
    said_to,
    said_to_agent,
    said_to_all,
)

SETTINGS = LeaseSettings(term_ms=1_000.0, grace_ms=30.0, seat_ms=120.0)


def standing(record: BenchRecord | None = None) -> Standing:
    return Standing(BENCH, record, SETTINGS, NOW)


def state(made: Standing) -> BenchState:
    """A type checker must not remember it from one line to the next."""
    return made.state


def online(record: BenchRecord | None = None) -> Standing:
    made = standing(record)
    made.agent_came(0, None, NOW)
    return made


def in_use() -> Standing:
    made = online()
    made.acquire(STUDENT, "acquire-1", NOW)
    return made


def cleaned(made: Standing, effects: list[Effect], *, verified: bool = True, text: str = "") -> list[Effect]:
    order = one(said_to_agent(effects, CleanUpBench))
    return made.clean_up_finished(CleanUpFinished(order.id, BENCH, verified, text), NOW)


def quarantined() -> Standing:
    made = in_use()
    cleaned(made, made.end_lease(LeaseEvent.RELEASED, NOW), verified=False, text="Still 230 V.")
    assert state(made) is BenchState.QUARANTINED
    return made


def test_a_new_bench_is_offline_until_its_agent_comes() -> None:
    made = standing()
    assert state(made) is BenchState.OFFLINE
    effects = made.agent_came(0, None, NOW)
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.ONLINE
    assert made.text == ""


def test_taking_control_is_on_disk_before_anybody_hears_of_it() -> None:
    made = online()
    effects = made.acquire(STUDENT, "acquire-1", NOW)
    assert isinstance(effects[0], Persist)
    assert (effects[0].record.holder, effects[0].record.fence, effects[0].record.unclean) == ("student", 1, True)
    assert (effects[0].session, effects[0].request) == (STUDENT.session, "acquire-1")
    assert isinstance(effects[1], TellAgent)
    assert effects[1].message == RaiseFence(BENCH, 1)
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.IN_USE
    assert one(said_to_all(effects, LeaseChanged)).reason == "acquired"
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("acquire-1")]
    assert audited(effects) == ["lease"]


def test_asking_again_for_the_control_that_one_has_is_answered_and_changes_nothing() -> None:
    made = in_use()
    effects = made.acquire(STUDENT, "acquire-2", NOW)
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("acquire-2")]
    assert len(effects) == 1


def test_a_bench_that_is_not_online_cannot_be_taken() -> None:
    with pytest.raises(CallerError) as raised:
        standing().acquire(STUDENT, "acquire-1", NOW)
    assert raised.value.code is Code.BENCH_NOT_READY
    with pytest.raises(CallerError) as raised:
        in_use().acquire(MATE, "acquire-1", NOW)
    assert raised.value.code is Code.LEASE_TAKEN


def test_renewing_and_handing_over_are_persisted_and_told() -> None:
    made = in_use()
    renewed = made.renew(STUDENT, "renew-001", 1, NOW + 500.0)
    assert one(persisted(renewed)).expires_ms == NOW + 1_500.0
    assert one(said_to_all(renewed, LeaseChanged)).reason == "renewed"
    handed = made.transfer(STUDENT, "transfer-1", "mate", "Mate", NOW + 600.0)
    assert said_to_agent(handed, RaiseFence) == [RaiseFence(BENCH, 2)]
    assert one(persisted(handed)).holder == "mate"
    with pytest.raises(CallerError):
        made.renew(STUDENT, "renew-002", 1, NOW)


def test_when_a_lease_ends_the_bench_is_cleaned_up_before_it_is_free() -> None:
    made = in_use()
    effects = made.end_lease(LeaseEvent.RELEASED, NOW, STUDENT, "release-1")
    assert said_to_agent(effects, RaiseFence) == [RaiseFence(BENCH, 2)]
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.DRAINING
    assert one(persisted(effects)).holder is None
    assert said_to(effects, STUDENT, RequestDone) == [RequestDone("release-1")]
    after = cleaned(made, effects)
    assert one(persisted(after)).unclean is False
    assert one(said_to_all(after, BenchChanged)).state is BenchState.ONLINE


def test_a_clean_up_that_nobody_waits_for_changes_nothing() -> None:
    made = in_use()
    assert made.clean_up_finished(CleanUpFinished("other", BENCH, False), NOW) == []
    assert state(made) is BenchState.IN_USE


def test_what_cannot_be_verified_is_quarantined() -> None:
    made = in_use()
    effects = cleaned(made, made.end_lease(LeaseEvent.RELEASED, NOW), verified=False)
    assert one(persisted(effects)).quarantined == "The safe state could not be verified."
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.QUARANTINED
    assert "quarantined" in audited(effects)


def test_a_clean_up_that_does_not_end_is_a_failed_one() -> None:
    made = in_use()
    made.end_lease(LeaseEvent.RELEASED, NOW)
    assert made.next_ms == NOW + CLEAN_UP_MS
    assert made.due(NOW + CLEAN_UP_MS - 1.0) == []
    made.due(NOW + CLEAN_UP_MS)
    assert state(made) is BenchState.QUARANTINED
    assert made.next_ms is None


def test_quarantine_survives_restarts_of_gateway_and_agent() -> None:
    again = standing(quarantined().record)
    assert (again.state, again.text) == (BenchState.QUARANTINED, "Still 230 V.")
    effects = again.agent_came(5, None, NOW)
    assert said_to_all(effects, BenchChanged) == []
    assert again.agent_left() == []
    assert (again.state, again.text) == (BenchState.QUARANTINED, "Still 230 V.")
    with pytest.raises(CallerError):
        again.acquire(STUDENT, "acquire-1", NOW)


def test_a_supervisor_lifts_quarantine_by_a_clean_up_that_verifies() -> None:
    made = quarantined()
    effects = made.lift_quarantine(SUPERVISOR, "lift-0001", NOW)
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.DRAINING
    after = cleaned(made, effects)
    assert said_to(after, SUPERVISOR, RequestDone) == [RequestDone("lift-0001")]
    assert one(persisted(after)).quarantined is None
    assert state(made) is BenchState.ONLINE


def test_a_supervisor_is_told_why_quarantine_stays() -> None:
    made = quarantined()
    effects = made.lift_quarantine(SUPERVISOR, "lift-0001", NOW)
    after = cleaned(made, effects, verified=False, text="Still hot.")
    assert one(said_to(after, SUPERVISOR, RequestRefused)).code is Code.NOT_SAFE
    assert state(made) is BenchState.QUARANTINED
    made.lift_quarantine(SUPERVISOR, "lift-0002", NOW)
    assert one(said_to(made.agent_left(), SUPERVISOR, RequestRefused)).code is Code.AGENT_OFFLINE


def test_quarantine_is_lifted_only_where_there_is_one_and_an_agent() -> None:
    with pytest.raises(CallerError):
        online().lift_quarantine(SUPERVISOR, "lift-0001", NOW)
    made = quarantined()
    made.agent_left()
    with pytest.raises(OurError) as raised:
        made.lift_quarantine(SUPERVISOR, "lift-0001", NOW)
    assert raised.value.code is Code.AGENT_OFFLINE


def test_a_holder_who_is_gone_for_long_loses_the_bench_to_a_clean_up_and_then_the_seat() -> None:
    made = in_use()
    assert one(said_to_all(made.went_away("student", NOW), LeaseChanged)).reason == "away"
    assert made.went_away("student", NOW) == []
    assert made.next_ms == NOW + 30.0
    grace = made.due(NOW + 30.0)
    assert said_to_agent(grace, RaiseFence) == [RaiseFence(BENCH, 2)]
    assert state(made) is BenchState.DRAINING
    cleaned(made, grace)
    assert state(made) is BenchState.IN_USE
    seat = made.due(NOW + 120.0)
    assert one(said_to_all(seat, LeaseChanged)).reason == "abandoned"
    assert said_to_agent(seat, CleanUpBench) == []
    assert state(made) is BenchState.ONLINE


def test_a_holder_who_returns_to_a_kept_seat_goes_on_under_the_new_number() -> None:
    made = in_use()
    made.went_away("student", NOW)
    cleaned(made, made.due(NOW + 30.0))
    effects = made.came_back("student", NOW + 60.0)
    changed = one(said_to_all(effects, LeaseChanged))
    assert changed.reason == "returned"
    assert changed.lease is not None
    assert (changed.lease.fence, changed.lease.away) == (2, False)
    assert one(persisted(effects)).unclean
    assert made.came_back("student", NOW) == []
    assert made.came_back("mate", NOW) == []
    assert made.went_away("mate", NOW) == []


def test_a_holder_who_returns_during_the_clean_up_leaves_the_bench_to_be_cleaned_again_later() -> None:
    made = in_use()
    made.went_away("student", NOW)
    grace = made.due(NOW + 30.0)
    made.came_back("student", NOW + 31.0)
    after = cleaned(made, grace)
    assert one(persisted(after)).unclean
    assert state(made) is BenchState.IN_USE


def test_an_abandoned_bench_that_is_still_being_cleaned_is_cleaned_once_more() -> None:
    made = in_use()
    made.went_away("student", NOW)
    made.due(NOW + 30.0)
    effects = made.due(NOW + 120.0)
    cleaned(made, effects)
    assert state(made) is BenchState.ONLINE


def test_a_lease_that_runs_out_is_ended() -> None:
    made = in_use()
    effects = made.due(NOW + 1_000.0)
    assert one(said_to_all(effects, LeaseChanged)).reason == "expired"
    assert state(made) is BenchState.DRAINING


def test_an_agent_that_returns_finds_the_lease_as_it_was() -> None:
    made = in_use()
    assert one(said_to_all(made.agent_left(), BenchChanged)).state is BenchState.OFFLINE
    assert made.agent_left() == []
    effects = made.agent_came(1, None, NOW)
    assert said_to_agent(effects, RaiseFence) == [RaiseFence(BENCH, 1)]
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.IN_USE


def test_what_could_not_be_cleaned_without_the_agent_is_cleaned_when_it_returns() -> None:
    made = in_use()
    made.agent_left()
    ended = made.end_lease(LeaseEvent.REVOKED, NOW)
    assert said_to_agent(ended, CleanUpBench) == []
    assert state(made) is BenchState.OFFLINE
    effects = made.agent_came(1, None, NOW)
    assert one(said_to_all(effects, BenchChanged)).state is BenchState.DRAINING
    cleaned(made, effects)
    assert state(made) is BenchState.ONLINE


def test_a_clean_up_is_ordered_anew_when_the_agent_was_lost_in_between() -> None:
    made = in_use()
    first = one(said_to_agent(made.end_lease(LeaseEvent.RELEASED, NOW), CleanUpBench))
    made.agent_left()
    effects = made.agent_came(2, None, NOW + 5.0)
    assert one(said_to_agent(effects, CleanUpBench)).id != first.id
    assert made.clean_up_finished(CleanUpFinished(first.id, BENCH, True), NOW) == []


def test_a_seat_that_is_kept_is_still_kept_when_the_agent_returns() -> None:
    made = in_use()
    made.went_away("student", NOW)
    cleaned(made, made.due(NOW + 30.0))
    made.agent_left()
    made.agent_came(2, None, NOW + 40.0)
    assert state(made) is BenchState.IN_USE
    made.agent_left()
    effects = made.due(NOW + 120.0)
    assert one(said_to_all(effects, LeaseChanged)).reason == "abandoned"
    assert state(made) is BenchState.OFFLINE


def test_a_lease_and_its_dirt_survive_a_restart() -> None:
    again = standing(in_use().record)
    assert again.lease.holder == "student"
    again.agent_came(1, None, NOW)
    assert state(again) is BenchState.IN_USE
    again.due(NOW + 30.0)
    assert state(again) is BenchState.DRAINING


def test_an_agent_that_could_not_make_the_bench_safe_while_alone_puts_it_in_quarantine() -> None:
    made = in_use()
    made.agent_left()
    effects = made.agent_came(1, False, NOW)
    assert state(made) is BenchState.QUARANTINED
    assert one(said_to_all(effects, LeaseChanged)).reason == "revoked"
    again = in_use()
    again.agent_left()
    again.agent_came(1, True, NOW)
    assert state(again) is BenchState.IN_USE


def test_the_agents_fence_is_never_undercut() -> None:
    made = standing()
    made.agent_came(40, None, NOW)
    effects = made.acquire(STUDENT, "acquire-1", NOW)
    assert said_to_agent(effects, RaiseFence) == [RaiseFence(BENCH, 41)]


def test_a_disk_that_refuses_the_record_takes_the_bench_out_of_use() -> None:
    made = in_use()
    effects = made.quarantine("The disk is full.", NOW, BenchEvent.RECORD_LOST)
    assert persisted(effects) == []
    assert state(made) is BenchState.QUARANTINED
    assert said_to_agent(effects, RaiseFence) == [RaiseFence(BENCH, 2)]
    again = made.quarantine("The disk is still full.", NOW, BenchEvent.RECORD_LOST)
    assert one(said_to_all(again, BenchChanged)).text == "The disk is still full."


def test_time_does_nothing_to_a_bench_in_quarantine_but_end_its_lease() -> None:
    made = in_use()
    made.went_away("student", NOW)
    made.state = BenchState.QUARANTINED
    grace = made.due(NOW + 30.0)
    assert said_to_agent(grace, CleanUpBench) == []
    ended = made.due(NOW + 120.0)
    assert one(said_to_all(ended, LeaseChanged)).reason == "abandoned"
    assert state(made) is BenchState.QUARANTINED


def test_a_holder_who_flickers_during_the_clean_up_finds_the_kept_bench_in_use() -> None:
    made = in_use()
    made.went_away("student", NOW)
    effects = made.due(NOW + 30.0)
    made.came_back("student", NOW + 31.0)
    made.went_away("student", NOW + 32.0)
    cleaned(made, effects)
    made.due(NOW + 62.0)
    assert made.lease.state is LeaseState.KEPT
    made.came_back("student", NOW + 63.0)
    assert state(made) is BenchState.IN_USE
    made.end_lease(LeaseEvent.RELEASED, NOW + 64.0)
    assert state(made) is BenchState.DRAINING


def test_a_clean_up_that_the_disk_cut_short_ends_nothing_later() -> None:
    made = in_use()
    order = one(said_to_agent(made.end_lease(LeaseEvent.RELEASED, NOW), CleanUpBench))
    made.quarantine("The disk is full.", NOW, BenchEvent.RECORD_LOST)
    assert made.due(NOW + CLEAN_UP_MS + 1.0) == []
    assert made.clean_up_finished(CleanUpFinished(order.id, BENCH, True), NOW) == []
    assert state(made) is BenchState.QUARANTINED


def test_a_holder_is_told_the_number_that_an_agent_raised() -> None:
    made = in_use()
    made.agent_left()
    changed = one(said_to_all(made.agent_came(9, None, NOW), LeaseChanged))
    assert changed.lease is not None
    assert changed.lease.fence == 9
