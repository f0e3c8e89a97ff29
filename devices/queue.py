"""The queue of one port: who goes next, and who must not go any more. Pure.

Lanes go strictly before each other (stop, clean-up, control, query, polling); inside a lane the earliest deadline goes
first. The ``ordered`` commands of one owner form a *chain* that runs in the order in which it came: each of them
inherits the most urgent lane and deadline among those behind it, so that keeping the order does not make a later one
late. A ``latest`` command takes the place of the waiting one with the same target.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from devices.model import CommandMode, Lane
from signaling.errors import Code, OurError

_RANK = {lane: rank for rank, lane in enumerate(Lane)}
_SHARED = (Lane.CONTROL, Lane.QUERY)
_OWN_PLACES = {Lane.STOP: 1, Lane.CLEAN_UP: 1, Lane.POLLING: 256}

_Key: TypeAlias = tuple[int, float, int]
"""Lane, deadline and number of arrival: the smaller goes first; no two are equal."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for the port. ``deadline_ms`` is on whichever clock the queue's user keeps."""

    id: str
    lane: Lane
    deadline_ms: float
    owner: str = ""
    """Whose order is kept; nobody's when empty."""
    mode: CommandMode = CommandMode.ORDERED
    target: str = ""
    """What a ``latest`` command sets, for example ``psu.set_voltage``."""
    payload: object = None


class _Chain:
    """Entries that run in the order in which they came: one owner's, or a single entry that nobody orders."""

    __slots__ = ("items", "keys", "owner", "urgent", "version")

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.items: deque[_Item] = deque()
        self.keys: list[tuple[_Key, _Item]] = []
        self.urgent: _Key | None = None
        self.version = 0


class _Item:
    __slots__ = ("chain", "entry", "key", "waits")

    def __init__(self, entry: Waiting, key: _Key, chain: _Chain) -> None:
        self.entry = entry
        self.key = key
        self.chain = chain
        self.waits = True


class CommandQueue:
    """A bounded queue: ``depth`` places for control and query together, and reserved places for the other lanes.

    So neither a flood of commands nor polling can keep a stop or a clean-up out. All acts cost O(log n) but
    :meth:`cancel` and :meth:`in_order`.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._arrivals = 0
        self._items: dict[str, _Item] = {}
        self._chains: dict[str, _Chain] = {}
        self._targets: dict[tuple[Lane, str], _Item] = {}
        self._heads: list[tuple[_Key, int, _Chain]] = []
        self._deadlines: list[tuple[float, int, _Item, Waiting]] = []
        self._taken = dict.fromkeys(Lane, 0)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._items

    def waiting_in(self, lane: Lane) -> int:
        """How many wait in one lane."""
        return self._taken[lane]

    def push(self, entry: Waiting) -> Waiting | None:
        """Let an entry wait, and return the one whose place it took, if any.

        Raises :class:`OurError` ``queue_full``; then nothing has changed. Raises ``ValueError`` for an id that waits
        already.
        """
        if entry.id in self._items:
            raise ValueError(f"{entry.id} waits already")
        if entry.mode is CommandMode.LATEST and (item := self._targets.get((entry.lane, entry.target))) is not None:
            return self._replace(item, entry)
        self._refuse_when_full(entry.lane)
        chain = self._chain_for(entry)
        self._arrivals += 1
        item = _Item(entry, (_RANK[entry.lane], entry.deadline_ms, self._arrivals), chain)
        chain.items.append(item)
        heapq.heappush(chain.keys, (item.key, item))
        self._items[entry.id] = item
        self._taken[entry.lane] += 1
        if entry.mode is CommandMode.LATEST:
            self._targets[entry.lane, entry.target] = item
        self._watch(item)
        self._settle(chain)
        return None

    def pop(self) -> Waiting | None:
        """Take out the entry whose turn it is; None when nothing waits."""
        while self._heads:
            _, version, chain = self._heads[0]
            if version == chain.version:
                item = chain.items[0]
                self._take(item)
                return item.entry
            heapq.heappop(self._heads)
        return None

    def remove(self, entry_id: str) -> Waiting | None:
        """Take out one entry; None when it does not wait."""
        item = self._items.get(entry_id)
        if item is None:
            return None
        self._take(item)
        return item.entry

    def expire(self, now_ms: float) -> list[Waiting]:
        """Take out everything whose deadline has come, earliest first."""
        late = []
        while (deadline_ms := self.next_deadline_ms) is not None and deadline_ms <= now_ms:
            item = self._deadlines[0][2]
            self._take(item)
            late.append(item.entry)
        return late

    def cancel(self, predicate: Callable[[Waiting], bool]) -> list[Waiting]:
        """Take out everything that the predicate names, in order of arrival."""
        chosen = [item for item in self._items.values() if predicate(item.entry)]
        for item in chosen:
            self._take(item)
        return [item.entry for item in sorted(chosen, key=lambda item: item.key[2])]

    def in_order(self) -> list[Waiting]:
        """Everything that waits, in the order in which it would run if nothing else came."""
        placed: list[tuple[_Key, int, Waiting]] = []
        for chain in {id(item.chain): item.chain for item in self._items.values()}.values():
            urgent: _Key | None = None
            for item in reversed(chain.items):
                if item.waits:
                    urgent = item.key if urgent is None else min(urgent, item.key)
                    placed.append((urgent, item.key[2], item.entry))
        return [entry for _, _, entry in sorted(placed, key=lambda place: place[:2])]

    @property
    def next_deadline_ms(self) -> float | None:
        """The earliest deadline of all that waits: when :meth:`expire` has work next."""
        while self._deadlines:
            deadline_ms, _, item, entry = self._deadlines[0]
            if item.waits and item.entry is entry:
                return deadline_ms
            heapq.heappop(self._deadlines)
        return None

    def _refuse_when_full(self, lane: Lane) -> None:
        if lane in _SHARED:
            taken, places = self._taken[Lane.CONTROL] + self._taken[Lane.QUERY], self.depth
        else:
            taken, places = self._taken[lane], _OWN_PLACES[lane]
        if taken >= places:
            raise OurError(Code.QUEUE_FULL, f"{taken} wait at this port already; no more are taken.")

    def _chain_for(self, entry: Waiting) -> _Chain:
        if entry.mode is CommandMode.LATEST or not entry.owner:
            return _Chain("")
        chain = self._chains.get(entry.owner)
        if chain is None:
            chain = self._chains[entry.owner] = _Chain(entry.owner)
        return chain

    def _replace(self, item: _Item, entry: Waiting) -> Waiting:
        """Put a newer entry in an older one's place; a yet earlier deadline moves it forward."""
        old = item.entry
        item.entry = entry
        del self._items[old.id]
        self._items[entry.id] = item
        self._watch(item)
        if entry.deadline_ms < item.key[1]:
            item.key = (item.key[0], entry.deadline_ms, item.key[2])
            heapq.heappush(item.chain.keys, (item.key, item))
            self._settle(item.chain)
        return old

    def _take(self, item: _Item) -> None:
        entry, chain = item.entry, item.chain
        item.waits = False
        del self._items[entry.id]
        self._taken[entry.lane] -= 1
        if entry.mode is CommandMode.LATEST:
            del self._targets[entry.lane, entry.target]
        while chain.items and not chain.items[0].waits:
            chain.items.popleft()
        if len(chain.items) > 2 * len(self._items) + 32:
            chain.items = deque(item for item in chain.items if item.waits)
            chain.keys = [(item.key, item) for item in chain.items]
            heapq.heapify(chain.keys)
        self._settle(chain)

    def _settle(self, chain: _Chain) -> None:
        """Let a chain stand among the others where its most urgent entry belongs."""
        while chain.keys and not (chain.keys[0][1].waits and chain.keys[0][1].key == chain.keys[0][0]):
            heapq.heappop(chain.keys)
        urgent = chain.keys[0][0] if chain.keys else None
        if urgent == chain.urgent:
            return
        chain.urgent = urgent
        chain.version += 1
        if urgent is None:
            self._chains.pop(chain.owner, None)
            return
        heapq.heappush(self._heads, (urgent, chain.version, chain))
        if len(self._heads) > 2 * len(self._items) + 32:
            self._heads = [head for head in self._heads if head[1] == head[2].version]
            heapq.heapify(self._heads)

    def _watch(self, item: _Item) -> None:
        """Remember when an entry expires."""
        self._arrivals += 1
        heapq.heappush(self._deadlines, (item.entry.deadline_ms, self._arrivals, item, item.entry))
        if len(self._deadlines) > 2 * len(self._items) + 32:
            self._deadlines = [d for d in self._deadlines if d[2].waits and d[2].entry is d[3]]
            heapq.heapify(self._deadlines)
