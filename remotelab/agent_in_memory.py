"""A pretend agent inside the gateway's process that answers every command at once: for load tests and rehearsals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devices.messages import (
    BenchReport,
    BenchStopCleared,
    BenchStopped,
    CleanUpBench,
    CleanUpFinished,
    ClearBenchStop,
    DeviceReport,
    Execute,
    ExecutionFinished,
    InventoryPublished,
    ResolveExecutions,
    StopBench,
)
from devices.model import (
    Action,
    ActionKind,
    BenchDescription,
    CommandStatus,
    DeviceDescription,
    DeviceState,
    Limit,
    Parameter,
    Property,
    Text,
    ValueType,
)
from remotelab.bench_shell import Agent
from remotelab.service import Gateway
from signaling.errors import Code, TongkeError
from signaling.messages import PROTOCOL_VERSION, Hello
from signaling.tokens import Audience, Grant


def pretend_bench(name: str) -> BenchDescription:
    """A bench with one device ``psu`` that can ``set_voltage`` and ``read_voltage``."""
    volts = Parameter("voltage", Text("Voltage", "电压"), ValueType.FLOAT, "V", Limit(0.0, 30.0, 0.01))
    actions = (
        Action(
            "set_voltage", Text("Voltage", "电压"), ActionKind.SET_POINT, (volts,), expected_ms=0.01, reads="voltage"
        ),
        Action(
            "read_voltage", Text("Read", "读取"), ActionKind.QUERY, result=ValueType.FLOAT, unit="V", expected_ms=0.01
        ),
    )
    shown = (Property("voltage", Text("Voltage", "电压"), ValueType.FLOAT, "V"),)
    psu = DeviceDescription("psu", "pretend", Text("Power supply", "电源"), "psu-port", shown, actions)
    return BenchDescription(name, Text(name, name), (psu,), queue_depth=4_096)


class InMemoryAgent:
    """An :class:`remotelab.ports.AgentLink` for pretend benches. Nothing crosses a socket."""

    def __init__(self, gateway: Gateway, benches: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._gateway = gateway
        self._benches = benches
        self._clock = clock
        self._agent: Agent | None = None
        self._answers: list[object] = []
        self._voltage = dict.fromkeys(benches, 0.0)
        self._stopped = dict.fromkeys(benches, False)

    def connect(self) -> None:
        """Join the gateway and publish the benches."""
        hello = Hello((PROTOCOL_VERSION,), "", "in-memory")
        grant = Grant(Audience.AGENT, "in-memory", "in-memory", self._benches, frozenset(), float("inf"))
        self._agent, _ = self._gateway.agents.joined(hello, grant, self, float("inf"))
        reports = tuple(
            BenchReport(pretend_bench(name), (DeviceReport("psu", DeviceState.ONLINE),), self._stopped[name], 0)
            for name in self._benches
        )
        self._gateway.agents.said(self._agent, self, InventoryPublished("in-memory", "0", reports))

    def send(self, message: object, *, first: bool = False) -> None:
        """Answer soon, in the same turn of the event loop as everything else that was sent in it."""
        answers = self._answer(message)
        if answers and not self._answers:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._answers += answers

    def close(self, error: TongkeError) -> None:
        """Nothing to close."""

    def _deliver(self) -> None:
        answers, self._answers = self._answers, []
        if self._agent is not None:
            for answer in answers:
                self._gateway.agents.said(self._agent, self, answer)

    def _answer(self, message: object) -> list[object]:
        if type(message) is Execute:
            return [self._executed(message)]
        match message:
            case StopBench(id=name, bench=bench):
                self._stopped[bench], self._voltage[bench] = True, 0.0
                return [BenchStopped(name, bench, verified=True)]
            case ClearBenchStop(id=name, bench=bench):
                self._stopped[bench] = False
                return [BenchStopCleared(name, bench)]
            case CleanUpBench(id=name, bench=bench):
                self._voltage[bench] = 0.0
                return [CleanUpFinished(name, bench, verified=True)]
            case ResolveExecutions(ids=ids):
                lost = CommandStatus.CANCELLED
                return [ExecutionFinished(name, lost, code=Code.NEVER_STARTED) for name in ids]
        return []

    def _executed(self, execute: Execute) -> ExecutionFinished:
        now_ms = self._clock()
        if execute.action == "set_voltage":
            self._voltage[execute.bench] = execute.args["voltage"]  # type: ignore[assignment]  # checked by the gateway
        value = self._voltage[execute.bench]
        return ExecutionFinished(execute.id, CommandStatus.DONE, value, None, "", now_ms, now_ms, now_ms, 0.0)
