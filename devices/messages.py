"""The words between an agent and the gateway. The agent dials; it opens with ``Hello`` (see ``signaling.messages``).

Deadlines and ledger times are milliseconds of the server clock, which the agent follows by ``Ping``/``Pong``.
A command's id is unique on an agent: the gateway prefixes the client's id with who sent it.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.model import BenchDescription, CommandMode, CommandStatus, DeviceState
from signaling.errors import Code
from signaling.messages import FROM_DIALLER, FROM_SERVER, ValueChunk
from signaling.wire import Value, Vocabulary, word

# Gateway to agent.


@word
class Execute:
    """Run a command, unless it is late, stale or known already. Answered by exactly one ``ExecutionFinished``."""

    id: str
    bench: str
    device: str
    action: str
    args: Mapping[str, Value]
    deadline_ms: float
    mode: CommandMode
    owner: str
    """The participant; the order of one owner's ``ordered`` commands is kept."""
    fence: int


@word
class CancelExecution:
    """End a command that still waits; one that has started runs on."""

    id: str


@word
class StopBench:
    """Cancel all that waits and take the bench to its safe state at once; the bench stays stopped until cleared."""

    id: str
    bench: str


@word
class ClearBenchStop:
    """Let a stopped bench be commanded again."""

    id: str
    bench: str


@word
class RaiseFence:
    """A lease has begun or ended: commands with a smaller fence are refused from now on, and waiting ones cancelled."""

    bench: str
    fence: int


@word
class CleanUpBench:
    """Bring the bench to its safe state and verify it. Answered by ``CleanUpFinished``."""

    id: str
    bench: str


@word
class ResolveExecutions:
    """What became of these ids? Each is answered by one ``ExecutionFinished``; unknown ones never run any more."""

    ids: tuple[str, ...]


# Agent to gateway.


@word
class DeviceReport:
    """A device's present state, with the reason when it is not online."""

    device: str
    state: DeviceState
    code: Code | None = None
    text: str = ""
    identity: str = ""


@word
class BenchReport:
    """One bench of an inventory: what it is and how it stands."""

    description: BenchDescription
    devices: tuple[DeviceReport, ...]
    stopped: bool
    fence: int
    """The highest fence that this agent has seen for the bench."""
    tripped: tuple[str, ...] = ()
    """The interlocks that block at present."""
    made_safe: bool | None = None
    """Set when the link was away for longer than the bench allows: whether its safe state was then verified."""


@word
class InventoryPublished:
    """All benches of the agent: sent after Welcome, and again when benches or devices are added or removed."""

    agent: str
    boot: str
    """Changes when the lab PC restarts: its journal cannot vouch for commands of an earlier boot."""
    benches: tuple[BenchReport, ...]


@word
class ExecutionFinished:
    """The one outcome of a command. Ledger times are None for steps that it never reached."""

    id: str
    status: CommandStatus
    value: Value = None
    code: Code | None = None
    text: str = ""
    agent_received_ms: float | None = None
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None
    service_ms: float | None = None
    """How long it held the port, settle time included."""
    chunks: str | None = None
    """When set, the value comes in ``ValueChunk`` frames under this name."""
    repeated: bool = False
    """The answer comes from the journal; nothing was executed for this request."""


@word
class BenchStopped:
    """The bench was stopped; ``verified`` says whether its safe state was read back."""

    id: str
    bench: str
    verified: bool
    text: str = ""
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None


@word
class BenchStopCleared:
    """The bench may be commanded again."""

    id: str
    bench: str


@word
class CleanUpFinished:
    """The bench was brought to its safe state, or could not be (``verified`` false: it must be quarantined).

    An empty id: the agent did so of its own accord, because an interlock wanted it.
    """

    id: str
    bench: str
    verified: bool
    text: str = ""


@word
class DeviceChanged:
    """A device came, went or failed its identity check."""

    bench: str
    report: DeviceReport


@word
class InterlockChanged:
    """An interlock began or ceased to block."""

    bench: str
    interlock: str
    blocking: bool


@word
class TelemetrySampled:
    """Readings of one device at one moment."""

    bench: str
    device: str
    time_ms: float
    values: Mapping[str, Value]


@word
class DeviceHealth:
    """How a device has been doing since the last report."""

    bench: str
    device: str
    exchanges: int
    errors: int
    p50_ms: float
    p99_ms: float
    waiting: int
    last_answer_ms: float | None


@word
class HealthReported:
    """The agent's regular health: per device, and its clock's error."""

    devices: tuple[DeviceHealth, ...]
    clock_error_ms: float


TO_AGENT = FROM_SERVER + Vocabulary(
    Execute, CancelExecution, StopBench, ClearBenchStop, RaiseFence, CleanUpBench, ResolveExecutions
)
FROM_AGENT = FROM_DIALLER + Vocabulary(
    InventoryPublished,
    ExecutionFinished,
    ValueChunk,
    BenchStopped,
    BenchStopCleared,
    CleanUpFinished,
    DeviceChanged,
    InterlockChanged,
    TelemetrySampled,
    HealthReported,
    max_bytes=1_048_576,
)
