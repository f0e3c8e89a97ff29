"""The queue against a simple list that is obviously right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import CommandMode, Lane
from devices.queue import CommandQueue, Waiting
from signaling.errors import Code, OurError

LANES = list(Lane)


def waiting(
    entry_id: str,
    deadline_ms: float = 100.0,
    *,
    lane: Lane = Lane.CONTROL,
    owner: str = "",
    mode: CommandMode = CommandMode.ORDERED,
    target: str = "",
) -> Waiting:
    return Waiting(entry_id, lane, deadline_ms, owner, mode, target)


def ids(entries: Iterable[Waiting]) -> list[str]:
    return [entry.id for entry in entries]


def drained(queue: CommandQueue) -> list[str]:
    order = []
    while (entry := queue.pop()) is not None:
        order.append(entry.id)
    return order


def test_lanes_go_strictly_before_each_other() -> None:
    queue = CommandQueue(8)
    for lane in reversed(LANES):
        queue.push(waiting(lane.value, 1.0 if lane is Lane.POLLING else 1_000.0, lane=lane))
    assert drained(queue) == [lane.value for lane in LANES]


def test_the_earliest_deadline_goes_first_and_equals_keep_their_order() -> None:
    queue = CommandQueue(8)
    for entry_id, deadline_ms in [("c", 300), ("a", 100), ("b", 100)]:
        queue.push(waiting(entry_id, deadline_ms))
    assert ids(queue.in_order()) == drained(queue) == ["a", "b", "c"]


def test_an_owners_ordered_commands_keep_their_order_and_lend_their_urgency() -> None:
    queue = CommandQueue(8)
    queue.push(waiting("other", 200, owner="bo"))
    queue.push(waiting("first", 900, owner="an", lane=Lane.QUERY))
    queue.push(waiting("second", 100, owner="an"))
    queue.push(waiting("third", 500, owner="an"))
    assert ids(queue.in_order()) == ["first", "second", "other", "third"]
    assert drained(queue) == ["first", "second", "other", "third"]


def test_what_a_cancelled_command_had_lent_is_taken_back() -> None:
    queue = CommandQueue(8)
    queue.push(waiting("first", 900, owner="an"))
    queue.push(waiting("urgent", 100, owner="an"))
    queue.push(waiting("other", 200, owner="bo"))
    queue.push(waiting("last", 950, owner="an"))
    assert queue.remove("urgent") is not None
    assert ids(queue.in_order()) == ["other", "first", "last"]
    assert queue.remove("urgent") is None
    assert drained(queue) == ["other", "first", "last"]


def test_a_newer_latest_command_takes_the_place_of_the_waiting_one() -> None:
    queue = CommandQueue(2)
    queue.push(waiting("old", 100, mode=CommandMode.LATEST, target="psu.set_voltage"))
    queue.push(waiting("other", 200))
    superseded = queue.push(waiting("new", 900, mode=CommandMode.LATEST, target="psu.set_voltage"))
    assert superseded is not None
    assert superseded.id == "old"
    assert "old" not in queue
    assert "new" in queue
    assert len(queue) == 2
    assert queue.next_deadline_ms == 200
    assert drained(queue) == ["new", "other"]


def test_a_latest_command_with_an_earlier_deadline_moves_forward() -> None:
    queue = CommandQueue(4)
    queue.push(waiting("other", 200))
    queue.push(waiting("old", 300, mode=CommandMode.LATEST, target="t"))
    queue.push(waiting("new", 100, mode=CommandMode.LATEST, target="t"))
    assert drained(queue) == ["new", "other"]


def test_a_latest_command_that_ran_is_not_replaced() -> None:
    queue = CommandQueue(4)
    queue.push(waiting("old", mode=CommandMode.LATEST, target="t"))
    queue.pop()
    assert queue.push(waiting("new", mode=CommandMode.LATEST, target="t")) is None


def test_a_full_queue_refuses_commands_but_never_a_stop_or_a_clean_up_or_polling() -> None:
    queue = CommandQueue(2)
    queue.push(waiting("a"))
    queue.push(waiting("b", lane=Lane.QUERY))
    with pytest.raises(OurError) as caught:
        queue.push(waiting("c"))
    assert caught.value.code is Code.QUEUE_FULL
    assert "c" not in queue
    for lane in (Lane.STOP, Lane.CLEAN_UP, Lane.POLLING):
        queue.push(waiting(lane.value, lane=lane))
        assert queue.waiting_in(lane) == 1
    with pytest.raises(OurError):
        queue.push(waiting("second stop", lane=Lane.STOP))


def test_an_id_waits_only_once() -> None:
    queue = CommandQueue(2)
    queue.push(waiting("a"))
    with pytest.raises(ValueError, match="waits already"):
        queue.push(waiting("a"))


def test_expiry_takes_everything_whose_deadline_has_come() -> None:
    queue = CommandQueue(8)
    for entry_id, deadline_ms in [("b", 20), ("a", 10), ("c", 30)]:
        queue.push(waiting(entry_id, deadline_ms))
    assert ids(queue.expire(20)) == ["a", "b"]
    assert queue.next_deadline_ms == 30
    assert queue.expire(29) == []
    assert drained(queue) == ["c"]
    assert queue.next_deadline_ms is None


def test_cancelling_returns_what_it_took_in_order_of_arrival() -> None:
    queue = CommandQueue(8)
    for entry_id, owner in [("a", "an"), ("b", "bo"), ("c", "an")]:
        queue.push(waiting(entry_id, owner=owner))
    assert ids(queue.cancel(lambda entry: entry.owner == "an")) == ["a", "c"]
    assert drained(queue) == ["b"]


def test_what_left_early_does_not_pile_up() -> None:
    queue = CommandQueue(8)
    queue.push(waiting("head", 1, owner="an"))
    queue.push(waiting("knob", 9, mode=CommandMode.LATEST, target="t"))
    for number in range(2_000):
        queue.push(waiting(f"o{number}", 1e9 - number, owner="an"))
        queue.push(waiting(f"s{number}", 0.5, lane=Lane.STOP))
        queue.push(waiting(f"l{number}", 1e6 + number, mode=CommandMode.LATEST, target="t"))
        queue.remove(f"o{number}")
        queue.remove(f"s{number}")
    assert len(queue) == 2
    assert max(len(queue._heads), len(queue._deadlines), len(queue._chains["an"].items)) < 100
    assert drained(queue) == ["head", "l1999"]


@dataclass
class ListQueue:
    """The model: one list, everything computed anew each time."""

    depth: int
    entries: list[tuple[Waiting, tuple[int, float, int]]] = field(default_factory=list)
    arrivals: int = 0

    def push(self, entry: Waiting) -> str | None:
        self.arrivals += 1
        for index, (old, key) in enumerate(self.entries):
            latest = entry.mode is old.mode is CommandMode.LATEST
            if latest and (old.lane, old.target) == (entry.lane, entry.target):
                self.entries[index] = (entry, (key[0], min(key[1], entry.deadline_ms), key[2]))
                return old.id
        shared = (Lane.CONTROL, Lane.QUERY)
        lanes = shared if entry.lane in shared else (entry.lane,)
        places = {Lane.STOP: 1, Lane.CLEAN_UP: 1, Lane.POLLING: 256}.get(entry.lane, self.depth)
        if sum(old.lane in lanes for old, _ in self.entries) >= places:
            return "refused"
        self.entries.append((entry, (LANES.index(entry.lane), entry.deadline_ms, self.arrivals)))
        return None

    def order(self) -> list[str]:
        left, order = list(self.entries), []
        while left:
            _, chain = min((key, self.chain(entry, key)) for entry, key in left)
            head = next(place for place in left if self.chain(*place) == chain)
            left.remove(head)
            order.append(head[0].id)
        return order

    @staticmethod
    def chain(entry: Waiting, key: tuple[int, float, int]) -> str:
        is_ordered = entry.mode is CommandMode.ORDERED and entry.owner
        return f"owner {entry.owner}" if is_ordered else f"alone {key[2]}"

    def take(self, chosen: set[str]) -> None:
        self.entries = [(entry, key) for entry, key in self.entries if entry.id not in chosen]


PUSH = st.tuples(
    st.just("push"),
    st.sampled_from(LANES + [Lane.CONTROL, Lane.QUERY] * 3),
    st.integers(0, 20),
    st.sampled_from(["", "an", "bo"]),
    st.sampled_from(CommandMode),
    st.sampled_from(["t", "u"]),
)
ACT = st.one_of(
    PUSH,
    PUSH,
    st.tuples(st.just("pop")),
    st.tuples(st.just("expire"), st.integers(0, 20)),
    st.tuples(st.just("cancel"), st.sampled_from(["", "an", "bo"])),
    st.tuples(st.just("remove"), st.integers(0, 7)),
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 6), st.lists(ACT, max_size=60))
def test_it_behaves_like_the_list(depth: int, acts: list[tuple[object, ...]]) -> None:
    queue, model = CommandQueue(depth), ListQueue(depth)
    for number, act in enumerate(acts):
        step(queue, model, str(number), act)
        assert len(queue) == len(model.entries)
        assert ids(queue.in_order()) == model.order()
        deadlines = [entry.deadline_ms for entry, _ in model.entries]
        assert queue.next_deadline_ms == (min(deadlines) if deadlines else None)
    assert drained(queue) == model.order()


def step(queue: CommandQueue, model: ListQueue, entry_id: str, act: tuple[object, ...]) -> None:
    match act:
        case ("push", Lane() as lane, int(deadline_ms), str(owner), CommandMode() as mode, str(target)):
            entry = Waiting(entry_id, lane, deadline_ms, owner, mode, target)
            expected = model.push(entry)
            try:
                superseded = queue.push(entry)
            except OurError:
                assert expected == "refused"
            else:
                assert expected == (superseded.id if superseded else None)
        case ("pop",):
            popped = queue.pop()
            order = model.order()
            assert (popped.id if popped else None) == (order[0] if order else None)
            model.take(set(order[:1]))
        case ("expire", int(now_ms)):
            late = {entry.id for entry, _ in model.entries if entry.deadline_ms <= now_ms}
            assert set(ids(queue.expire(now_ms))) == late
            model.take(late)
        case ("cancel", str(owner)):
            chosen = [entry.id for entry, _ in model.entries if entry.owner == owner]
            assert set(ids(queue.cancel(lambda entry: entry.owner == owner))) == set(chosen)
            model.take(set(chosen))
        case ("remove", int(index)):
            chosen = [entry.id for entry, _ in model.entries][index : index + 1] or ["unknown"]
            removed = queue.remove(chosen[0])
            assert (removed.id if removed else "unknown") == chosen[0]
            model.take(set(chosen))
