"""What a client knows and owes: its session, the bench as it stands, and what it has asked and not been told. Pure.

Whatever is pending is sent again, byte for byte, on every new connection; the gateway answers a known id by its one
outcome, so a command never runs twice and every question is answered once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]  # the package ships no types

from devices.messages import DeviceReport
from devices.model import Action, BenchDescription, CommandMode
from remotelab.client_errors import CommandRefusedError, RequestRefusedError, error_of
from remotelab.messages import (
    FROM_CLIENT,
    TO_CLIENT,
    BenchChanged,
    BenchSnapshot,
    BenchState,
    Command,
    CommandFinished,
    CommandRefused,
    DeviceChanged,
    Feature,
    InventoryChanged,
    Lease,
    LeaseChanged,
    Ledger,
    StopCleared,
    StopFinished,
    TelemetrySampled,
)
from signaling.clock import ClockFollower
from signaling.errors import Code, PeerError, TongkeError
from signaling.messages import (
    PROTOCOL_VERSION,
    Ack,
    ConnectionClosing,
    Hello,
    Ping,
    Pong,
    RequestDone,
    RequestRefused,
    ValueChunk,
    Welcome,
)
from signaling.wire import FrameError, Value

_MOST_PIECES = 1_024
_KEPT_VALUES = 32


@dataclass(frozen=True, slots=True)
class CommandReport:
    """Where the milliseconds of one command went: the ledger's times, and the client's own, are server time."""

    id: str
    device: str
    action: str
    ledger: Ledger
    received_ms: float
    round_trip_ms: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that was asked has been answered: by a value or an error, once."""

    id: str
    value: Value = None
    error: TongkeError | None = None
    report: CommandReport | None = None


@dataclass(frozen=True, slots=True)
class _Pending:
    frame: bytes
    command: Command | None
    at_ms: float


class ClientCore:
    """The client's half of the protocol. Feed it frames and local times (ms); it returns what was answered."""

    def __init__(self, token: str, program: str, *, telemetry: bool = True) -> None:
        self._token = token
        self._program = program
        self._features = (Feature.TELEMETRY.value,) if telemetry else ()
        self._session: str | None = None
        self._resume_key: str | None = None
        self._last_seq = 0
        self._acked_seq = 0
        self._pending: dict[str, _Pending] = {}
        self._pieces: dict[str, dict[int, ValueChunk]] = {}
        self._awaiting: dict[str, CommandFinished] = {}
        self._samples: list[TelemetrySampled] = []
        self._is_welcomed = False
        self.clock = ClockFollower()
        self.participant = ""
        self.description: BenchDescription | None = None
        self.state = BenchState.OFFLINE
        self.lease: Lease | None = None
        self.stopped = False
        self.devices: dict[str, DeviceReport] = {}
        self.readings: dict[str, dict[str, Value]] = {}
        """The newest telemetry by device and property."""
        self.closing: ConnectionClosing | None = None
        """Why the server closed the connection, when it said so."""

    def hello(self) -> bytes:
        """The first frame of a new connection."""
        self.closing = None
        self._is_welcomed = False
        return FROM_CLIENT.encode(
            Hello(
                (PROTOCOL_VERSION,),
                self._token,
                self._program,
                self._features,
                self._session,
                self._resume_key,
                self._last_seq,
            )
        )

    def ping(self, now_ms: float) -> bytes:
        """Ask for the server's time."""
        return FROM_CLIENT.encode(Ping(now_ms))

    def acknowledgement(self) -> bytes | None:
        """What to send so that the server may forget events; None when it knows."""
        if self._acked_seq >= self._last_seq:
            return None
        self._acked_seq = self._last_seq
        return FROM_CLIENT.encode(Ack(self._last_seq))

    def to_send_again(self) -> list[bytes]:
        """Everything that is still open, for a new connection."""
        return [pending.frame for pending in self._pending.values()]

    @property
    def is_ready(self) -> bool:
        """Whether the server has let us in and its clock is known."""
        return self._is_welcomed and self.clock.is_set

    @property
    def holds_lease(self) -> bool:
        """Whether this participant has the control."""
        return self.lease is not None and self.lease.participant == self.participant

    def command(
        self,
        command_id: str,
        device: str,
        action: str,
        args: Mapping[str, Value],
        ttl_ms: float,
        mode: CommandMode,
        now_ms: float,
    ) -> bytes:
        """The frame of a new command, which is pending from now on. Raises ``LookupError`` before the first Pong."""
        fence = self.lease.fence if self.lease is not None else 0
        sent_ms = self.clock.earliest_server_ms(now_ms)
        command = Command(command_id, fence, device, action, args, sent_ms, ttl_ms, mode)
        return self._ask(command_id, command, command, now_ms)

    def request(self, request_id: str, request: object, now_ms: float) -> bytes:
        """The frame of a new request, which is pending from now on."""
        return self._ask(request_id, request, None, now_ms)

    def received(self, data: bytes, now_ms: float) -> list[Answered]:
        """Take one frame. Raises :class:`PeerError` for one that cannot be read."""
        seq, message = _read(data)
        if seq:
            if seq <= self._last_seq:
                return []
            if seq != self._last_seq + 1:
                raise PeerError(Code.UNEXPECTED, f"Event {seq} came after {self._last_seq}.")
            self._last_seq = seq
        match message:
            case CommandFinished():
                return self._finished(message, now_ms)
            case CommandRefused(id=name):
                return self._answered(name, error=CommandRefusedError(message))
            case RequestDone(id=name):
                return self._answered(name)
            case RequestRefused(id=name):
                return self._answered(name, error=RequestRefusedError(message))
            case StopFinished(id=name, participant=participant, verified=verified):
                self.stopped = True
                return self._answered(name, value=verified) if participant == self.participant else []
            case ValueChunk():
                return self._piece(message, now_ms)
            case Pong(sent_ms=sent_ms, received_ms=received_ms, replied_ms=replied_ms):
                self.clock.observe(sent_ms=sent_ms, received_ms=received_ms, replied_ms=replied_ms, back_ms=now_ms)
            case _:
                self._note(message)
        return []

    def forget(self, name: str) -> None:
        """Nobody waits for this answer any more."""
        self._pending.pop(name, None)

    def take_samples(self) -> list[TelemetrySampled]:
        """The telemetry that has come since the last call."""
        samples, self._samples = self._samples, []
        return samples

    def _ask(self, name: str, message: object, command: Command | None, now_ms: float) -> bytes:
        frame = FROM_CLIENT.encode(message)
        self._pending[name] = _Pending(frame, command, now_ms)
        return frame

    def _answered(
        self, name: str, value: Value = None, error: TongkeError | None = None, report: CommandReport | None = None
    ) -> list[Answered]:
        if self._pending.pop(name, None) is None:
            return []
        return [Answered(name, value, error, report)]

    def _finished(self, finished: CommandFinished, now_ms: float) -> list[Answered]:
        pending = self._pending.get(finished.id)
        if pending is None or pending.command is None:
            return []
        value = finished.value
        if finished.chunks is not None:
            whole = self._whole(finished.chunks)
            if whole is None:
                self._awaiting[finished.chunks] = finished
                return []
            self._awaiting.pop(finished.chunks, None)
            value = _unpacked(whole)
        received_ms = self.clock.server_ms(now_ms) if self.clock.is_set else finished.ledger.gateway_received_ms
        command = pending.command
        report = CommandReport(
            finished.id, command.device, command.action, finished.ledger, received_ms, now_ms - pending.at_ms
        )
        error = error_of(finished)
        return self._answered(finished.id, value if error is None else None, error, report)

    def _piece(self, piece: ValueChunk, now_ms: float) -> list[Answered]:
        if not 0 <= piece.index < piece.count <= _MOST_PIECES:
            raise PeerError(Code.MALFORMED, "A piece of a value lies outside of its value.")
        self._pieces.setdefault(piece.value, {})[piece.index] = piece
        while len(self._pieces) > _KEPT_VALUES:
            del self._pieces[next(iter(self._pieces))]
        finished = self._awaiting.get(piece.value)
        return self._finished(finished, now_ms) if finished is not None else []

    def _whole(self, name: str) -> bytes | None:
        pieces = self._pieces.get(name)
        if not pieces or len(pieces) < next(iter(pieces.values())).count:
            return None
        del self._pieces[name]
        return b"".join(pieces[index].data for index in sorted(pieces))

    def _note(self, message: object) -> None:
        """Keep the picture of the bench."""
        match message:
            case TelemetrySampled(device=device, values=values):
                self._samples.append(message)
                self.readings.setdefault(device, {}).update(values)
            case LeaseChanged(lease=lease):
                self.lease = lease
            case BenchChanged(state=state):
                self.state = state
            case DeviceChanged(report=report):
                self.devices[report.device] = report
            case InventoryChanged(description=description):
                self.description = description
            case StopCleared():
                self.stopped = False
            case Welcome():
                self._welcomed(message)
            case BenchSnapshot():
                self._drawn(message)
            case ConnectionClosing():
                self.closing = message

    def _welcomed(self, welcome: Welcome) -> None:
        self._is_welcomed = True
        self.participant = welcome.participant
        self._session, self._resume_key = welcome.session, welcome.resume_key
        if not welcome.resumed:
            # Perhaps another server, or the same one after a restart: its clock and its numbers begin anew.
            self.clock.reset()
            self._last_seq = self._acked_seq = 0
            self._pieces.clear()
            self._awaiting.clear()

    def _drawn(self, snapshot: BenchSnapshot) -> None:
        self.state, self.lease, self.stopped = snapshot.state, snapshot.lease, snapshot.stopped
        self.description = snapshot.description
        self.devices = {report.device: report for report in snapshot.devices}


def _read(data: bytes) -> tuple[int, object]:
    """The number and the word of a frame; a word that a newer server knows and we do not is None."""
    try:
        return TO_CLIENT.decode(data)
    except FrameError as error:
        if error.code is not Code.UNKNOWN_TYPE:
            raise
        seq, _ = msgpack.unpackb(data, raw=False)
        return seq, None


def bound_arguments(action: Action, args: tuple[Value, ...], named: Mapping[str, Value]) -> dict[str, Value]:
    """Positional arguments put to their parameters' names. Raises ``TypeError`` as a Python call would."""
    names = [parameter.name for parameter in action.parameters]
    if len(args) > len(names):
        raise TypeError(f"{action.name}() takes {len(names)} arguments but {len(args)} were given")
    bound: dict[str, Value] = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name in bound:
            raise TypeError(f"{action.name}() got two values for {name!r}")
        if name not in names:
            raise TypeError(f"{action.name}() has no parameter {name!r}")
        bound[name] = value
    return bound


def _unpacked(data: bytes) -> Value:
    try:
        value: Value = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise PeerError(Code.MALFORMED, "A large value could not be read.") from error
    return value
