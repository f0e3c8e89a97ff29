from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remotelab.bench_state import TRANSITIONS, BenchEvent, after
from remotelab.messages import BenchState


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(BenchState)


def test_every_state_can_be_left_and_reached() -> None:
    reached = {following for row in TRANSITIONS.values() for following in row.values()}
    assert reached == set(BenchState)
    assert all(set(row.values()) - {state} for state, row in TRANSITIONS.items())


@given(st.sampled_from(BenchState), st.sampled_from(BenchEvent))
def test_an_event_follows_the_table_or_is_refused(state: BenchState, event: BenchEvent) -> None:
    if event in TRANSITIONS[state]:
        assert after(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(ValueError, match="cannot happen"):
            after(state, event)


def test_quarantine_is_left_only_by_a_supervisor() -> None:
    leaving = [event for event, to in TRANSITIONS[BenchState.QUARANTINED].items() if to is not BenchState.QUARANTINED]
    assert leaving == [BenchEvent.QUARANTINE_LIFTED]


def test_a_bench_is_free_only_after_its_safe_state_is_certain() -> None:
    to_online = {
        (state, event) for state, row in TRANSITIONS.items() for event, to in row.items() if to is BenchState.ONLINE
    }
    assert to_online == {
        (BenchState.OFFLINE, BenchEvent.CAME_FREE),
        (BenchState.IN_USE, BenchEvent.VACATED),
        (BenchState.DRAINING, BenchEvent.VERIFIED_FREE),
    }
