"""A small lab for the tests of the gateway's cores: a bench, its people, and shorthands for what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from devices.messages import BenchReport, DeviceReport, Execute, ExecutionFinished
from devices.model import (
    Action,
    ActionKind,
    BenchDescription,
    CommandMode,
    CommandStatus,
    DeviceDescription,
    DeviceState,
    Interlock,
    Limit,
    Parameter,
    Property,
    Text,
    ValueType,
)
from remotelab.bench import DEFAULT_BENCH, Bench, BenchSettings
from remotelab.effects import BenchRecord, Effect, Persist, Record, Seat, Tell, TellAgent, TellAll
from remotelab.messages import AcquireLease, Command
from signaling.tokens import Right
from signaling.wire import Value

T = TypeVar("T")

NOW = 1_800_000_000_000.0
BENCH = "lamp"

VOLTAGE = Parameter("voltage", Text("Voltage", "电压"), ValueType.FLOAT, "V", Limit(0.0, 30.0))
SET_VOLTAGE = Action("set_voltage", Text("Voltage", "电压"), ActionKind.SET_POINT, (VOLTAGE,), expected_ms=50.0)
PULSE = Action("pulse", Text("Pulse", "脉冲"), ActionKind.OPERATION, most_time_to_live_ms=1_000.0)
READ = Action("read", Text("Read", "读取"), ActionKind.QUERY, result=ValueType.FLOAT)
HOT = Interlock("hot", Text("Too hot.", "太热。"), "dmm.voltage > 10", ("psu.set_voltage",))

PSU = DeviceDescription(
    "psu",
    "tongke-psu",
    Text("Supply", "电源"),
    "psu-port",
    (Property("voltage", Text("Voltage", "电压"), ValueType.FLOAT, "V"),),
    (SET_VOLTAGE, PULSE, READ),
)
DMM = DeviceDescription("dmm", "tongke-dmm", Text("Meter", "电表"), "dmm-port", (), (READ,))
LAMP = BenchDescription(BENCH, Text("Lamp", "灯泡"), (PSU, DMM), (HOT,), queue_depth=4)


def seat(name: str, *rights: Right, session: str | None = None) -> Seat:
    """Somebody with a session of their own."""
    return Seat(session or f"{name}-session", name, name.title(), frozenset({Right.OBSERVE, *rights}), NOW + 1e9)


STUDENT = seat("student", Right.CONTROL, Right.STOP)
MATE = seat("mate", Right.CONTROL)
OBSERVER = seat("observer")
SUPERVISOR = seat("supervisor", Right.CONTROL, Right.STOP, Right.SUPERVISE)


def online(device: str) -> DeviceReport:
    """A device that can be commanded."""
    return DeviceReport(device, DeviceState.ONLINE)


def report(
    description: BenchDescription = LAMP,
    *,
    stopped: bool = False,
    fence: int = 0,
    tripped: tuple[str, ...] = (),
    made_safe: bool | None = None,
) -> BenchReport:
    """What the agent publishes of a bench whose devices are all online."""
    devices = tuple(online(device.name) for device in description.devices)
    return BenchReport(description, devices, stopped, fence, tripped, made_safe)


def command(
    name: str = "command-1",
    *,
    fence: int = 1,
    device: str = "psu",
    action: str = "set_voltage",
    args: Mapping[str, Value] | None = None,
    sent_ms: float = NOW + 1.0,
    ttl_ms: float = 1_000.0,
    mode: CommandMode = CommandMode.ORDERED,
) -> Command:
    """A command that would be let in, unless told otherwise."""
    given = {"voltage": 3.3} if args is None and action == "set_voltage" else args or {}
    return Command(name, fence, device, action, given, sent_ms, ttl_ms, mode)


def done(execution: str, value: Value = None, **more: object) -> ExecutionFinished:
    """The agent's word that a command was carried out."""
    return ExecutionFinished(execution, CommandStatus.DONE, value, **more)  # type: ignore[arg-type]  # fields by name


def said_to(effects: list[Effect], who: Seat, kind: type[T]) -> list[T]:
    """What a session alone is told, of one kind."""
    return [
        e.message for e in effects if isinstance(e, Tell) and e.session == who.session if isinstance(e.message, kind)
    ]


def said_to_all(effects: list[Effect], kind: type[T]) -> list[T]:
    """What everybody is told, of one kind."""
    return [effect.message for effect in effects if isinstance(effect, TellAll) if isinstance(effect.message, kind)]


def said_to_agent(effects: list[Effect], kind: type[T]) -> list[T]:
    """What the agent is told, of one kind."""
    return [effect.message for effect in effects if isinstance(effect, TellAgent) if isinstance(effect.message, kind)]


def persisted(effects: list[Effect]) -> list[BenchRecord]:
    """What is put on disk."""
    return [effect.record for effect in effects if isinstance(effect, Persist)]


def audited(effects: list[Effect]) -> list[str]:
    """The events of the audit log."""
    return [effect.event for effect in effects if isinstance(effect, Record)]


def one(items: list[T]) -> T:
    """The only one there is."""
    assert len(items) == 1, items
    return items[0]


def bench_online(*people: Seat, settings: BenchSettings = DEFAULT_BENCH, record: BenchRecord | None = None) -> Bench:
    """A bench whose agent is there, with these people on it."""
    bench = Bench(BENCH, NOW, settings=settings, record=record)
    bench.agent_came(report(), NOW)
    for who in people:
        bench.joined(who, NOW)
    return bench


def bench_in_use(*others: Seat, settings: BenchSettings = DEFAULT_BENCH) -> Bench:
    """The same with the student in control, under fence 1."""
    bench = bench_online(STUDENT, *others, settings=settings)
    bench.asked(STUDENT, AcquireLease("acquire-1"), NOW)
    assert bench.standing.lease.fence == 1
    return bench


def execute(effects: list[Effect]) -> Execute:
    """The one command that the agent is given."""
    return one(said_to_agent(effects, Execute))
