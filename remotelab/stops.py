"""The stop of one bench: sent before everything else, latched until it is cleared. Pure."""

from __future__ import annotations

from devices.messages import BenchStopCleared, BenchStopped, ClearBenchStop, StopBench
from remotelab.effects import Effect, Persist, Record, Seat, Tell, TellAgent, TellAll
from remotelab.messages import ClearStop, Ledger, Stop, StopCleared, StopFinished
from remotelab.standing import Standing
from signaling.errors import CallerError, Code, OurError
from signaling.messages import RequestDone, RequestRefused
from signaling.tokens import Right

MOST_PENDING = 64

_AWAY = "The lab PC is away; it will stop the bench as soon as it is back."


class StopDesk:
    """Stops and clearings that the agent has not yet answered."""

    def __init__(self, bench: str, standing: Standing) -> None:
        self._bench = bench
        self._standing = standing
        self._stops: dict[str, tuple[Seat, Stop, float]] = {}
        self._clearings: dict[str, tuple[Seat, ClearStop]] = {}

    def stop(self, seat: Seat, stop: Stop, now_ms: float) -> list[Effect]:
        """Stop the bench now. Raises :class:`CallerError` ``forbidden`` or ``too_many``."""
        if not seat.may(Right.STOP) and not seat.may(Right.CONTROL):
            raise CallerError(Code.FORBIDDEN, "Your link does not let you stop the bench.")
        stop_id = f"{seat.participant}/{stop.id}"
        if stop_id not in self._stops and len(self._stops) >= MOST_PENDING:
            raise CallerError(Code.TOO_MANY, "The bench is being stopped already.", retry_after_ms=100.0)
        latched: list[Effect] = []
        if not self._standing.stopped:
            self._standing.stopped = True
            latched = [Persist(self._standing.record)]
        latched += self._refuse_clearings(Code.BENCH_STOPPED, "The bench was stopped again.")
        audit = Record(now_ms, "stop", seat.participant, {"id": stop.id, "name": seat.name})
        if not self._standing.is_agent_here:
            return [*latched, audit, self._finished(seat, stop, now_ms, False, _AWAY, now_ms)]
        self._stops[stop_id] = (seat, stop, now_ms)
        return [TellAgent(StopBench(stop_id, self._bench), first=True), *latched, audit]

    def clear(self, seat: Seat, clear: ClearStop, now_ms: float) -> list[Effect]:
        """Let the bench be commanded again; answered when the lab PC has cleared it too."""
        if self._standing.lease.holder != seat.participant and not seat.may(Right.SUPERVISE):
            raise CallerError(Code.NOT_CONTROLLER, "Only who has the control, or a supervisor, may clear the stop.")
        if not self._standing.stopped:
            return [Tell(seat.session, RequestDone(clear.id))]
        if not self._standing.is_agent_here:
            raise OurError(Code.AGENT_OFFLINE, "The lab PC of this bench is away.")
        if self._stops:
            raise CallerError(Code.BENCH_STOPPED, "The bench is still being stopped.", retry_after_ms=500.0)
        clear_id = f"{seat.participant}/{clear.id}"
        if clear_id not in self._clearings and len(self._clearings) >= MOST_PENDING:
            raise CallerError(Code.TOO_MANY, "The stop is being cleared already.", retry_after_ms=100.0)
        self._clearings[clear_id] = (seat, clear)
        audit = Record(now_ms, "clear_stop", seat.participant, {"id": clear.id, "name": seat.name})
        return [TellAgent(ClearBenchStop(clear_id, self._bench)), audit]

    def stopped(self, stopped: BenchStopped, now_ms: float) -> list[Effect]:
        """The agent has stopped the bench."""
        found = self._stops.pop(stopped.id, None)
        if found is None:
            return []
        seat, stop, received_ms = found
        ledger = Ledger(
            stop.sent_ms,
            received_ms,
            first_byte_ms=stopped.first_byte_ms,
            last_byte_ms=stopped.last_byte_ms,
            gateway_replied_ms=now_ms,
        )
        audit = Record(
            now_ms, "stopped", seat.participant, {"id": stop.id, "verified": stopped.verified, "ledger": ledger}
        )
        return [TellAll(StopFinished(stop.id, seat.participant, stopped.verified, ledger, stopped.text)), audit]

    def cleared(self, cleared: BenchStopCleared, now_ms: float) -> list[Effect]:
        """The agent lets the bench be commanded again; one that a later stop has overtaken keeps it latched."""
        found = self._clearings.pop(cleared.id, None)
        if found is None:
            return [self._stop_again(now_ms)] if self._standing.stopped else []
        seat, clear = found
        self._standing.stopped = False
        persist = Persist(self._standing.record, seat.session, clear.id)
        audit = Record(now_ms, "stop_cleared", seat.participant, {"id": clear.id})
        return [persist, TellAll(StopCleared(seat.participant)), Tell(seat.session, RequestDone(clear.id)), audit]

    def agent_came(self, stopped: bool, now_ms: float) -> list[Effect]:
        """Both sides latch what either of them knows."""
        if self._standing.stopped and not stopped:
            return [self._stop_again(now_ms)]
        if stopped and not self._standing.stopped:
            self._standing.stopped = True
            ledger = Ledger(now_ms, now_ms, gateway_replied_ms=now_ms)
            told = TellAll(StopFinished("", "", False, ledger, "The bench was stopped at the lab."))
            return [Persist(self._standing.record), told]
        return []

    def agent_left(self, now_ms: float) -> list[Effect]:
        """Whatever waits for the agent is answered without it."""
        effects: list[Effect] = []
        for seat, stop, received_ms in self._stops.values():
            effects.append(self._finished(seat, stop, received_ms, False, _AWAY, now_ms))
        self._stops.clear()
        return [*effects, *self._refuse_clearings(Code.AGENT_OFFLINE, "The lab PC has gone away.")]

    def _refuse_clearings(self, code: Code, text: str) -> list[Effect]:
        refused: list[Effect] = [
            Tell(seat.session, RequestRefused(clear.id, code, text)) for seat, clear in self._clearings.values()
        ]
        self._clearings.clear()
        return refused

    def _stop_again(self, now_ms: float) -> Effect:
        """Latch the stop at the lab PC, which does not know of it or has let go of it."""
        return TellAgent(StopBench(f"again-{now_ms:.0f}", self._bench), first=True)

    @staticmethod
    def _finished(seat: Seat, stop: Stop, received_ms: float, verified: bool, text: str, now_ms: float) -> Effect:
        ledger = Ledger(stop.sent_ms, received_ms, gateway_replied_ms=now_ms)
        return TellAll(StopFinished(stop.id, seat.participant, verified, ledger, text))
