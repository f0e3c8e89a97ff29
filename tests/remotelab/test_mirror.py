from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import CommandMode, Lane
from devices.queue import CommandQueue, Waiting
from remotelab.mirror import Newcomer, PortMirror, ServiceTime
from signaling.errors import Code, OurError

ORDERED, LATEST = CommandMode.ORDERED, CommandMode.LATEST


def newcomer(
    name: str,
    *,
    deadline_ms: float = 1_000.0,
    service_ms: float = 100.0,
    owner: str = "ada",
    lane: Lane = Lane.CONTROL,
    mode: CommandMode = ORDERED,
    target: str = "psu.set_voltage",
) -> Newcomer:
    return Newcomer(name, lane, deadline_ms, owner, mode, target, service_ms)


def refusal(mirror: PortMirror, command: Newcomer, now_ms: float = 0.0) -> OurError:
    before = (mirror.running, mirror.in_order)
    with pytest.raises(OurError) as raised:
        mirror.admit(command, now_ms)
    assert (mirror.running, mirror.in_order) == before
    return raised.value


def test_a_free_port_starts_at_once() -> None:
    mirror = PortMirror(4)
    assert mirror.admit(newcomer("a"), 0.0) == 0.0
    assert (mirror.running, len(mirror)) == ("a", 1)


def test_the_predicted_start_counts_all_that_goes_before() -> None:
    mirror = PortMirror(4)
    mirror.admit(newcomer("a", service_ms=100.0), 0.0)
    assert mirror.admit(newcomer("b", service_ms=30.0), 40.0) == 60.0
    assert mirror.admit(newcomer("c"), 40.0) == 90.0
    assert mirror.in_order == ["b", "c"]


def test_the_way_to_the_lab_counts() -> None:
    mirror = PortMirror(4)
    mirror.link_ms = 13.0
    assert mirror.admit(newcomer("a"), 0.0) == 13.0
    assert mirror.admit(newcomer("b"), 0.0) == 113.0
    mirror.clear()
    assert refusal(mirror, newcomer("c", deadline_ms=10.0)).code is Code.WOULD_BE_LATE


def test_a_full_queue_says_when_a_place_is_free() -> None:
    mirror = PortMirror(2)
    mirror.admit(newcomer("a"), 0.0)
    mirror.admit(newcomer("b"), 0.0)
    error = refusal(mirror, newcomer("c"), 70.0)
    assert (error.code, error.retry_after_ms) == (Code.QUEUE_FULL, 30.0)
    assert refusal(mirror, newcomer("c"), 170.0).retry_after_ms == 1.0


def test_a_command_that_would_start_late_is_refused_with_how_late() -> None:
    mirror = PortMirror(9)
    mirror.admit(newcomer("a"), 0.0)
    error = refusal(mirror, newcomer("b", deadline_ms=80.0))
    assert (error.code, error.retry_after_ms) == (Code.WOULD_BE_LATE, 20.0)
    mirror.admit(newcomer("b", deadline_ms=100.0), 0.0)


def test_a_command_that_would_make_another_late_is_refused() -> None:
    mirror = PortMirror(9)
    mirror.admit(newcomer("a"), 0.0)
    mirror.admit(newcomer("b", deadline_ms=150.0), 0.0)
    error = refusal(mirror, newcomer("c", deadline_ms=120.0, owner="bob"))
    assert (error.code, error.retry_after_ms) == (Code.WOULD_BE_LATE, 50.0)
    assert mirror.admit(newcomer("c", deadline_ms=120.0, owner="bob", service_ms=50.0), 0.0) == 100.0
    assert mirror.in_order == ["c", "b"]


def test_one_that_is_late_anyway_does_not_keep_others_out() -> None:
    mirror = PortMirror(9)
    mirror.admit(newcomer("a", service_ms=10.0), 0.0)
    mirror.admit(newcomer("b", deadline_ms=20.0), 0.0)
    # The first one takes much longer than was thought: what waits is late already, whoever comes.
    assert mirror.admit(newcomer("c", deadline_ms=900.0, owner="bob", mode=LATEST, lane=Lane.CLEAN_UP), 500.0) == 0.0


def test_a_latest_command_takes_the_place_of_the_waiting_one() -> None:
    mirror = PortMirror(2)
    mirror.admit(newcomer("a"), 0.0)
    mirror.admit(newcomer("b", mode=LATEST, service_ms=10.0), 0.0)
    assert mirror.admit(newcomer("c", mode=LATEST, service_ms=20.0), 0.0) == 100.0
    assert mirror.in_order == ["c"]
    mirror.finished("b", 100.0)
    assert mirror.running == "a"
    mirror.finished("a", 100.0)
    assert mirror.running == "c"


def test_what_ends_gives_way_to_the_next_in_order() -> None:
    mirror = PortMirror(9)
    for name in "abcd":
        mirror.admit(newcomer(name), 0.0)
    mirror.finished("c", 10.0)
    mirror.finished("nobody", 10.0)
    assert mirror.in_order == ["b", "d"]
    mirror.finished("a", 50.0)
    assert (mirror.running, mirror.in_order) == ("b", ["d"])
    assert mirror.admit(newcomer("e"), 50.0) == 200.0
    mirror.clear()
    mirror.finished("b", 60.0)
    assert (mirror.running, len(mirror)) == (None, 0)


def test_an_order_that_hung_on_a_command_relaxes_when_it_goes() -> None:
    mirror = PortMirror(9)
    mirror.admit(newcomer("running"), 0.0)
    mirror.admit(newcomer("ada-1", deadline_ms=900.0), 0.0)
    mirror.admit(newcomer("bob-1", deadline_ms=500.0, owner="bob"), 0.0)
    mirror.admit(newcomer("ada-2", deadline_ms=400.0), 0.0)
    assert mirror.in_order == ["ada-1", "ada-2", "bob-1"]
    mirror.finished("ada-2", 0.0)
    assert mirror.in_order == ["bob-1", "ada-1"]


def test_service_time_is_learned_smoothly_from_what_the_driver_expects() -> None:
    service = ServiceTime(100.0)
    assert service.predicted_ms == 100.0
    service.observe(180.0)
    assert (service.mean_ms, service.deviation_ms) == (110.0, 20.0)
    for _ in range(200):
        service.observe(40.0)
    assert service.predicted_ms == pytest.approx(40.0, abs=0.1)


commands = st.builds(
    newcomer,
    st.uuids().map(str),
    deadline_ms=st.integers(1_000_000, 1_000_020).map(float),
    service_ms=st.just(1.0),
    owner=st.sampled_from(["ada", "bob", ""]),
    lane=st.sampled_from([Lane.CONTROL, Lane.QUERY]),
    mode=st.sampled_from(CommandMode),
    target=st.sampled_from(["psu.set_voltage", "psu.set_current"]),
)
acts = st.lists(st.one_of(commands, st.just("next"), st.integers(0, 20)), max_size=60)


@settings(max_examples=200)
@given(acts)
def test_the_order_is_that_of_the_queue_beside_the_port(acts: list[Newcomer | str | int]) -> None:
    """The same commands in the agent's real queue and in the mirror: the same order after each step."""
    mirror, queue = PortMirror(8), CommandQueue(8)
    mirror.admit(newcomer("first"), 0.0)
    for act in acts:
        if isinstance(act, Newcomer):
            with contextlib.suppress(OurError):
                mirror.admit(act, 0.0)
                queue.push(Waiting(act.id, act.lane, act.deadline_ms, act.owner, act.mode, act.target))
        elif act == "next":
            following = queue.pop()
            mirror.finished(mirror.running or "", 0.0)
            assert mirror.running == (following.id if following else None)
            if following is None:
                mirror.admit(newcomer("again"), 0.0)
        elif isinstance(act, int) and act < len(mirror.in_order):
            gone = mirror.in_order[act]
            mirror.finished(gone, 0.0)
            queue.remove(gone)
        assert mirror.in_order == [waiting.id for waiting in queue.in_order()]


@given(st.lists(commands, max_size=20), st.floats(0.0, 100.0))
def test_predictions_agree_with_running_the_whole_queue(waiting: list[Newcomer], now_ms: float) -> None:
    mirror = PortMirror(50)
    mirror.admit(newcomer("first", service_ms=50.0), 0.0)
    for command in waiting:
        start_in_ms = mirror.admit(command, now_ms)
        before = mirror.in_order.index(command.id)
        assert start_in_ms == pytest.approx(max(now_ms, 50.0) + before - now_ms)
