"""A gateway in memory with fake ends: sockets that remember, an agent that is told what to say, a clock set by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import TypeVar

from devices.messages import BenchReport, Execute, InventoryPublished
from remotelab.bench_shell import Agent
from remotelab.effects import BenchRecord, Record
from remotelab.messages import FROM_CLIENT, TO_CLIENT, AcquireLease, LeaseChanged
from remotelab.service import DEFAULT_GATEWAY, Gateway, GatewaySettings
from remotelab.sessions import Session
from signaling.errors import Code, OurError, TongkeError
from signaling.messages import PROTOCOL_VERSION, Hello, Welcome
from signaling.tokens import Audience, Grant, Right
from tests.remotelab.lab import BENCH, NOW, one, report

T = TypeVar("T")


class FakeStore:
    """A disk that can be slow or broken."""

    def __init__(self, *records: BenchRecord) -> None:
        self.records = {record.bench: record for record in records}
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False

    async def load(self) -> list[BenchRecord]:
        return list(self.records.values())

    async def save(self, record: BenchRecord) -> None:
        await self.gate.wait()
        if self.is_broken:
            raise OurError(Code.STORAGE_FAILED, "The disk is full.")
        self.records[record.bench] = record


class FakeAudit:
    """Lines in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Record]] = []

    def append(self, bench: str, record: Record) -> None:
        self.lines.append((bench, record))


class FakePeer:
    """A participant's socket that remembers what it was given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.latest: dict[str, bytes] = {}
        self.bulk: list[bytes] = []
        self.closed: TongkeError | None = None

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def send_latest(self, key: str, frame: bytes) -> None:
        self.latest[key] = frame

    def send_bulk(self, frames: list[bytes]) -> None:
        self.bulk += frames

    def close(self, error: TongkeError) -> None:
        self.closed = error

    def heard(self, kind: type[T]) -> list[T]:
        """What it was told in order, of one kind."""
        return [message for _, message in map(TO_CLIENT.decode, self.frames) if isinstance(message, kind)]

    def heard_in_bulk(self, kind: type[T]) -> list[T]:
        """What came behind everything else, of one kind."""
        return [message for _, message in map(TO_CLIENT.decode, self.bulk) if isinstance(message, kind)]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the numbered events."""
        return [seq for seq, _ in map(TO_CLIENT.decode, self.frames) if seq]


class ScriptedAgent:
    """An agent's link that remembers what it was told, and says what the test wants."""

    def __init__(self, gateway: Gateway, name: str = "lab-pc") -> None:
        self.gateway = gateway
        self.name = name
        self.told: list[object] = []
        self.first: list[object] = []
        self.closed: TongkeError | None = None
        self.agent: Agent | None = None
        self._was_told = asyncio.Event()

    def send(self, message: object, *, first: bool = False) -> None:
        self.told.append(message)
        self._was_told.set()
        if first:
            self.first.append(message)

    def close(self, error: TongkeError) -> None:
        self.closed = error

    def join(self, *reports: BenchReport, scope: tuple[str, ...] = (BENCH,)) -> Welcome:
        """Connect, and publish these benches."""
        grant = Grant(Audience.AGENT, self.name, self.name, scope, frozenset(), 1e18)
        hello = Hello((PROTOCOL_VERSION,), "", "agent")
        self.agent, welcome = self.gateway.agents.joined(hello, grant, self, 15_000.0)
        if reports:
            self.say(InventoryPublished(self.name, "boot-1", reports))
        return welcome

    def say(self, message: object) -> None:
        """Something to the gateway."""
        assert self.agent is not None
        self.gateway.agents.said(self.agent, self, message)

    def lose(self) -> None:
        """The link breaks."""
        assert self.agent is not None
        self.gateway.agents.lost(self.agent, self)

    def heard(self, kind: type[T]) -> list[T]:
        """What it was told, of one kind."""
        return [message for message in self.told if isinstance(message, kind)]

    async def hears(self, kind: type[T]) -> T:
        """The first word of one kind, as soon as it has come."""
        while not self.heard(kind):
            self._was_told.clear()
            await self._was_told.wait()
        return self.heard(kind)[0]

    def executed(self) -> list[str]:
        """The ids that it was given to run."""
        return [word.id for word in self.heard(Execute)]


class Person:
    """A participant, over as many sockets as it takes."""

    def __init__(self, pair: Pair, name: str, *rights: Right, bench: str = BENCH, until_s: float = 1e18) -> None:
        self.pair = pair
        self.grant = Grant(Audience.BENCH, name, name.title(), (bench,), frozenset({Right.OBSERVE, *rights}), until_s)
        self.bench = bench
        self.peer = FakePeer()
        self.session: Session | None = None
        self.features: tuple[str, ...] = ("telemetry",)

    def join(self, *, resume: bool = False, last_seq: int = 0) -> Welcome:
        """Connect over a new socket; ``resume`` the session that there was."""
        session, key = None, None
        if resume:
            welcome = self.peer.heard(Welcome)[-1]
            session, key = welcome.session, welcome.resume_key
        self.peer = FakePeer()
        hello = Hello((PROTOCOL_VERSION,), "", "test", self.features, session, key, last_seq)
        self.session = self.pair.gateway.join(self.peer, self.bench, hello, self.grant)
        return one(self.peer.heard(Welcome))

    def send(self, message: object) -> None:
        """A word to the gateway."""
        self.send_bytes(FROM_CLIENT.encode(message))

    def send_bytes(self, data: bytes) -> None:
        """Any bytes to the gateway."""
        assert self.session is not None
        self.pair.gateway.received(self.session, self.peer, data)

    def lose(self) -> None:
        """The socket breaks."""
        assert self.session is not None
        self.pair.gateway.lost(self.session, self.peer)

    async def take_control(self) -> int:
        """Acquire the lease, and return its fence."""
        self.send(AcquireLease("acquire-1"))
        await self.pair.settle()
        lease = self.peer.heard(LeaseChanged)[-1].lease
        assert lease is not None
        return lease.fence


class Pair:
    """The gateway and everything around it."""

    def __init__(self, store: FakeStore, settings: GatewaySettings = DEFAULT_GATEWAY) -> None:
        self.now_ms = NOW
        self.store = store
        self.audit = FakeAudit()
        secrets = (f"secret-{number}" for number in itertools.count())
        self.gateway = Gateway(
            store, self.audit, clock=lambda: self.now_ms, new_secret=lambda: next(secrets), settings=settings
        )

    def person(self, name: str = "student", *rights: Right, **more: object) -> Person:
        """Somebody who has joined; may control and stop unless rights are named."""
        person = Person(self, name, *(rights or (Right.CONTROL, Right.STOP)), **more)  # type: ignore[arg-type]  # by name
        person.join()
        return person

    def agent(self, *reports: BenchReport) -> ScriptedAgent:
        """A connected agent with the usual bench."""
        agent = ScriptedAgent(self.gateway)
        agent.join(*(reports or (report(),)))
        return agent

    async def settle(self) -> None:
        """Let the disk finish."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def later(self, pause_ms: float) -> None:
        """Let time pass for everybody."""
        self.now_ms += pause_ms
        for shell in self.gateway.benches.values():
            shell.tick()
        self.gateway.sweep()
        await self.settle()


@contextlib.asynccontextmanager
async def gateway_pair(*records: BenchRecord, settings: GatewaySettings = DEFAULT_GATEWAY) -> AsyncIterator[Pair]:
    """A started gateway; closed in the end."""
    pair = Pair(FakeStore(*records), settings)
    await pair.gateway.start()
    try:
        yield pair
    finally:
        pair.store.gate.set()
        await pair.gateway.aclose()
