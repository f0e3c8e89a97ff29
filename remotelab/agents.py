"""The agents of a gateway: who is connected, which benches each one serves, what they say. In one event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from devices.messages import FROM_AGENT, ExecutionFinished, HealthReported, InventoryPublished
from remotelab.bench_shell import Agent, BenchShell, send_pieces
from remotelab.ports import AgentLink
from remotelab.sessions import Session
from signaling.errors import CallerError, Code, PeerError, TongkeError
from signaling.messages import PROTOCOL_VERSION, Ack, Hello, Ping, Pong, ValueChunk, Welcome
from signaling.tokens import Grant

_log = logging.getLogger(__name__)


def check_version(hello: Hello) -> None:
    """That a common version is spoken. Raises :class:`CallerError` ``version_unsupported``."""
    if PROTOCOL_VERSION not in hello.versions:
        raise CallerError(Code.VERSION_UNSUPPORTED, f"Version {PROTOCOL_VERSION} is spoken here.")


class Agents:
    """All agents that have ever connected. ``bench_of`` finds or makes a bench, ``sessions`` are the gateway's."""

    def __init__(
        self, bench_of: Callable[[str], BenchShell], sessions: Mapping[str, Session], clock: Callable[[], float]
    ) -> None:
        self._bench_of = bench_of
        self._sessions = sessions
        self._clock = clock
        self._agents: dict[str, Agent] = {}
        self.health: dict[str, HealthReported] = {}
        """The newest health report of each connected agent."""

    def joined(self, hello: Hello, grant: Grant, link: AgentLink, silence_ms: float) -> tuple[Agent, Welcome]:
        """Let an agent in; ``Welcome`` is for it. An earlier link of the same agent is closed.

        Raises :class:`CallerError` ``version_unsupported``.
        """
        check_version(hello)
        agent = self._agents.setdefault(grant.subject, Agent(grant.subject))
        if agent.link is not None:
            agent.link.close(CallerError(Code.REPLACED, "This agent is connected from elsewhere now."))
            self.lost(agent, agent.link)
        agent.link, agent.scope, agent.heard_ms = link, grant.scope, self._clock()
        _log.info("Agent %s has come", agent.name)
        return agent, Welcome(
            version=PROTOCOL_VERSION,
            features=(),
            session=agent.name,
            resume_key="",
            resumed=False,
            participant=grant.subject,
            server_ms=self._clock(),
            silence_ms=silence_ms,
            max_frame_bytes=FROM_AGENT.max_bytes,
        )

    def said(self, agent: Agent, link: AgentLink, message: object) -> None:
        """Handle one message from an agent. Raises :class:`PeerError` when it may not say that."""
        if agent.link is not link:
            return
        now_ms = agent.heard_ms = self._clock()
        match message:
            case ExecutionFinished(id=execution):
                shell = agent.executions.pop(execution, None)
                if shell is not None:
                    shell.agent_said(message, now_ms)
            case ValueChunk():
                for name in agent.values.add(message):
                    if (session := self._sessions.get(name)) is not None:
                        send_pieces(session, (message,))
            case InventoryPublished():
                self._publish(agent, message)
            case Ping(sent_ms=sent_ms):
                link.send(Pong(sent_ms, now_ms, self._clock()))
            case Ack():
                pass
            case HealthReported():
                self.health[agent.name] = message
            case _:
                shell = agent.benches.get(getattr(message, "bench", ""))
                if shell is None:
                    raise PeerError(Code.UNEXPECTED, "That bench is not in your inventory.")
                shell.agent_said(message, now_ms)

    def lost(self, agent: Agent, link: AgentLink) -> None:
        """The link to an agent is gone."""
        if agent.link is not link:
            return
        agent.link = None
        self.health.pop(agent.name, None)
        _log.warning("Agent %s has gone", agent.name)
        for shell in list(agent.benches.values()):
            self._part(shell)

    def close(self, error: TongkeError) -> None:
        """Close every link, with the reason."""
        for agent in self._agents.values():
            if agent.link is not None:
                agent.link.close(error)

    def close_silent(self, silence_ms: float, now_ms: float) -> None:
        """Close links on which nothing was heard for too long."""
        for agent in self._agents.values():
            if agent.link is not None and agent.heard_ms + silence_ms <= now_ms:
                agent.link.close(PeerError(Code.SILENT, "Nothing was heard for too long."))

    def _publish(self, agent: Agent, published: InventoryPublished) -> None:
        names = [report.description.name for report in published.benches]
        if not set(names) <= set(agent.scope) or len(set(names)) < len(names):
            raise PeerError(Code.FORBIDDEN, "The inventory names a bench that the token does not.")
        now_ms = self._clock()
        for name, shell in list(agent.benches.items()):
            if name not in names:
                self._part(shell)
        for report in published.benches:
            shell = self._bench_of(report.description.name)
            if shell.agent is agent:
                shell.apply(shell.bench.inventory(report))
            else:
                self._part(shell)
                if shell.last_agent not in ("", agent.name):
                    shell.apply(shell.bench.moved(now_ms))
                shell.agent, shell.last_agent = agent, agent.name
                agent.benches[report.description.name] = shell
                shell.apply(shell.bench.agent_came(report, now_ms))
            shell.rearm()

    def _part(self, shell: BenchShell) -> None:
        """A bench has no agent any more."""
        agent, shell.agent = shell.agent, None
        if agent is not None:
            agent.benches.pop(shell.bench.name, None)
            for execution in [name for name, owner in agent.executions.items() if owner is shell]:
                del agent.executions[execution]
            shell.apply(shell.bench.agent_left(self._clock()))
            shell.rearm()
