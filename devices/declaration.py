"""The words in which a driver states what its instrument has and does.

A property or an action is one class attribute of the driver, named as people will call it::

    voltage = reading(Text("Voltage", "电压"), "V", read="MEAS:VOLT?", high=30.0, poll_ms=200)
    set_voltage = set_point(
        Text("Set voltage", "设定电压"),
        number("voltage", Text("Voltage", "电压"), "V", low=0.0, high=30.0, step=0.01),
        write="VOLT {voltage:.3f}",
    )

What is too special for a text becomes a method under the same words: ``@query(...)`` above ``async def``. Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from devices.model import Action, ActionKind, Limit, Parameter, Property, Text, ValueType
from signaling.wire import Value

Method: TypeAlias = Callable[..., Awaitable[Value]]
"""``async def method(self, io)`` of a property, ``async def method(self, io, name=…, …)`` of an action."""

KNOB_TIME_TO_LIVE_MS = 300.0
MOVING_TIME_TO_LIVE_MS = 1_000.0
TIME_TO_LIVE_MS = 2_000.0


@dataclass(frozen=True, slots=True)
class DeclaredProperty:
    """What can be read, and how: ``read`` in the words of the driver's family, or a method."""

    title: Text
    unit: str
    type: ValueType
    decimals: int
    poll_ms: float | None
    limit: Limit
    read: object = None
    method: Method | None = None

    def __call__(self, method: Method) -> DeclaredProperty:
        """Used as a decorator: the method reads the property."""
        return dataclasses.replace(self, method=method)

    def description(self, name: str) -> Property:
        """As everybody else sees it."""
        return Property(name, self.title, self.type, self.unit, self.decimals, self.poll_ms, self.limit)


@dataclass(frozen=True, slots=True)
class DeclaredAction:
    """What can be asked for, and how: ``write`` in the words of the driver's family, or a method."""

    title: Text
    kind: ActionKind
    parameters: tuple[Parameter, ...]
    write: object = None
    method: Method | None = None
    reads: str | None = None
    result: ValueType | None = None
    unit: str = ""
    settle_ms: float = 0.0
    busy_ms: float = 0.0
    """How long the instrument itself takes; the time on the wire is added."""
    exchange_bytes: int | None = None
    """How many bytes go both ways, for a method."""
    moves: bool = False
    time_to_live_ms: float = TIME_TO_LIVE_MS

    def __call__(self, method: Method) -> DeclaredAction:
        """Used as a decorator: the method does it."""
        return dataclasses.replace(self, method=method)

    def description(self, name: str, wire_ms: float) -> Action:
        """As everybody else sees it; ``wire_ms`` is how long its bytes take."""
        return Action(
            name,
            self.title,
            self.kind,
            self.parameters,
            self.result,
            self.unit,
            expected_ms=wire_ms + self.busy_ms + self.settle_ms,
            settle_ms=self.settle_ms,
            time_to_live_ms=self.time_to_live_ms,
            most_time_to_live_ms=MOVING_TIME_TO_LIVE_MS if self.moves else 10_000.0,
            reads=self.reads,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One action on the way to the safe state."""

    action: str
    args: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a property must read in the safe state: a value, or a number no further than ``within`` from zero."""

    property: str
    equals: Value = None
    within: float | None = None

    def complaint(self, value: Value) -> str | None:
        """What is wrong with this reading, in words; None when it is as it should be."""
        if self.within is None:
            return None if value == self.equals else f"{self.property} is {value}, not {self.equals}"
        if isinstance(value, int | float) and abs(value) <= self.within:
            return None
        return f"{self.property} is {value}, more than {self.within:g} from zero"


@dataclass(frozen=True, slots=True)
class SafeState:
    """How the instrument is made safe, and how that is seen. Empty for what can do no harm, such as a multimeter."""

    steps: tuple[Step, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    within_ms: float = 2_000.0
    """How long the readings may take to get there: a motor must run down, a capacitor discharge."""


def step(action: str, **args: Value) -> Step:
    """An action with its arguments, for a safe state."""
    return Step(action, tuple(args.items()))


def expect(name: str, equals: Value = None, *, within: float | None = None) -> Expectation:
    """A property's reading in the safe state."""
    return Expectation(name, equals, within)


def reading(
    title: Text,
    unit: str = "",
    *,
    read: object = None,
    type: ValueType = ValueType.FLOAT,
    low: float | None = None,
    high: float | None = None,
    decimals: int = 3,
    poll_ms: float | None = None,
) -> DeclaredProperty:
    """A property. ``poll_ms`` is how often it is plotted; ``low`` and ``high`` the range that it usually lies in."""
    return DeclaredProperty(title, unit, type, decimals, poll_ms, Limit(low, high), read)


def set_point(
    title: Text,
    *parameters: Parameter,
    write: object = None,
    reads: str | None = None,
    moves: bool = False,
    settle_ms: float = 0.0,
    busy_ms: float = 0.0,
    exchange_bytes: int | None = None,
) -> DeclaredAction:
    """A knob, slider or switch: only its newest value matters. ``reads`` is the property that shows where it stands."""
    return DeclaredAction(
        title,
        ActionKind.SET_POINT,
        parameters,
        write,
        reads=reads,
        moves=moves,
        settle_ms=settle_ms,
        busy_ms=busy_ms,
        exchange_bytes=exchange_bytes,
        time_to_live_ms=KNOB_TIME_TO_LIVE_MS,
    )


def operation(
    title: Text,
    *parameters: Parameter,
    write: object = None,
    moves: bool = False,
    settle_ms: float = 0.0,
    busy_ms: float = 0.0,
    exchange_bytes: int | None = None,
) -> DeclaredAction:
    """Something that is done once per command and never repeated by itself."""
    return DeclaredAction(
        title,
        ActionKind.OPERATION,
        parameters,
        write,
        moves=moves,
        settle_ms=settle_ms,
        busy_ms=busy_ms,
        exchange_bytes=exchange_bytes,
        time_to_live_ms=MOVING_TIME_TO_LIVE_MS if moves else TIME_TO_LIVE_MS,
    )


def query(
    title: Text,
    *parameters: Parameter,
    reads: str | None = None,
    result: ValueType | None = None,
    unit: str = "",
    busy_ms: float = 0.0,
    exchange_bytes: int | None = None,
) -> DeclaredAction:
    """A measurement, which changes nothing. With ``reads`` alone it reads that property; otherwise give it a method."""
    return DeclaredAction(
        title,
        ActionKind.QUERY,
        parameters,
        reads=reads,
        result=result,
        unit=unit,
        busy_ms=busy_ms,
        exchange_bytes=exchange_bytes,
    )


def number(
    name: str,
    title: Text,
    unit: str,
    *,
    low: float,
    high: float,
    step: float | None = None,
    default: float | None = None,
) -> Parameter:
    """A number with a unit and limits; every number that reaches an instrument has both limits."""
    return Parameter(name, title, ValueType.FLOAT, unit, Limit(low, high, step), default=default)


def integer(name: str, title: Text, unit: str = "", *, low: int, high: int, default: int | None = None) -> Parameter:
    """A whole number with limits."""
    return Parameter(name, title, ValueType.INT, unit, Limit(low, high, 1), default=default)


def switch(name: str, title: Text, *, default: bool | None = None) -> Parameter:
    """On or off."""
    return Parameter(name, title, ValueType.BOOL, default=default)


def choice(name: str, title: Text, *choices: str, default: str | None = None) -> Parameter:
    """One of some words."""
    return Parameter(name, title, ValueType.STR, choices=choices, default=default)
