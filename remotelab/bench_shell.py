"""The shell of one bench: carries out its effects and keeps its timer.

Whatever follows a ``Persist`` is held back until the disk has it; only words to the agent that go first (a stop) do not
wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from devices.messages import Execute, ExecutionFinished, ResolveExecutions
from devices.messages import TelemetrySampled as AgentSampled
from remotelab.bench import Bench
from remotelab.effects import Effect, Persist, Record, SendValue, Tell, TellAgent, TellAll
from remotelab.messages import TO_CLIENT, BenchSnapshot, TelemetrySampled
from remotelab.ports import AgentLink, AuditLog, LeaseStore
from remotelab.sessions import Session
from remotelab.values import LargeValues
from signaling.errors import Code, TongkeError, error_for
from signaling.messages import RequestRefused, ValueChunk
from signaling.wire import frame

_log = logging.getLogger(__name__)


class Agent:
    """An agent, connected or not: its link, its benches, and the large values that it has sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scope: tuple[str, ...] = ()
        self.link: AgentLink | None = None
        self.heard_ms = 0.0
        self.benches: dict[str, BenchShell] = {}
        self.values = LargeValues()
        self.executions: dict[str, BenchShell] = {}
        """Which bench an execution belongs to."""


class BenchShell:
    """Everything around one :class:`Bench` that has to do with sockets, disk and time."""

    def __init__(self, bench: Bench, store: LeaseStore, audit: AuditLog, clock: Callable[[], float]) -> None:
        self.bench = bench
        self.sessions: dict[str, Session] = {}
        self.agent: Agent | None = None
        self.last_agent = ""
        """Who served it last: whose journal knows what became of its commands."""
        self._store = store
        self._audit = audit
        self._clock = clock
        self._stored = bench.standing.record
        self._held: deque[list[Effect]] = deque()
        self._saving: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0.0
        self._loop = asyncio.get_running_loop()

    def apply(self, effects: list[Effect]) -> None:
        """Carry out what the bench wants done, in order."""
        if self._saving is None:
            self._carry_out(effects)
            return
        held: list[Effect] = []
        for effect in effects:
            if type(effect) is TellAgent and effect.first:
                self._tell_agent(effect)
            else:
                held.append(effect)
        if held:
            self._held.append(held)

    def agent_said(self, message: object, now_ms: float) -> None:
        """Something that the bench's agent says of this bench."""
        self.apply(self.bench.agent_said(message, now_ms))
        if type(message) is not ExecutionFinished and type(message) is not AgentSampled:
            self.rearm()

    def tick(self) -> None:
        """Let the bench do what time has brought about, and set the timer anew."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ms = self._clock()
        if self.bench.next_ms <= now_ms:
            self.apply(self.bench.due(now_ms))
        self.rearm()

    def rearm(self) -> None:
        """Set the one timer to the bench's next deadline."""
        next_ms = self.bench.next_ms
        if self._timer is not None:
            if self._timer_ms == next_ms:
                return
            self._timer.cancel()
        self._timer_ms = next_ms
        delay_s = max(0.0, next_ms - self._clock()) / 1000.0
        self._timer = self._loop.call_later(delay_s, self.tick)

    async def aclose(self) -> None:
        """Stop the timer and let the disk finish."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._saving is not None:
            await asyncio.wait([self._saving])

    def _carry_out(self, effects: list[Effect]) -> None:
        for index, effect in enumerate(effects):
            match effect:
                case Tell():
                    self._tell(effect)
                case Record():
                    self._audit.append(self.bench.name, effect)
                case TellAgent():
                    self._tell_agent(effect)
                case TellAll():
                    self._tell_all(effect)
                case SendValue():
                    self._send_value(effect)
                case Persist():
                    if effect.record == self._stored:
                        continue
                    self._held.appendleft(effects[index + 1 :])
                    self._saving = self._loop.create_task(self._save(effect))
                    return

    async def _save(self, persist: Persist) -> None:
        """Put a record on disk, then carry out what was held back meanwhile, up to the next record."""
        try:
            await self._store.save(persist.record)
        except Exception as error:
            _log.exception("The record of bench %s could not be stored", self.bench.name)
            self._save_failed(persist, error_for(error))
        else:
            self._stored = persist.record
        self._saving = None
        while self._held and self._saving is None:
            self._carry_out(self._held.popleft())

    def _save_failed(self, persist: Persist, error: TongkeError) -> None:
        """Nothing that relied on the record may be said; the request is refused and the bench closed to everybody."""
        effects = [effect for effect in self._held.popleft() if isinstance(effect, Record)]
        answer: list[Effect] = []
        if persist.session is not None and persist.request is not None:
            answer = [Tell(persist.session, RequestRefused(persist.request, Code.STORAGE_FAILED, error.text))]
        self._held.appendleft([*effects, *answer, *self.bench.record_failed(self._clock())])

    def _tell(self, tell: Tell) -> None:
        session = self.sessions.get(tell.session)
        if session is None:
            return
        session.say(TO_CLIENT.body(tell.message), replayed=tell.replayed)
        if type(tell.message) is BenchSnapshot and session.telemetry and session.peer is not None:
            history = [TO_CLIENT.encode(history) for history in self.bench.panel.history()]
            session.peer.send_bulk(history)

    def _tell_all(self, tell: TellAll) -> None:
        body = TO_CLIENT.body(tell.message)
        if tell.latest is None:
            for session in self.sessions.values():
                session.say(body, replayed=True)
            return
        data = frame(body)
        is_telemetry = type(tell.message) is TelemetrySampled
        for name, session in self.sessions.items():
            if session.peer is not None and name not in tell.but and (session.telemetry or not is_telemetry):
                session.peer.send_latest(tell.latest, data)

    def _tell_agent(self, tell: TellAgent) -> None:
        agent = self.agent
        if agent is None or agent.link is None:
            return
        message = tell.message
        if type(message) is Execute:
            agent.executions[message.id] = self
        elif type(message) is ResolveExecutions:
            agent.executions.update(dict.fromkeys(message.ids, self))
        agent.link.send(message, first=tell.first)

    def _send_value(self, send: SendValue) -> None:
        session = self.sessions.get(send.session)
        if self.agent is None or session is None:
            return
        pieces = self.agent.values.pass_on(send.value, send.session)
        send_pieces(session, pieces)


def send_pieces(session: Session, pieces: tuple[ValueChunk, ...]) -> None:
    """Pass pieces of a large value on to a session that is connected."""
    if session.peer is not None and pieces:
        session.peer.send_bulk([TO_CLIENT.encode(piece) for piece in pieces])
