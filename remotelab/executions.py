"""The commands of one bench, from the first check to the one outcome. Pure.

An id that is not known is new only when it was sent after this gateway's memory began; otherwise the lab PC's journal
is asked first, because an earlier life of the gateway may have handed it over.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.messages import CancelExecution, Execute, ExecutionFinished, ResolveExecutions
from devices.model import CommandStatus
from remotelab.admission import check_id, checked, deadline_of, refused_parameter
from remotelab.effects import Effect, Record, Seat, SendValue, Tell, TellAgent, TellAll
from remotelab.messages import (
    AskOutcomes,
    Command,
    CommandAdmitted,
    CommandFinished,
    CommandLogged,
    CommandRefused,
    Ledger,
)
from remotelab.mirror import Newcomer
from remotelab.outcomes import DEFAULT_OUTCOMES, Entry, Outcomes, OutcomeSettings, fingerprint, rough_size
from remotelab.panel import ActionEntry, Panel
from remotelab.rate import TokenBucket
from remotelab.standing import Standing
from remotelab.stats import BenchStats
from signaling.errors import CallerError, Code, TongkeError
from signaling.tokens import Right

RESOLVE_MS = 60_000.0
"""How long a command may be without news from the lab PC before its outcome is *unknown*."""
MOST_ASKED = 256
"""How many outcomes may be asked for at once."""
_RESOLVE_AT_ONCE = 500
_LINK_GAIN = 1 / 8
_LOGGED_ARGS = 2_000
"""The audit log takes no more of a refused command's arguments: anybody may send such."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """Bounds on what one participant may send and what is kept of it."""

    commands_per_s: float = 2_000.0
    burst: float = 2_000.0
    most_running: int = 1_024
    outcomes: OutcomeSettings = DEFAULT_OUTCOMES


DEFAULT_COMMANDS = CommandSettings()


class Caller:
    """What one participant has sent to this bench."""

    __slots__ = ("bucket", "outcomes", "running", "seen_ms")

    def __init__(self, since_ms: float, now_ms: float, settings: CommandSettings) -> None:
        self.bucket = TokenBucket(settings.commands_per_s, settings.burst, now_ms)
        self.outcomes = Outcomes(since_ms, settings.outcomes)
        self.running = 0
        self.seen_ms = now_ms


class Executions:
    """Admits commands, hands them to the agent, and ends each of them once."""

    def __init__(
        self,
        bench: str,
        standing: Standing,
        panel: Panel,
        settings: CommandSettings,
        stats: BenchStats,
        now_ms: float,
    ) -> None:
        self._bench = bench
        self._standing = standing
        self._panel = panel
        self._settings = settings
        self._stats = stats
        self._since_ms = now_ms
        self._callers: dict[str, Caller] = {}
        self._running: dict[str, tuple[Caller, Entry]] = {}
        self._lost_until_ms: float | None = None
        self._link_ms = 0.0

    def command(self, seat: Seat, command: Command, admissions: bool, now_ms: float) -> list[Effect]:
        """Let a command in, answer one that is known, or refuse it with the reason."""
        caller = self._caller(seat.participant, now_ms)
        try:
            check_id(command.id)
            known = caller.outcomes.known(command)
            if known is not None:
                return self._tell_again(seat, known)
            if not caller.outcomes.covers(command.sent_ms):
                _check_may_resolve(seat)
                self._check_pace(caller, now_ms)
                self._stats.resolved += 1
                return self._resolve(seat, caller, command.id, command, now_ms)
            deadline_ms = deadline_of(command, now_ms)
            entry, args = checked(command, seat, self._standing, self._panel, deadline_ms, now_ms)
            self._check_pace(caller, now_ms)
            execution = f"{seat.participant}/{command.id}"
            newcomer = Newcomer(
                execution,
                entry.lane,
                deadline_ms,
                seat.participant,
                command.mode,
                entry.target,
                entry.service.predicted_ms,
            )
            start_in_ms = entry.mirror.admit(newcomer, now_ms)
        except TongkeError as error:
            return self._refuse(seat, command, error, now_ms)
        known = Entry(
            command.id,
            fingerprint(command),
            execution,
            (seat.session,),
            command.sent_ms,
            now_ms,
            command.device,
            command.action,
            args,
            command.mode,
            known=entry,
        )
        caller.outcomes.add(known)
        caller.running += 1
        self._running[execution] = (caller, known)
        self._stats.admitted += 1
        execute = Execute(
            execution,
            self._bench,
            command.device,
            command.action,
            args,
            deadline_ms,
            command.mode,
            seat.participant,
            self._standing.lease.fence,
        )
        if admissions:
            return [TellAgent(execute), Tell(seat.session, CommandAdmitted(command.id, start_in_ms))]
        return [TellAgent(execute)]

    def finished(self, finished: ExecutionFinished, watched: bool, now_ms: float) -> list[Effect]:
        """The agent says how a command ended; one that has ended already keeps its outcome."""
        found = self._running.get(finished.id)
        if found is None:
            return []
        caller, entry = found
        ledger = Ledger(
            entry.sent_ms,
            entry.received_ms,
            finished.agent_received_ms,
            finished.first_byte_ms,
            finished.last_byte_ms,
            now_ms,
        )
        if entry.known is not None:
            self._learn(entry.known, entry, finished, now_ms)
        outcome = CommandFinished(
            entry.id,
            finished.status,
            ledger,
            finished.value,
            finished.code,
            finished.text,
            finished.chunks,
            finished.repeated and entry.resolving,
        )
        return self._end(caller, entry, outcome, watched, now_ms)

    def cancel(self, seat: Seat, command_id: str) -> list[Effect]:
        """End a command that still waits. Raises :class:`CallerError` ``unknown_command``."""
        entry = self._entry_of(seat.participant, command_id)
        if entry is None:
            raise CallerError(Code.UNKNOWN_COMMAND, "No command of yours has this id.")
        if entry.finished is not None:
            return []
        return [TellAgent(CancelExecution(entry.execution))]

    def ask(self, seat: Seat, asked: AskOutcomes, now_ms: float) -> list[Effect]:
        """Answer each id by its outcome, now or when it is known."""
        caller = self._caller(seat.participant, now_ms)
        if len(asked.commands) > min(MOST_ASKED, self._settings.most_running - caller.running):
            raise CallerError(Code.TOO_MANY, f"Ask for at most {MOST_ASKED} commands at once.", retry_after_ms=100.0)
        for command_id in asked.commands:
            check_id(command_id)
        wanted = dict.fromkeys(asked.commands)
        for command_id in wanted:
            if caller.outcomes.get(command_id) is None:
                _check_may_resolve(seat)
                self._check_pace(caller, now_ms)
        effects: list[Effect] = []
        for command_id in wanted:
            known = caller.outcomes.get(command_id)
            if known is not None:
                effects += self._tell_again(seat, known)
            else:
                effects += self._resolve(seat, caller, command_id, None, now_ms)
        return effects

    def agent_came(self) -> list[Effect]:
        """Ask the agent what became of everything that is still open."""
        self._lost_until_ms = None
        ids = list(self._running)
        starts = range(0, len(ids), _RESOLVE_AT_ONCE)
        return [TellAgent(ResolveExecutions(tuple(ids[start : start + _RESOLVE_AT_ONCE]))) for start in starts]

    def agent_left(self, now_ms: float) -> None:
        """The link is gone: open commands wait for its return, but not for ever."""
        self._lost_until_ms = now_ms + RESOLVE_MS
        for mirror in self._panel.mirrors.values():
            mirror.clear()

    @property
    def next_ms(self) -> float | None:
        """When :meth:`due` has something to do at the earliest."""
        return self._lost_until_ms if self._running else None

    def due(self, watched: bool, now_ms: float) -> list[Effect]:
        """End what the lab PC has been silent about for too long: its outcome is *unknown*, for good."""
        if self._lost_until_ms is None or self._lost_until_ms > now_ms:
            return []
        self._lost_until_ms = now_ms + RESOLVE_MS
        return self.give_up("The link to the lab PC was lost and it has not come back.", watched, now_ms)

    def give_up(self, text: str, watched: bool, now_ms: float) -> list[Effect]:
        """End everything that is under way as *unknown*: nobody can say any more what became of it."""
        effects: list[Effect] = []
        for caller, entry in list(self._running.values()):
            ledger = Ledger(entry.sent_ms, entry.received_ms, gateway_replied_ms=now_ms)
            outcome = CommandFinished(entry.id, CommandStatus.UNKNOWN, ledger, code=Code.OUTCOME_LOST, text=text)
            effects += self._end(caller, entry, outcome, watched, now_ms)
        return effects

    def forget_old(self, now_ms: float) -> None:
        """Drop outcomes and callers that have been kept long enough."""
        for participant, caller in list(self._callers.items()):
            caller.outcomes.forget_old(now_ms)
            if not len(caller.outcomes) and caller.seen_ms + self._settings.outcomes.keep_ms < now_ms:
                # Whoever claimed to send from the future must not take the others' memory away.
                self._since_ms = max(self._since_ms, min(caller.outcomes.since_ms, now_ms))
                del self._callers[participant]

    def latest(self, participant: str, count: int) -> tuple[CommandFinished, ...]:
        """A participant's newest outcomes, newest last."""
        caller = self._callers.get(participant)
        return caller.outcomes.latest(count) if caller else ()

    def _caller(self, participant: str, now_ms: float) -> Caller:
        caller = self._callers.get(participant)
        if caller is None:
            caller = self._callers[participant] = Caller(self._since_ms, now_ms, self._settings)
        caller.seen_ms = now_ms
        return caller

    def _entry_of(self, participant: str, command_id: str) -> Entry | None:
        caller = self._callers.get(participant)
        return caller.outcomes.get(command_id) if caller else None

    def _check_pace(self, caller: Caller, now_ms: float) -> None:
        wait_ms = caller.bucket.take(now_ms)
        if wait_ms is not None:
            raise CallerError(Code.RATE_LIMITED, "Too many commands a second.", retry_after_ms=wait_ms)
        if caller.running >= self._settings.most_running:
            raise CallerError(Code.TOO_MANY, "Too many commands are under way.", retry_after_ms=100.0)

    def _refuse(self, seat: Seat, command: Command, error: TongkeError, now_ms: float) -> list[Effect]:
        self._stats.refused(error.code)
        parameter = refused_parameter(error)
        refusal = CommandRefused(command.id, error.code, error.text, error.retry_after_ms, parameter)
        detail = {
            "id": command.id[:64],
            "device": command.device[:40],
            "action": command.action[:40],
            "args": command.args if rough_size(command.args) <= _LOGGED_ARGS else "too long to be kept",
            "mode": command.mode,
            "refused": error.code,
        }
        return [Tell(seat.session, refusal), Record(now_ms, "command", seat.participant, detail)]

    def _tell_again(self, seat: Seat, entry: Entry) -> list[Effect]:
        """Answer an id that is known: the stored outcome, or the one outcome when it comes."""
        if entry.finished is None:
            if seat.session not in entry.sessions:
                entry.sessions = (*entry.sessions[-7:], seat.session)
            return []
        told = CommandFinished(
            entry.finished.id,
            entry.finished.status,
            entry.finished.ledger,
            entry.finished.value,
            entry.finished.code,
            entry.finished.text,
            entry.finished.chunks,
            repeated=True,
        )
        value: list[Effect] = [SendValue(seat.session, told.chunks)] if told.chunks else []
        return [Tell(seat.session, told, replayed=True), *value]

    def _resolve(
        self, seat: Seat, caller: Caller, command_id: str, command: Command | None, now_ms: float
    ) -> list[Effect]:
        """Ask the journal what became of an id from before this gateway's memory began; it never runs any more."""
        entry = Entry(
            command_id,
            fingerprint(command) if command else None,
            f"{seat.participant}/{command_id}",
            (seat.session,),
            command.sent_ms if command else now_ms,
            now_ms,
            command.device if command else "",
            command.action if command else "",
            command.args if command else {},
            resolving=True,
        )
        caller.outcomes.add(entry)
        caller.running += 1
        self._running[entry.execution] = (caller, entry)
        if self._standing.is_agent_here:
            return [TellAgent(ResolveExecutions((entry.execution,)))]
        if self._lost_until_ms is None:
            self._lost_until_ms = now_ms + RESOLVE_MS
        return []

    def _learn(self, known: ActionEntry, entry: Entry, finished: ExecutionFinished, now_ms: float) -> None:
        known.mirror.finished(entry.execution, now_ms)
        if finished.repeated:
            return
        if finished.service_ms is not None and finished.status is CommandStatus.DONE:
            known.service.observe(finished.service_ms)
        if finished.agent_received_ms is not None:
            late_ms = max(0.0, finished.agent_received_ms - entry.received_ms)
            self._link_ms += _LINK_GAIN * (late_ms - self._link_ms)
            known.mirror.link_ms = self._link_ms

    def _end(
        self, caller: Caller, entry: Entry, outcome: CommandFinished, watched: bool, now_ms: float
    ) -> list[Effect]:
        del self._running[entry.execution]
        caller.running -= 1
        participant = entry.execution.removesuffix(f"/{entry.id}")
        args = entry.args
        effects: list[Effect] = [Tell(session, outcome, replayed=True) for session in entry.sessions]
        if outcome.chunks is not None:
            effects += [SendValue(session, outcome.chunks) for session in entry.sessions]
        if entry.device:
            if outcome.status is CommandStatus.DONE and not entry.resolving:
                self._panel.carried_out(entry.device, entry.action, args)
            if watched:
                logged = CommandLogged(
                    participant, entry.device, entry.action, args, outcome.status, now_ms, outcome.text
                )
                key = f"log {entry.device}.{entry.action} {outcome.status}"
                effects.append(TellAll(logged, latest=key, but=entry.sessions))
        detail = {
            "id": entry.id,
            "device": entry.device,
            "action": entry.action,
            "args": args,
            "mode": entry.mode,
            "status": outcome.status,
            "code": outcome.code,
            "ledger": outcome.ledger,
        }
        effects.append(Record(now_ms, "command", participant, detail))
        self._stats.finished(outcome)
        caller.outcomes.finish(entry, outcome, rough_size(outcome.value), now_ms)
        return effects


def _check_may_resolve(seat: Seat) -> None:
    """That somebody may have sent commands: the journal remembers every id that it is asked for."""
    if not seat.may(Right.CONTROL) and not seat.may(Right.SUPERVISE):
        raise CallerError(Code.FORBIDDEN, "Your link lets you watch, not command.")
