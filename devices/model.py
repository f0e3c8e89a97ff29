"""What an instrument and a bench are, as everybody sees them: frozen data, the same on both ends of the wire.

An agent publishes :class:`BenchDescription`; the gateway checks commands against it, the page draws its panel from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ValueType(StrEnum):
    """The type of a property, parameter or result."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    TRACE = "trace"
    """A scope trace: ``{"x0": float, "dx": float, "y": [float…], "x_unit": str, "y_unit": str}``."""


class ActionKind(StrEnum):
    """What an action does to the instrument, which decides how it may be sent and retried."""

    SET_POINT = "set_point"
    """Sets one value of which only the newest matters; may be sent in mode ``latest``."""
    OPERATION = "operation"
    """Does something; never repeated on its own."""
    QUERY = "query"
    """Reads and changes nothing (idempotent); may be retried, and runs while the bench is stopped."""


class CommandMode(StrEnum):
    """How a waiting command relates to its neighbours."""

    ORDERED = "ordered"
    LATEST = "latest"


class CommandStatus(StrEnum):
    """The one outcome that every accepted command ends with."""

    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class DeviceState(StrEnum):
    """Whether a device can be commanded."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    WRONG_IDENTITY = "wrong_identity"


class Lane(StrEnum):
    """Who goes first at a port."""

    STOP = "stop"
    CLEAN_UP = "clean_up"
    CONTROL = "control"
    QUERY = "query"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people in the languages that Tongke speaks."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds on a value, in its unit; ``step`` is the knob's resolution, not a constraint. Absent bounds are open."""

    low: float | None = None
    high: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """Something that can be read: shown as a number with its unit, and plotted when ``poll_ms`` is set."""

    name: str
    title: Text
    type: ValueType
    unit: str = ""
    decimals: int = 3
    poll_ms: float | None = None
    """How often the agent reads it for telemetry; None when only a query or a command reads it."""
    limit: Limit = Limit()
    """The range that it usually lies in, for axes and bars."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an action."""

    name: str
    title: Text
    type: ValueType
    unit: str = ""
    limit: Limit = Limit()
    choices: tuple[str, ...] = ()
    """The allowed strings, for a parameter of type ``str``."""
    default: object = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be asked of a device."""

    name: str
    title: Text
    kind: ActionKind
    parameters: tuple[Parameter, ...] = ()
    result: ValueType | None = None
    unit: str = ""
    expected_ms: float = 50.0
    """How long it holds the port, settle time included: seeds the gateway's learned service time."""
    settle_ms: float = 0.0
    time_to_live_ms: float = 2_000.0
    """What clients use unless they know better."""
    most_time_to_live_ms: float = 10_000.0
    """A longer time to live is refused; at most 1,000 for anything that moves."""
    reads: str | None = None
    """The property that shows what this action sets: where a knob finds its position."""


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """One device of a bench, as its driver and the lab's limits describe it."""

    name: str
    driver: str
    title: Text
    port: str
    """The name of the port whose queue it shares."""
    properties: tuple[Property, ...] = ()
    actions: tuple[Action, ...] = ()

    def action(self, name: str) -> Action | None:
        """The action of that name."""
        return next((action for action in self.actions if action.name == name), None)

    def property(self, name: str) -> Property | None:
        """The property of that name."""
        return next((prop for prop in self.properties if prop.name == name), None)


@dataclass(frozen=True, slots=True)
class Interlock:
    """A condition over readings of the bench that, while true or undecidable, blocks actions."""

    name: str
    text: Text
    """Why, in words for the person whose knob is disabled."""
    when: str
    """For example ``plate.temperature > 80 or not psu.output``; see ``devices.interlock``."""
    blocks: tuple[str, ...]
    """``device.action`` or ``device.*``."""
    makes_safe: bool = False
    """Whether the bench is also brought to its safe state when the condition becomes true."""


@dataclass(frozen=True, slots=True)
class BenchDescription:
    """A bench: what is booked, and what one lease covers."""

    name: str
    title: Text
    devices: tuple[DeviceDescription, ...]
    interlocks: tuple[Interlock, ...] = ()
    queue_depth: int = 32
    """How many commands may wait at each port."""
    link_loss_ms: float = 10_000.0
    """How long the agent may be without the gateway before it brings the bench to its safe state by itself."""

    def device(self, name: str) -> DeviceDescription | None:
        """The device of that name."""
        return next((device for device in self.devices if device.name == name), None)
