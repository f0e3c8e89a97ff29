"""What every driver is: a class that declares an instrument, and the few verbs that the agent uses it by.

The families (``devices.drivers.scpi``, ``line``, ``modbus``) know how their instruments speak; a driver of an
instrument declares what it has. ``docs/drivers.md`` teaches how to write one.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.declaration import (
    DeclaredAction,
    DeclaredProperty,
    SafeState,
    choice,
    expect,
    integer,
    number,
    operation,
    query,
    reading,
    set_point,
    step,
    switch,
)
from devices.model import ActionKind, DeviceDescription, Text, ValueType
from devices.ports import Codec, Conversation
from signaling.errors import CallerError, Code, DeviceError
from signaling.wire import Value

__all__ = [
    "Conversation",
    "DeviceSettings",
    "Driver",
    "SafeState",
    "Text",
    "Value",
    "ValueType",
    "bad_reply",
    "choice",
    "expect",
    "integer",
    "number",
    "operation",
    "parse_value",
    "query",
    "reading",
    "refused",
    "set_point",
    "step",
    "switch",
]

DECLARED = (DeclaredProperty, DeclaredAction)

BITS_PER_BYTE = 10
"""Start bit, eight data bits, stop bit."""

_VERIFY_EVERY_MS = 50.0
_WORDS = {"1": True, "ON": True, "TRUE": True, "0": False, "OFF": False, "FALSE": False}


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """What the bench file says about one device."""

    address: int | None = None
    """Its address on a shared line (Modbus)."""
    serial: str | None = None
    """Its serial number: an instrument that states another one is refused."""
    title: Text | None = None


class Driver:
    """One instrument. A subclass declares it; an instance belongs to one device of a bench and keeps no port."""

    driver_name: ClassVar[str] = ""
    """What bench files call it, for example ``tongke-psu``; empty for the families."""
    title: ClassVar[Text]
    identity: ClassVar[str] = ""
    """A regular expression that the instrument's identity must match somewhere."""
    safe_state: ClassVar[SafeState]
    reply_within_ms: ClassVar[float] = 1_000.0
    """The longest that the instrument thinks before it answers."""
    break_off: ClassVar[bytes | None] = None
    """Bytes that end an exchange early: written at once when a stop finds one on the wire."""
    default_baud: ClassVar[int] = 9_600

    properties: ClassVar[Mapping[str, DeclaredProperty]] = {}
    actions: ClassVar[Mapping[str, DeclaredAction]] = {}

    name: str
    settings: DeviceSettings
    description: DeviceDescription
    codec: Codec
    timeout_ms: float
    byte_ms: float
    gap_ms: float = 0.0
    """The silence that the line needs between a reply and the next request."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = {**vars(cls)}
        cls.properties = {**cls.properties, **{n: d for n, d in declared.items() if isinstance(d, DeclaredProperty)}}
        cls.actions = {**cls.actions, **{n: d for n, d in declared.items() if isinstance(d, DeclaredAction)}}
        if cls.driver_name:
            cls._check_declarations()

    def __init__(self, name: str, port: str, settings: DeviceSettings, baud: int | None = None) -> None:
        self.name = name
        self.settings = settings
        self.byte_ms = BITS_PER_BYTE * 1_000.0 / baud if baud else 0.0
        self.timeout_ms = self.reply_within_ms + self.wire_ms(128)
        self.description = DeviceDescription(
            name,
            self.driver_name,
            settings.title or self.title,
            port,
            tuple(declared.description(n) for n, declared in self.properties.items()),
            tuple(
                self._as_action(declared).description(n, self._wire_ms_of(declared))
                for n, declared in self.actions.items()
            ),
        )

    def wire_ms(self, size_bytes: int) -> float:
        """How long so many bytes take at the port's baud rate."""
        return size_bytes * self.byte_ms

    async def identify(self, io: Conversation) -> str:
        """What the instrument says it is.

        Raises :class:`DeviceError` ``wrong_identity`` when another one sits there, ``no_reply``, ``bad_reply``.
        """
        text = await self.ask_identity(io)
        if not re.search(self.identity, text):
            raise DeviceError(Code.WRONG_IDENTITY, f"{self.name}: {text[:80]!r} answers instead of {self.driver_name}.")
        if self.settings.serial is not None and self.settings.serial not in re.split(r"[\s,;]+", text):
            raise DeviceError(
                Code.WRONG_IDENTITY,
                f"{self.name}: {text[:80]!r} answers; its serial number should be {self.settings.serial}.",
            )
        return text

    async def read(self, io: Conversation, name: str) -> Value:
        """Read a property. Raises :class:`DeviceError`."""
        declared = self.properties.get(name)
        if declared is None:
            raise CallerError(Code.NOT_FOUND, f"{self.name} has no property {name[:40]!r}.")
        if declared.method is not None:
            return await declared.method(self, io)
        return await self.perform_read(io, declared)

    async def run(self, io: Conversation, name: str, args: Mapping[str, Value]) -> Value:
        """Do an action with checked arguments: when it returns, the instrument has done it.

        Raises :class:`DeviceError`.
        """
        declared = self.actions.get(name)
        if declared is None:
            raise CallerError(Code.UNKNOWN_ACTION, f"{self.name} has no action {name[:40]!r}.")
        if declared.method is not None:
            value = await declared.method(self, io, **args)
        elif declared.kind is ActionKind.QUERY:
            value = await self.read(io, declared.reads or "")
        else:
            value = await self.perform_write(io, declared, args)
        if declared.settle_ms:
            await io.settle(declared.settle_ms)
        return value

    async def make_safe(self, io: Conversation) -> None:
        """Take every step to the safe state, also when an earlier one fails.

        Raises the first :class:`DeviceError` in the end.
        """
        failure: DeviceError | None = None
        for each in self.safe_state.steps:
            try:
                await self.run(io, each.action, dict(each.args))
            except DeviceError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def verify_safe(self, io: Conversation) -> str | None:
        """Read the safe state back: None when it is reached, otherwise what is wrong. Raises :class:`DeviceError`."""
        waited_ms = 0.0
        while True:
            complaints = [each.complaint(await self.read(io, each.property)) for each in self.safe_state.expectations]
            wrong = "; ".join(complaint for complaint in complaints if complaint)
            if not wrong or waited_ms >= self.safe_state.within_ms:
                return wrong or None
            await io.settle(_VERIFY_EVERY_MS)
            waited_ms += _VERIFY_EVERY_MS

    # What a family of instruments provides.

    async def ask_identity(self, io: Conversation) -> str:
        """Ask the instrument what it is."""
        raise NotImplementedError

    async def perform_read(self, io: Conversation, declared: DeclaredProperty) -> Value:
        """Read a property that is declared without a method."""
        raise NotImplementedError

    async def perform_write(self, io: Conversation, declared: DeclaredAction, args: Mapping[str, Value]) -> Value:
        """Do an action that is declared without a method."""
        raise NotImplementedError

    def exchange_bytes(self, declared: DeclaredProperty | DeclaredAction) -> int:
        """About how many bytes go both ways for it."""
        return 32

    def _wire_ms_of(self, declared: DeclaredAction) -> float:
        if declared.exchange_bytes is not None:
            return self.wire_ms(declared.exchange_bytes)
        source = self.properties[declared.reads] if declared.kind is ActionKind.QUERY and declared.reads else declared
        return self.wire_ms(self.exchange_bytes(source))

    def _as_action(self, declared: DeclaredAction) -> DeclaredAction:
        """A query that only reads a property has that property's type and unit."""
        if declared.kind is not ActionKind.QUERY or declared.reads is None or declared.result is not None:
            return declared
        prop = self.properties[declared.reads]
        return dataclasses.replace(declared, result=prop.type, unit=prop.unit)

    @classmethod
    def _check_declarations(cls) -> None:
        """Refuse a driver whose declarations contradict themselves, when its module is loaded. Raises TypeError."""
        mistakes = [f"{attribute} is missing" for attribute in ("title", "safe_state") if not hasattr(cls, attribute)]
        for name, declared in cls.properties.items():
            if declared.method is None and declared.read is None:
                mistakes.append(f"{name}: say how to read it")
        for name in [*cls.properties, *cls.actions]:
            inherited = [vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)]
            if name in Driver.__annotations__ or not all(isinstance(each, DECLARED) for each in inherited):
                mistakes.append(f"{name}: that word is taken by Driver itself")
        for name, action in cls.actions.items():
            if action.reads is not None and action.reads not in cls.properties:
                mistakes.append(f"{name}: there is no property {action.reads}")
            if (
                action.method is None
                and action.write is None
                and (action.kind is not ActionKind.QUERY or not action.reads)
            ):
                mistakes.append(f"{name}: say how to do it")
            for parameter in action.parameters:
                if parameter.type is ValueType.STR and not parameter.choices:
                    mistakes.append(f"{name}.{parameter.name}: a text needs its choices")
        if not mistakes:
            mistakes += [
                f"safe state: there is no action {s.action}"
                for s in cls.safe_state.steps
                if s.action not in cls.actions
            ]
            mistakes += [
                f"safe state: there is no property {e.property}"
                for e in cls.safe_state.expectations
                if e.property not in cls.properties
            ]
        if mistakes:
            raise TypeError(f"driver {cls.driver_name}: {'; '.join(mistakes)}")


def parse_value(text: str, type: ValueType) -> Value:
    """A reply's text as a value of that type. Raises :class:`DeviceError` ``bad_reply``."""
    text = text.strip()
    if type is ValueType.STR:
        return text.strip('"')
    if type is ValueType.BOOL:
        if text.upper() not in _WORDS:
            raise bad_reply(text, "neither on nor off")
        return _WORDS[text.upper()]
    try:
        value = float(text)
    except ValueError:
        raise bad_reply(text, "not a number") from None
    if not math.isfinite(value):
        raise bad_reply(text, "not a finite number")
    if type is not ValueType.INT:
        return value
    if value != int(value):
        raise bad_reply(text, "not a whole number")
    return int(value)


def bad_reply(reply: str | bytes, why: str) -> DeviceError:
    """The error for a reply that makes no sense."""
    return DeviceError(Code.BAD_REPLY, f"The instrument answered {reply[:60]!r}, which is {why}.")


def refused(words: str) -> DeviceError:
    """The error for an instrument that understood and would not, in its own words."""
    return DeviceError(Code.DEVICE_REFUSED, f"The instrument refused: {words[:120]}.")
