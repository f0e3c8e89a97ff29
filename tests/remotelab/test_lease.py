from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from remotelab.lease import TRANSITIONS, LeaseEvent, LeaseKeeper, LeaseSettings, LeaseState
from signaling.errors import CallerError, Code

SETTINGS = LeaseSettings(term_ms=1_000.0, grace_ms=30.0, seat_ms=120.0)


def held(by: str = "ada") -> LeaseKeeper:
    lease = LeaseKeeper(SETTINGS)
    assert lease.acquire(by, by.title(), 0.0)
    return lease


def test_a_free_lease_is_taken_for_a_term() -> None:
    lease = held()
    assert lease.shown is not None
    assert (lease.shown.participant, lease.shown.fence, lease.shown.expires_ms) == ("ada", 1, 1_000.0)
    assert lease.acquire("ada", "Ada", 10.0) is False
    assert lease.fence == 1


def test_somebody_else_is_told_who_has_it_and_until_when() -> None:
    with pytest.raises(CallerError) as raised:
        held().acquire("bob", "Bob", 400.0)
    assert raised.value.code is Code.LEASE_TAKEN
    assert "Ada" in raised.value.text
    assert raised.value.retry_after_ms == 600.0


def test_only_the_holder_with_the_newest_number_may_command() -> None:
    lease = held()
    lease.check("ada", 1)
    for participant, fence, code in [("bob", 1, Code.NOT_CONTROLLER), ("ada", 0, Code.STALE_FENCE)]:
        with pytest.raises(CallerError) as raised:
            lease.check(participant, fence)
        assert raised.value.code is code
    with pytest.raises(CallerError, match="Take control first"):
        LeaseKeeper().check("ada", 0)


def test_renewing_gives_another_term_under_the_same_number() -> None:
    lease = held()
    lease.renew(900.0)
    assert (lease.expires_ms, lease.fence) == (1_900.0, 1)


def test_handing_over_raises_the_number() -> None:
    lease = held()
    lease.transfer("bob", "Bob", 500.0)
    assert (lease.holder, lease.fence, lease.expires_ms) == ("bob", 2, 1_500.0)
    with pytest.raises(CallerError):
        LeaseKeeper().transfer("bob", "Bob", 0.0)


@pytest.mark.parametrize("event", [LeaseEvent.RELEASED, LeaseEvent.REVOKED, LeaseEvent.EXPIRED])
def test_an_ended_lease_leaves_a_higher_number(event: LeaseEvent) -> None:
    lease = held()
    lease.end(event)
    assert (lease.is_held, lease.shown, lease.fence) == (False, None, 2)
    with pytest.raises(CallerError):
        lease.end(event)


def test_a_holder_who_returns_within_the_grace_time_goes_on() -> None:
    lease = held()
    lease.went_away(100.0)
    assert lease.shown is not None
    assert lease.shown.away
    assert lease.due(129.0) is None
    lease.returned()
    assert (lease.state, lease.fence) == (LeaseState.HELD, 1)


def test_after_the_grace_time_the_seat_is_kept_under_a_higher_number() -> None:
    lease = held()
    lease.went_away(100.0)
    assert lease.next_ms == 130.0
    assert lease.due(130.0) is LeaseEvent.GRACE_PASSED
    lease.grace_passed()
    assert (lease.state, lease.fence, lease.next_ms) == (LeaseState.KEPT, 2, 220.0)
    assert lease.due(219.0) is None
    assert lease.due(220.0) is LeaseEvent.ABANDONED
    lease.returned()
    assert (lease.state, lease.fence) == (LeaseState.HELD, 2)


def test_a_term_ends_even_while_the_holder_is_away() -> None:
    lease = held()
    assert lease.next_ms == 1_000.0
    lease.went_away(999.0)
    assert lease.next_ms == 1_000.0
    assert lease.due(1_000.0) is LeaseEvent.EXPIRED


def test_a_free_lease_has_nothing_to_wait_for() -> None:
    lease = LeaseKeeper()
    assert lease.next_ms is None
    assert lease.due(1e15) is None


def test_what_was_on_disk_is_taken_up_with_the_holder_away() -> None:
    lease = LeaseKeeper(SETTINGS)
    lease.restore(7, "ada", "Ada", 900.0, 50.0)
    assert (lease.state, lease.fence, lease.next_ms) == (LeaseState.AWAY, 7, 80.0)
    free = LeaseKeeper(SETTINGS)
    free.restore(7, None, "", 0.0, 50.0)
    assert (free.state, free.fence) == (LeaseState.FREE, 7)


def test_a_number_that_an_agent_has_seen_is_never_undercut() -> None:
    lease = held()
    lease.raise_fence(41)
    lease.raise_fence(3)
    assert lease.fence == 41


@given(st.sampled_from(LeaseState), st.sampled_from(LeaseEvent))
def test_an_event_that_is_not_in_the_table_is_impossible(state: LeaseState, event: LeaseEvent) -> None:
    lease = LeaseKeeper()
    lease.state = state
    if event in TRANSITIONS[state]:
        lease._move(event)
        assert lease.state is TRANSITIONS[state][event]
    else:
        with pytest.raises(ValueError, match="cannot be"):
            lease._move(event)


class LeaseLife(RuleBasedStateMachine):
    """Whatever people and time do: the fence only grows, and no two holders ever share one."""

    def __init__(self) -> None:
        super().__init__()
        self.lease = LeaseKeeper(SETTINGS)
        self.now_ms = 0.0
        self.fence = 0
        self.holders: dict[int, str] = {}

    @rule(who=st.sampled_from(["ada", "bob"]))
    def acquire(self, who: str) -> None:
        try:
            self.lease.acquire(who, who, self.now_ms)
        except CallerError:
            assert self.lease.is_held

    @rule(who=st.sampled_from(["ada", "bob"]))
    def transfer(self, who: str) -> None:
        if self.lease.is_held:
            self.lease.transfer(who, who, self.now_ms)

    @rule(event=st.sampled_from([LeaseEvent.RELEASED, LeaseEvent.REVOKED, LeaseEvent.EXPIRED]))
    def end(self, event: LeaseEvent) -> None:
        if event in TRANSITIONS[self.lease.state]:
            self.lease.end(event)

    @rule()
    def leave_or_return(self) -> None:
        if self.lease.state is LeaseState.HELD:
            self.lease.went_away(self.now_ms)
        elif self.lease.is_held:
            self.lease.returned()

    @rule(pause_ms=st.floats(0.0, 200.0))
    def time_passes(self, pause_ms: float) -> None:
        self.now_ms += pause_ms
        match self.lease.due(self.now_ms):
            case LeaseEvent.GRACE_PASSED:
                self.lease.grace_passed()
            case LeaseEvent() as event:
                self.lease.end(event)

    @invariant()
    def the_fence_only_grows_and_names_one_holder(self) -> None:
        assert self.lease.fence >= self.fence
        self.fence = self.lease.fence
        if self.lease.holder is not None:
            assert self.holders.setdefault(self.fence, self.lease.holder) == self.lease.holder

    @invariant()
    def what_is_due_is_never_before_its_time(self) -> None:
        next_ms = self.lease.next_ms
        assert (next_ms is None) == (not self.lease.is_held)
        if next_ms is not None:
            assert (self.lease.due(self.now_ms) is not None) == (next_ms <= self.now_ms)


TestLeaseLife = LeaseLife.TestCase


def test_a_clock_that_was_set_back_prolongs_no_lease() -> None:
    lease = LeaseKeeper(LeaseSettings(term_ms=1_000.0))
    lease.restore(3, "student", "Student", 10_000_000.0, 5_000.0)
    assert lease.expires_ms == 6_000.0
