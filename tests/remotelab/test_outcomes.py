from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import CommandStatus
from remotelab.messages import CommandFinished, Ledger
from remotelab.outcomes import Entry, Outcomes, OutcomeSettings, fingerprint, rough_size
from signaling.errors import CallerError, Code
from tests.remotelab.lab import NOW, command


def entry(name: str = "command-1", *, sent_ms: float = NOW + 1.0, print_: int | None = None) -> Entry:
    return Entry(name, print_, f"student/{name}", ("session",), sent_ms, NOW + 2.0)


def outcome(name: str = "command-1", value: object = 1.0) -> CommandFinished:
    return CommandFinished(name, CommandStatus.DONE, Ledger(NOW, NOW), value)


def finish(
    outcomes: Outcomes, name: str, *, at_ms: float = NOW, value: object = 1.0, sent_ms: float = NOW + 1.0
) -> Entry:
    kept = entry(name, sent_ms=sent_ms)
    outcomes.add(kept)
    outcomes.finish(kept, outcome(name, value), rough_size(value), at_ms)
    return kept


def test_the_same_command_again_is_known_and_another_under_its_id_is_refused() -> None:
    outcomes = Outcomes(NOW)
    assert outcomes.known(command()) is None
    kept = entry(print_=fingerprint(command()))
    outcomes.add(kept)
    assert outcomes.known(command()) is kept
    for other in (command(args={"voltage": 5.0}), command(fence=2), command(ttl_ms=5.0), command(action="pulse")):
        with pytest.raises(CallerError) as raised:
            outcomes.known(other)
        assert raised.value.code is Code.ID_REUSED


def test_an_id_whose_outcome_was_only_asked_for_fits_any_command() -> None:
    outcomes = Outcomes(NOW)
    kept = entry()
    outcomes.add(kept)
    assert outcomes.known(command()) is kept


@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=3))
def test_the_fingerprint_depends_on_the_content_only(args: dict[str, object]) -> None:
    one, again = command(args=dict(args)), command(args=dict(args))
    assert fingerprint(one) == fingerprint(again)
    assert fingerprint(dataclasses.replace(one, device="dmm")) != fingerprint(one)


def test_lists_among_the_arguments_are_compared_too() -> None:
    one, again, other = (command(args={"points": points}) for points in ([1.0, 2.0], [1.0, 2.0], [1.0, 3.0]))
    assert fingerprint(one) == fingerprint(again)
    assert fingerprint(one) != fingerprint(other)


def test_outcomes_are_kept_newest_last() -> None:
    outcomes = Outcomes(NOW)
    for name in ("command-1", "command-2", "command-3"):
        finish(outcomes, name)
    outcomes.add(entry("command-4"))
    assert [finished.id for finished in outcomes.latest(2)] == ["command-2", "command-3"]
    assert len(outcomes) == 4


def test_beyond_the_bound_the_oldest_is_forgotten_and_its_time_is_no_longer_covered() -> None:
    outcomes = Outcomes(NOW, OutcomeSettings(most=2))
    for number in range(3):
        finish(outcomes, f"command-{number}", sent_ms=NOW + 10.0 + number)
    assert outcomes.get("command-0") is None
    assert not outcomes.covers(NOW + 10.0)
    assert outcomes.covers(NOW + 11.0)


def test_what_is_old_is_forgotten_and_what_runs_is_not() -> None:
    outcomes = Outcomes(NOW, OutcomeSettings(keep_ms=100.0))
    outcomes.add(entry("running-1"))
    finish(outcomes, "command-1", at_ms=NOW)
    finish(outcomes, "command-2", at_ms=NOW + 50.0)
    outcomes.forget_old(NOW + 100.0)
    assert [outcomes.get(name) is None for name in ("running-1", "command-1", "command-2")] == [False, True, False]
    outcomes.forget_old(NOW + 1_000.0)
    assert len(outcomes) == 1


def test_nothing_from_before_the_memory_began_is_covered() -> None:
    assert not Outcomes(NOW).covers(NOW)
    assert Outcomes(NOW).covers(NOW + 0.1)


def test_large_values_are_shed_before_outcomes_are() -> None:
    outcomes = Outcomes(NOW, OutcomeSettings(most_bytes=100))
    small = finish(outcomes, "command-0", value=7.0)
    first, second = finish(outcomes, "command-1", value="x" * 60), finish(outcomes, "command-2", value="y" * 60)
    assert small.finished is not None
    assert small.finished.value == 7.0
    assert first.finished is not None
    assert first.finished.value is None
    assert first.finished.status is CommandStatus.DONE
    assert second.finished is not None
    assert second.finished.value == "y" * 60
    finish(outcomes, "command-3", value="z" * 200)
    assert all(finished.value in (7.0, None) for finished in outcomes.latest(9))
    outcomes.forget_old(NOW + 1e9)
    finish(outcomes, "command-4", value="w" * 90)
    assert outcomes.latest(1)[0].value == "w" * 90


@given(
    st.recursive(
        st.one_of(st.none(), st.floats(), st.text()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_size_is_never_negative_and_grows_with_what_is_inside(value: object) -> None:
    assert 0 <= rough_size(value) < rough_size([value])
    assert rough_size(value) < rough_size({"inside": value})
