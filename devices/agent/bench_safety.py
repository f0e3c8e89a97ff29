"""A bench's stop, its clean-up, and its safe state when nobody commands it any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from devices.agent.clock import ServerTime
from devices.agent.execution import Execution, NotStarted, Outcomes
from devices.agent.port_agenda import SafeResult
from devices.agent.port_worker import PortWorker
from devices.journal import StopLatched
from devices.journal_file import JournalFile
from devices.messages import BenchStopCleared, BenchStopped, CleanUpFinished
from devices.model import BenchDescription, Lane
from signaling.errors import Code

logger = logging.getLogger(__name__)


class Teller(Protocol):
    """Tells the gateway things, while there is a link."""

    def tell(self, message: object, *, first: bool = False) -> None:
        """Something that matters."""
        ...

    def tell_latest(self, key: str, message: object) -> None:
        """Something of which only the newest per key matters."""
        ...

    def publish(self) -> None:
        """How all benches stand."""
        ...


@dataclass(frozen=True, slots=True)
class BenchContext:
    """What all benches of an agent share."""

    time: ServerTime
    outcomes: Outcomes
    journal: JournalFile
    teller: Teller
    started_ms: float
    """When the agent started, on its own clock."""


class BenchSafety:
    """See the module. Every port does its part; the bench has done it once all have."""

    def __init__(
        self,
        description: BenchDescription,
        context: BenchContext,
        workers: Mapping[str, PortWorker],
        cancel: Callable[[Callable[[Execution], bool], NotStarted], None],
    ) -> None:
        self.description = description
        self.made_safe: bool | None = None
        """Set when the gateway was away for too long: whether the safe state was then verified."""
        self.has_failed = False
        """Whether an interlock's last call for the safe state could not be verified."""
        self.is_stopped = context.journal.journal.is_stopped(description.name)
        """Whether only queries run."""
        self.owes_stop = self.is_stopped
        """Whether the safe state of a stop has yet to be verified: a crash may have cut it short."""
        self.is_becoming_safe = False
        """Whether the bench is being brought to its safe state because the gateway was away for too long."""
        self._name = description.name
        self._context = context
        self._workers = workers
        self._cancel = cancel
        self._away: asyncio.TimerHandle | None = None

    def stop(self, request: str) -> None:
        """Cancel everything, break off what runs, bring the bench to its safe state; only queries run until cleared."""
        self.is_stopped = True
        self._context.journal.write_if_possible(StopLatched(self._name, True))
        self._cancel(lambda execution: True, NotStarted(Code.STOPPED, "The bench was stopped."))

        def answer(result: SafeResult) -> None:
            on_server, problems = self._context.time.on_server, "; ".join(result.problems)
            self._note_stop(result)
            first_ms, last_ms = on_server(result.first_byte_ms), on_server(result.last_byte_ms)
            stopped = BenchStopped(request, self._name, not problems, problems, first_ms, last_ms)
            self._context.teller.tell(stopped, first=True)

        self._bring_to_safety(Lane.STOP, answer)

    def clear_stop(self, request: str) -> None:
        """Let commands run again."""
        self.is_stopped = self.owes_stop = False
        self._context.journal.write_if_possible(StopLatched(self._name, False))
        self._context.teller.tell(BenchStopCleared(request, self._name))

    def clean_up(self, request: str) -> None:
        """Bring the bench to its safe state after a lease."""

        def answer(result: SafeResult) -> None:
            problems = "; ".join(result.problems)
            self._context.teller.tell(CleanUpFinished(request, self._name, not problems, problems))

        self._bring_to_safety(Lane.CLEAN_UP, answer)

    def make_safe(self) -> None:
        """Bring the bench to its safe state of one's own accord: an interlock wants it."""

        def note(result: SafeResult) -> None:
            self.has_failed = bool(result.problems)
            if not self.has_failed:
                self._context.teller.tell(CleanUpFinished("", self._name, True))

        self.has_failed = False
        self._bring_to_safety(Lane.CLEAN_UP, note)

    def link_lost(self) -> None:
        """Nobody commands the bench any more: what waits ends, and after a while the bench becomes safe by itself."""
        self._cancel(lambda execution: True, NotStarted(Code.LINK_LOST, "The lab lost its link before it could start."))
        if self._away is None:
            delay_s = self.description.link_loss_ms / 1_000.0
            self._away = asyncio.get_running_loop().call_later(delay_s, self._away_too_long)

    def link_found(self) -> None:
        """The gateway is back and has been told how the bench stands."""
        self.close()
        self.made_safe = None

    def device_returned(self) -> None:
        """A device is there again that may have been away when the bench became safe by itself, or was stopped."""
        if self.owes_stop:
            self._bring_to_safety(Lane.STOP, self._note_stop)
        if self.made_safe is False:
            self._make_safe_while_away()

    def _note_stop(self, result: SafeResult) -> None:
        self.owes_stop = self.is_stopped and bool(result.problems)

    def close(self) -> None:
        """Stop the timer."""
        if self._away is not None:
            self._away.cancel()
            self._away = None

    def _away_too_long(self) -> None:
        logger.warning("%s: the gateway is away too long; the bench is brought to its safe state", self._name)
        self.made_safe = False
        self._make_safe_while_away()

    def _make_safe_while_away(self) -> None:
        def note(result: SafeResult) -> None:
            self.is_becoming_safe = False
            if self.made_safe is not None:
                self.made_safe = not result.problems
                self._context.teller.publish()

        self.is_becoming_safe = True
        self._bring_to_safety(Lane.CLEAN_UP, note)

    def _bring_to_safety(self, lane: Lane, done: Callable[[SafeResult], None]) -> None:
        """Have every port do it, and tell once all have."""
        workers = list(self._workers.values())
        results: list[SafeResult] = []

        def one_more(result: SafeResult) -> None:
            results.append(result)
            if len(results) == len(workers):
                whole = _merged(results)
                for problem in whole.problems:
                    logger.error("%s: the safe state is not verified: %s", self._name, problem)
                done(whole)

        if not workers:
            done(SafeResult(("it has no port",)))
        for worker in workers:
            worker.make_safe(lane, one_more)


def _merged(results: list[SafeResult]) -> SafeResult:
    first = [result.first_byte_ms for result in results if result.first_byte_ms is not None]
    last = [result.last_byte_ms for result in results if result.last_byte_ms is not None]
    problems = tuple(problem for result in results for problem in result.problems)
    return SafeResult(problems, min(first, default=None), max(last, default=None))
