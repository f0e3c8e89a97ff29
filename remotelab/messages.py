"""The words between a student's program (page or Python client) and the gateway.

Events marked *replayed* bear a sequence number and are sent again when a session resumes; the others are of the moment.
A request with an ``id`` that is not a command is answered by ``RequestDone`` or ``RequestRefused``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devices.messages import DeviceReport
from devices.model import BenchDescription, CommandMode, CommandStatus
from signaling.errors import Code
from signaling.messages import FROM_DIALLER, FROM_SERVER
from signaling.wire import Value, Vocabulary, word


class BenchState(StrEnum):
    """What can be done with a bench now."""

    OFFLINE = "offline"
    """Its agent is away."""
    ONLINE = "online"
    """Free to take."""
    IN_USE = "in_use"
    DRAINING = "draining"
    """A lease has ended and the bench is being brought to its safe state."""
    QUARANTINED = "quarantined"
    """The safe state could not be verified; somebody with the right to supervise must release it."""


class Feature(StrEnum):
    """Optional behaviour that a client asks for in Hello."""

    ADMISSIONS = "admissions"
    """Send ``CommandAdmitted`` for every command that was let in."""
    TELEMETRY = "telemetry"
    """Send telemetry; a client that only commands may leave it out."""


# Client to gateway.


@word
class Command:
    """Ask a device to do something. Send the identical frame again to learn its outcome; it is never executed twice."""

    id: str
    """Chosen by the client: 8 to 64 letters, digits, ``-`` or ``_``, never used for another command."""
    fence: int
    device: str
    action: str
    args: Mapping[str, Value]
    sent_ms: float
    """When it was sent on the server clock, rounded down by what the client's clock may be wrong."""
    ttl_ms: float
    """The command never starts later than this after ``sent_ms``."""
    mode: CommandMode = CommandMode.ORDERED


@word
class CancelCommand:
    """End a command of one's own that still waits."""

    id: str
    command: str


@word
class Stop:
    """Take the bench to its safe state now. Needs no lease. Answered by ``StopFinished``."""

    id: str
    sent_ms: float


@word
class ClearStop:
    """Let the stopped bench be commanded again; for the controller or a supervisor."""

    id: str


@word
class AskOutcomes:
    """What became of these commands of mine? Each is answered by one ``CommandFinished``."""

    id: str
    commands: tuple[str, ...]


@word
class AcquireLease:
    """Take control of the bench."""

    id: str


@word
class RenewLease:
    """Keep control for another term."""

    id: str
    fence: int


@word
class TransferLease:
    """Hand control to another participant who is present and may control."""

    id: str
    fence: int
    to: str


@word
class ReleaseLease:
    """Give control back; the bench is cleaned up."""

    id: str
    fence: int


@word
class RevokeLease:
    """Take control from whoever holds it; needs the right to supervise."""

    id: str


@word
class ReleaseQuarantine:
    """Clean the bench up again and, if its safe state verifies, open it; needs the right to supervise."""

    id: str


# Gateway to client.


@word
class Ledger:
    """Where a command's milliseconds went, on the server clock. Steps that were never reached are absent."""

    sent_ms: float
    gateway_received_ms: float
    agent_received_ms: float | None = None
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None
    gateway_replied_ms: float | None = None


@word
class CommandAdmitted:
    """The command waits; it should start in ``start_in_ms``. Sent to clients with the feature ``admissions``."""

    id: str
    start_in_ms: float


@word
class CommandRefused:
    """The command was not accepted and will never run. ``retry_after_ms``: when it might be."""

    id: str
    code: Code
    text: str
    retry_after_ms: float | None = None
    parameter: str | None = None


@word
class CommandFinished:
    """*Replayed.* The one outcome of an accepted command."""

    id: str
    status: CommandStatus
    ledger: Ledger
    value: Value = None
    code: Code | None = None
    text: str = ""
    chunks: str | None = None
    """When set, the value comes in ``ValueChunk`` frames under this name, before or after this frame."""
    repeated: bool = False
    """This id had ended before; nothing was executed for this request."""


@word
class CommandLogged:
    """Somebody else's command ended: for observers' logs and knobs. Lossy on a slow link."""

    participant: str
    device: str
    action: str
    args: Mapping[str, Value]
    status: CommandStatus
    time_ms: float
    text: str = ""


@word
class StopFinished:
    """*Replayed to everybody.* The bench was stopped by ``participant``."""

    id: str
    participant: str
    verified: bool
    ledger: Ledger
    text: str = ""


@word
class StopCleared:
    """*Replayed.* The bench may be commanded again."""

    participant: str


@word
class Lease:
    """Who holds the control, with which fence, until when. ``away``: the holder's socket is gone; the seat is kept."""

    participant: str
    name: str
    fence: int
    expires_ms: float
    away: bool = False


@word
class LeaseChanged:
    """*Replayed.* The control was taken, renewed, handed over or given up (``lease`` absent)."""

    lease: Lease | None
    reason: str
    """acquired, renewed, transferred, released, revoked, expired, abandoned, away or returned."""


@word
class BenchChanged:
    """*Replayed.* The bench's state changed, with the reason when it is not simply usable."""

    state: BenchState
    text: str = ""


@word
class DeviceChanged:
    """*Replayed.* A device came, went or failed its identity check."""

    report: DeviceReport


@word
class InterlockChanged:
    """*Replayed.* An interlock began or ceased to block."""

    interlock: str
    blocking: bool


@word
class InventoryChanged:
    """*Replayed.* The bench was changed by its technician: here is its new description."""

    description: BenchDescription


@word
class Participant:
    """Somebody who is on the bench."""

    id: str
    name: str
    may_control: bool
    connected: bool


@word
class PresenceChanged:
    """*Replayed.* Who is here now."""

    participants: tuple[Participant, ...]


@word
class TelemetrySampled:
    """Readings of one device. The newest wins on a slow link."""

    device: str
    time_ms: float
    values: Mapping[str, Value]


@word
class TelemetryHistory:
    """The readings so far of one device, for who comes late. The first column is ``time_ms``; gaps are None."""

    device: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@word
class SetPoint:
    """The last arguments with which a set-point action was carried out: where a knob stands."""

    device: str
    action: str
    args: Mapping[str, Value]


@word
class BenchSnapshot:
    """Everything to draw the bench: sent after Welcome unless the session was resumed."""

    bench: str
    state: BenchState
    text: str
    description: BenchDescription | None
    """Absent until the bench's agent has been seen."""
    devices: tuple[DeviceReport, ...]
    stopped: bool
    blocking: tuple[str, ...]
    """The names of the interlocks that block."""
    lease: Lease | None
    participants: tuple[Participant, ...]
    set_points: tuple[SetPoint, ...]
    outcomes: tuple[CommandFinished, ...]
    """This participant's latest outcomes, newest last."""
    may: tuple[str, ...]
    """The rights of this participant: observe, control, stop, supervise."""
    until_ms: float
    """When this participant's token ends."""


FROM_CLIENT = FROM_DIALLER + Vocabulary(
    Command,
    CancelCommand,
    Stop,
    ClearStop,
    AskOutcomes,
    AcquireLease,
    RenewLease,
    TransferLease,
    ReleaseLease,
    RevokeLease,
    ReleaseQuarantine,
    max_bytes=65_536,
)
TO_CLIENT = FROM_SERVER + Vocabulary(
    CommandAdmitted,
    CommandRefused,
    CommandFinished,
    CommandLogged,
    StopFinished,
    StopCleared,
    LeaseChanged,
    BenchChanged,
    DeviceChanged,
    InterlockChanged,
    InventoryChanged,
    PresenceChanged,
    TelemetrySampled,
    TelemetryHistory,
    BenchSnapshot,
    max_bytes=1_048_576,
)
