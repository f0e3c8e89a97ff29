"""The gateway: which benches, sessions and agents there are, and who talks to whom. Runs in one event loop.

Frames are handled as they arrive, to the end, without waiting for anything; each bench has one timer, and one sweep
looks after all sessions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from remotelab.agents import Agents, check_version
from remotelab.bench import DEFAULT_BENCH, MOST_ID_CHARS, Bench, BenchSettings
from remotelab.bench_shell import BenchShell
from remotelab.effects import BenchRecord, Seat
from remotelab.messages import FROM_CLIENT, Command, Feature, Stop
from remotelab.ports import AuditLog, LeaseStore, Peer
from remotelab.sessions import Session
from signaling.errors import CallerError, Code, OurError, PeerError
from signaling.messages import (
    FROM_SERVER,
    PROTOCOL_VERSION,
    Ack,
    Hello,
    Ping,
    Pong,
    RequestRefused,
    Welcome,
)
from signaling.tokens import Grant
from signaling.wire import FrameError

_log = logging.getLogger(__name__)

_SWEEP_S = 1.0
_MOST_BAD_FRAMES = 20


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Times and bounds of sessions."""

    bench: BenchSettings = DEFAULT_BENCH
    session_ms: float = 120_000.0
    """How long a session without a socket can be resumed."""
    silence_ms: float = 15_000.0
    """A socket that has said nothing for so long is dead."""
    most_sessions: int = 2_000
    """On one bench."""
    most_of_one: int = 16
    """Sessions of one participant on one bench."""


DEFAULT_GATEWAY = GatewaySettings()


class Gateway:
    """Joins participants and agents over benches. Build it, ``await start()``, and in the end ``await aclose()``.

    ``clock`` gives the server time in milliseconds; ``new_secret`` an unguessable text.
    """

    def __init__(
        self,
        store: LeaseStore,
        audit: AuditLog,
        *,
        clock: Callable[[], float],
        new_secret: Callable[[], str],
        settings: GatewaySettings = DEFAULT_GATEWAY,
    ) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._new_secret = new_secret
        self.settings = settings
        self.benches: dict[str, BenchShell] = {}
        self._sessions: dict[str, Session] = {}
        self.agents = Agents(self._bench, self._sessions, clock)
        self._sweeper: asyncio.TimerHandle | None = None
        self._closing = False

    async def start(self) -> None:
        """Take up what was remembered. Raises :class:`OurError` ``storage_failed``."""
        for record in await self._store.load():
            self._bench(record.bench, record)
        self._schedule_sweep()

    async def aclose(self) -> None:
        """Say good-bye to everybody and let the disk finish."""
        self.say_goodbye()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for shell in self.benches.values():
            await shell.aclose()

    def say_goodbye(self) -> None:
        """Close every socket with the reason, and let nobody in any more."""
        self._closing = True
        goodbye = OurError(Code.GOING_AWAY, "The server is restarting.", retry_after_ms=1_000.0)
        for session in self._sessions.values():
            session.close(goodbye)
        self.agents.close(goodbye)

    def now_ms(self) -> float:
        """The server time."""
        return self._clock()

    def join(self, peer: Peer, bench: str, hello: Hello, grant: Grant) -> Session:
        """Let a participant in, on a new session or on the one that is resumed; ``Welcome`` and what follows are sent.

        Raises :class:`CallerError` ``forbidden``, ``version_unsupported`` or ``too_many``; :class:`OurError`
        ``going_away``.
        """
        if self._closing:
            raise OurError(Code.GOING_AWAY, "The server is restarting.", retry_after_ms=1_000.0)
        check_version(hello)
        if bench not in grant.scope:
            raise CallerError(Code.FORBIDDEN, "This link is for another bench.")
        now_ms = self._clock()
        shell = self._bench(bench)
        resume_key = self._new_secret()
        session = self._resumable(bench, hello, grant)
        missed = None
        if session is not None:
            session.close(CallerError(Code.REPLACED, "This session goes on over another connection."))
            self._detach(session, now_ms)  # what this makes known is missed too
            missed = session.log.since(hello.last_seq)
            if missed is None:
                self._forget(session, now_ms)
        if session is not None and missed is not None:
            session.seat = self._seat(session.seat.session, grant)
            session.peer, session.heard_ms = peer, now_ms
            session.renew_key(resume_key)
            session.log.acknowledge(hello.last_seq)
            self._welcome(session, hello, resume_key, resumed=True)
            for data in missed:
                peer.send(data)
            shell.apply(shell.bench.connected(session.seat, now_ms))
        else:
            session = self._new_session(shell, peer, grant, resume_key, now_ms)
            self._welcome(session, hello, resume_key, resumed=False)
            effects = shell.bench.joined(session.seat, now_ms)
            shell.apply([*shell.bench.snapshot(session.seat), *effects])
        shell.rearm()
        return session

    def received(self, session: Session, peer: Peer, data: bytes) -> None:
        """Handle one frame from a participant."""
        if session.peer is not peer:
            return
        now_ms = session.heard_ms = self._clock()
        try:
            _, message = FROM_CLIENT.decode(data)
        except FrameError as error:
            self._bad_frame(session, error)
            return
        shell = self.benches[session.bench]
        kind = type(message)
        if kind is Command:
            shell.apply(shell.bench.command(session.seat, message, session.admissions, now_ms))
            if not shell.bench.standing.is_agent_here:
                shell.rearm()
        elif kind is Ping:
            peer.send(FROM_SERVER.encode(Pong(message.sent_ms, now_ms, self._clock())))
        elif kind is Ack:
            session.log.acknowledge(message.seq)
        elif kind is not Stop and (wait_ms := session.requests.take(now_ms)) is not None:
            self._refuse(session, str(getattr(message, "id", "")), Code.RATE_LIMITED, "Too many requests.", wait_ms)
        else:
            shell.apply(shell.bench.asked(session.seat, message, now_ms))
            shell.rearm()

    def lost(self, session: Session, peer: Peer) -> None:
        """A participant's socket is gone; the session waits for its return."""
        if session.peer is peer:
            self._detach(session, self._clock())
            self.benches[session.bench].rearm()

    def sweep(self) -> None:
        """Close what is silent or whose token has ended, and forget sessions that nobody resumed."""
        now_ms = self._clock()
        for session in list(self._sessions.values()):
            if session.peer is None:
                if session.lost_ms + self.settings.session_ms <= now_ms:
                    self._forget(session, now_ms)
            elif session.seat.until_ms <= now_ms:
                session.close(CallerError(Code.TOKEN_EXPIRED, "This link has expired; ask for a new one."))
            elif session.heard_ms + self.settings.silence_ms <= now_ms:
                session.close(PeerError(Code.SILENT, "Nothing was heard for too long."))
        self.agents.close_silent(self.settings.silence_ms, now_ms)

    def _schedule_sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep_again)

    def _sweep_again(self) -> None:
        self._schedule_sweep()
        self.sweep()

    def _bench(self, name: str, record: BenchRecord | None = None) -> BenchShell:
        shell = self.benches.get(name)
        if shell is None:
            bench = Bench(name, self._clock(), settings=self.settings.bench, record=record)
            shell = self.benches[name] = BenchShell(bench, self._store, self._audit, self._clock)
            shell.rearm()
        return shell

    def _resumable(self, bench: str, hello: Hello, grant: Grant) -> Session | None:
        session = self._sessions.get(hello.session) if hello.session else None
        if (
            session is None
            or session.bench != bench
            or session.seat.participant != grant.subject
            or not session.opens_with(hello.resume_key or "")
        ):
            return None
        return session

    def _new_session(self, shell: BenchShell, peer: Peer, grant: Grant, resume_key: str, now_ms: float) -> Session:
        mine = sum(session.seat.participant == grant.subject for session in shell.sessions.values())
        if len(shell.sessions) >= self.settings.most_sessions or mine >= self.settings.most_of_one:
            raise CallerError(Code.TOO_MANY, "Too many connections to this bench.", retry_after_ms=10_000.0)
        name = self._new_secret()
        seat = self._seat(name, grant)
        session = Session(shell.bench.name, seat, resume_key, peer, now_ms)
        self._sessions[name] = shell.sessions[name] = session
        return session

    @staticmethod
    def _seat(session: str, grant: Grant) -> Seat:
        return Seat(session, grant.subject, grant.name, grant.rights, grant.expires_s * 1000.0)

    def _welcome(self, session: Session, hello: Hello, resume_key: str, *, resumed: bool) -> None:
        features = tuple(feature.value for feature in Feature if feature in hello.features)
        session.admissions = Feature.ADMISSIONS in features
        session.telemetry = Feature.TELEMETRY in features
        welcome = Welcome(
            version=PROTOCOL_VERSION,
            features=features,
            session=session.seat.session,
            resume_key=resume_key,
            resumed=resumed,
            participant=session.seat.participant,
            server_ms=self._clock(),
            silence_ms=self.settings.silence_ms,
            max_frame_bytes=FROM_CLIENT.max_bytes,
        )
        if session.peer is not None:
            session.peer.send(FROM_SERVER.encode(welcome))

    def _detach(self, session: Session, now_ms: float) -> None:
        if session.peer is None:
            return
        session.peer, session.lost_ms = None, now_ms
        shell = self.benches[session.bench]
        shell.apply(shell.bench.disconnected(session.seat, now_ms))

    def _forget(self, session: Session, now_ms: float) -> None:
        shell = self.benches[session.bench]
        del self._sessions[session.seat.session], shell.sessions[session.seat.session]
        shell.bench.left(session.seat, now_ms)
        shell.rearm()

    def _bad_frame(self, session: Session, error: FrameError) -> None:
        session.bad_frames += 1
        if error.request is None or session.bad_frames > _MOST_BAD_FRAMES:
            session.close(error)
            return
        self._refuse(session, error.request, error.code, error.text)

    @staticmethod
    def _refuse(session: Session, name: str, code: Code, text: str, retry_after_ms: float | None = None) -> None:
        refused = RequestRefused(name[:MOST_ID_CHARS], code, text, retry_after_ms)
        session.say(FROM_SERVER.body(refused), replayed=False)
