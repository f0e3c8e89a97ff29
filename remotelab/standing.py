"""How a bench stands: its state, who has the control, whether it is clean, stopped or quarantined. Pure.

Every change that somebody may rely on is put on disk before it is said (``Persist`` comes first in the effects).
"""

from __future__ import annotations

from devices.messages import CleanUpBench, CleanUpFinished, RaiseFence
from remotelab.bench_state import BenchEvent, after
from remotelab.effects import BenchRecord, Effect, Persist, Record, Seat, Tell, TellAgent, TellAll
from remotelab.lease import LeaseEvent, LeaseKeeper, LeaseSettings, LeaseState
from remotelab.messages import BenchChanged, BenchState, LeaseChanged
from signaling.errors import CallerError, Code, DeviceError, OurError
from signaling.messages import RequestDone, RequestRefused

CLEAN_UP_MS = 60_000.0
"""A clean-up that has not ended by then has failed."""

_AWAY = "The lab PC of this bench is away."
_CLEANING = "The bench is being brought to its safe state."


class Standing:
    """The life of one bench. Acts return what is to be done; those that may not be done raise :class:`CallerError`."""

    def __init__(self, bench: str, record: BenchRecord | None, settings: LeaseSettings, now_ms: float) -> None:
        record = record or BenchRecord(bench)
        self.bench = bench
        self.lease = LeaseKeeper(settings)
        self.lease.restore(record.fence, record.holder, record.holder_name, record.expires_ms, now_ms)
        self.state = BenchState.OFFLINE if record.quarantined is None else BenchState.QUARANTINED
        self.text = _AWAY if record.quarantined is None else record.quarantined
        self.stopped = record.stopped
        self.is_agent_here = False
        self._unclean = record.unclean
        self._clean_up: str | None = None
        self._clean_up_until_ms = 0.0
        self._lifting: tuple[Seat, str] | None = None

    @property
    def record(self) -> BenchRecord:
        """What must survive a restart."""
        return BenchRecord(
            bench=self.bench,
            fence=self.lease.fence,
            holder=self.lease.holder,
            holder_name=self.lease.holder_name,
            expires_ms=self.lease.expires_ms,
            unclean=self._unclean,
            quarantined=self.text if self.state is BenchState.QUARANTINED else None,
            stopped=self.stopped,
        )

    @property
    def next_ms(self) -> float | None:
        """When :meth:`due` has something to do at the earliest."""
        times = [time for time in (self.lease.next_ms, self._clean_up_until_ms if self._clean_up else None) if time]
        return min(times, default=None)

    def agent_came(self, fence: int, made_safe: bool | None, now_ms: float) -> list[Effect]:
        """The bench's agent is here and has seen fences up to ``fence``.

        ``made_safe``: when it was away for too long, whether the safe state that it took the bench to was verified.
        """
        self.is_agent_here = True
        self._clean_up = None
        is_news = self.lease.is_held and fence > self.lease.fence
        self.lease.raise_fence(fence)
        raised: list[Effect] = [Persist(self.record), _fence(self)]
        if is_news:  # whoever holds the lease must command under the new number
            raised += self._changed(LeaseEvent.RENEWED, now_ms)
        if self.state is BenchState.QUARANTINED:
            return raised
        if made_safe is False:
            return [*raised, *self.quarantine("The lab PC could not verify the safe state.", now_ms)]
        if self.lease.state in (LeaseState.HELD, LeaseState.AWAY):
            return [*raised, *self._become(BenchEvent.CAME_LEASED)]
        if self._unclean:
            return [*raised, *self._become(BenchEvent.CAME_UNCLEAN, _CLEANING), *self._order_clean_up(now_ms)]
        return [*raised, *self._become(BenchEvent.CAME_LEASED if self.lease.is_held else BenchEvent.CAME_FREE)]

    def agent_left(self) -> list[Effect]:
        """The link to the bench's agent is gone."""
        if not self.is_agent_here:
            return []
        self.is_agent_here = False
        self._clean_up = None
        refused = self._answer_lifting(OurError(Code.AGENT_OFFLINE, _AWAY))
        return [*self._become(BenchEvent.AGENT_LEFT, _AWAY), *refused]

    def acquire(self, seat: Seat, request: str, now_ms: float) -> list[Effect]:
        """Give the free bench to who asks for it."""
        held = self.lease.is_held
        if not held and self.state is not BenchState.ONLINE:
            raise CallerError(Code.BENCH_NOT_READY, self.text, retry_after_ms=2_000.0)
        if not self.lease.acquire(seat.participant, seat.name, now_ms):
            return [Tell(seat.session, RequestDone(request))]
        self._unclean = True
        persist = Persist(self.record, seat.session, request)
        state = self._become(BenchEvent.LEASED)
        return [persist, _fence(self), *state, *self._changed(LeaseEvent.ACQUIRED, now_ms), _done(seat, request)]

    def renew(self, seat: Seat, request: str, fence: int, now_ms: float) -> list[Effect]:
        """Another term for the holder."""
        self.lease.check(seat.participant, fence)
        self.lease.renew(now_ms)
        persist = Persist(self.record, seat.session, request)
        return [persist, *self._changed(LeaseEvent.RENEWED, now_ms), _done(seat, request)]

    def transfer(self, seat: Seat, request: str, to: str, name: str, now_ms: float) -> list[Effect]:
        """Hand the control to somebody who is present; the bench stays as it is."""
        self.lease.transfer(to, name, now_ms)
        self._unclean = True
        persist = Persist(self.record, seat.session, request)
        return [persist, _fence(self), *self._changed(LeaseEvent.TRANSFERRED, now_ms), _done(seat, request)]

    def end_lease(
        self, event: LeaseEvent, now_ms: float, seat: Seat | None = None, request: str | None = None
    ) -> list[Effect]:
        """The control was released, revoked, has expired or was abandoned: fence off its commands and clean up."""
        self.lease.end(event)
        answer = [_done(seat, request)] if seat is not None and request is not None else []
        persist = Persist(self.record, seat.session if seat else None, request)
        told = [_fence(self), *self._changed(event, now_ms)]
        if self.state is BenchState.QUARANTINED:
            return [persist, *told, *answer]
        return [persist, *told, *self._after_lease(now_ms), *answer]

    def went_away(self, participant: str, now_ms: float) -> list[Effect]:
        """The last connection of a participant is gone."""
        if self.lease.holder != participant or self.lease.state is not LeaseState.HELD:
            return []
        self.lease.went_away(now_ms)
        return self._changed(LeaseEvent.WENT_AWAY, now_ms)

    def came_back(self, participant: str, now_ms: float) -> list[Effect]:
        """A participant is connected again."""
        if self.lease.holder != participant or self.lease.state is LeaseState.HELD:
            return []
        self.lease.returned()
        self._unclean = True
        return [Persist(self.record), *self._changed(LeaseEvent.RETURNED, now_ms)]

    def lift_quarantine(self, seat: Seat, request: str, now_ms: float) -> list[Effect]:
        """Try again to verify the safe state; answered when that has ended."""
        if self.state is not BenchState.QUARANTINED:
            raise CallerError(Code.BENCH_NOT_READY, "The bench is not in quarantine.")
        if not self.is_agent_here:
            raise OurError(Code.AGENT_OFFLINE, _AWAY)
        self._lifting = (seat, request)
        self._unclean = True
        state = self._become(BenchEvent.QUARANTINE_LIFTED, _CLEANING)
        audit = Record(now_ms, "quarantine_lifting", seat.participant, {"name": seat.name})
        return [*state, audit, *self._order_clean_up(now_ms)]

    def clean_up_finished(self, finished: CleanUpFinished, now_ms: float) -> list[Effect]:
        """The agent says how a clean-up ended; one that nobody waits for changes nothing."""
        if finished.id != self._clean_up:
            return []
        self._clean_up = None
        if not finished.verified:
            return self.quarantine(finished.text or "The safe state could not be verified.", now_ms)
        self._unclean = self.lease.state is LeaseState.HELD
        event = BenchEvent.VERIFIED_LEASED if self.lease.is_held else BenchEvent.VERIFIED_FREE
        state = self._become(event)
        lifted = [_done(*self._lifting)] if self._lifting else []
        self._lifting = None
        audit = Record(now_ms, "cleaned_up", self.lease.holder or "", {"verified": True})
        return [Persist(self.record), *state, audit, *lifted]

    def due(self, now_ms: float) -> list[Effect]:
        """What time has brought about."""
        effects: list[Effect] = []
        if self._clean_up is not None and self._clean_up_until_ms <= now_ms:
            self._clean_up = None
            effects += self.quarantine("The clean-up did not end.", now_ms)
        match self.lease.due(now_ms):
            case None:
                pass
            case LeaseEvent.GRACE_PASSED:
                self.lease.grace_passed()
                effects += [Persist(self.record), _fence(self), *self._changed(LeaseEvent.GRACE_PASSED, now_ms)]
                if self.state is not BenchState.QUARANTINED:
                    effects += self._after_lease(now_ms)
            case event:
                effects += self.end_lease(event, now_ms)
        return effects

    def quarantine(self, text: str, now_ms: float, event: BenchEvent = BenchEvent.NOT_VERIFIED) -> list[Effect]:
        """Nobody commands the bench until a supervisor has looked after it."""
        self._clean_up = None
        state = self._become(event, text)
        told: list[Effect] = []
        if self.lease.is_held:
            self.lease.end(LeaseEvent.REVOKED)
            told = [_fence(self), *self._changed(LeaseEvent.REVOKED, now_ms)]
        persist = [] if event is BenchEvent.RECORD_LOST else [Persist(self.record)]
        refused = self._answer_lifting(DeviceError(Code.NOT_SAFE, text))
        return [*persist, *state, *told, Record(now_ms, "quarantined", "", {"text": text}), *refused]

    def _after_lease(self, now_ms: float) -> list[Effect]:
        """Nobody commands the bench any more, for now or for good."""
        if not self._unclean and self.lease.is_held:
            return []  # the seat is kept, and there is nothing to clean
        if not self._unclean:
            return self._become(BenchEvent.VACATED, "" if self.is_agent_here else _AWAY)
        if not self.is_agent_here:
            return self._become(BenchEvent.CLEAN_UP_BEGAN, _AWAY)
        return [*self._become(BenchEvent.CLEAN_UP_BEGAN, _CLEANING), *self._order_clean_up(now_ms)]

    def _order_clean_up(self, now_ms: float) -> list[Effect]:
        self._clean_up = f"clean-up-{self.lease.fence}-{now_ms:.0f}"
        self._clean_up_until_ms = now_ms + CLEAN_UP_MS
        return [TellAgent(CleanUpBench(self._clean_up, self.bench))]

    def _become(self, event: BenchEvent, text: str = "") -> list[Effect]:
        before, was = self.state, self.text
        self.state = after(before, event)
        if self.state is before is BenchState.QUARANTINED and event is not BenchEvent.RECORD_LOST:
            return []
        self.text = text
        return [] if (self.state, text) == (before, was) else [TellAll(BenchChanged(self.state, text))]

    def _changed(self, event: LeaseEvent, now_ms: float) -> list[Effect]:
        reason = LeaseEvent.WENT_AWAY if event is LeaseEvent.GRACE_PASSED else event
        shown = self.lease.shown
        detail = {"reason": event.value, "fence": self.lease.fence, "expires_ms": self.lease.expires_ms}
        audit = Record(now_ms, "lease", shown.participant if shown else "", detail)
        return [TellAll(LeaseChanged(shown, reason.value)), audit]

    def _answer_lifting(self, error: DeviceError | OurError) -> list[Effect]:
        if self._lifting is None:
            return []
        seat, request = self._lifting
        self._lifting = None
        return [Tell(seat.session, RequestRefused(request, error.code, error.text))]


def _fence(standing: Standing) -> Effect:
    return TellAgent(RaiseFence(standing.bench, standing.lease.fence))


def _done(seat: Seat, request: str) -> Effect:
    return Tell(seat.session, RequestDone(request))
