"""Whether a command may be let in: every check, in the order in which they are made. Pure.

The order is part of the protocol: the first check that fails names the refusal.
"""

from __future__ import annotations

import re

from devices.limits import checked_arguments
from devices.model import ActionKind, CommandMode
from remotelab.effects import Seat
from remotelab.messages import BenchState, Command
from remotelab.panel import ActionEntry, Panel
from remotelab.standing import Standing
from signaling.errors import CallerError, Code, DeviceError
from signaling.tokens import Right
from signaling.wire import Value

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def check_id(command_id: str) -> None:
    """That an id is one that a client may choose. Raises :class:`CallerError` ``bad_argument``."""
    if _ID.fullmatch(command_id) is None:
        raise CallerError(Code.BAD_ARGUMENT, "An id is 8 to 64 letters, digits, - or _.")


def deadline_of(command: Command, received_ms: float) -> float:
    """When a command must have started: a sender whose clock runs ahead gains nothing."""
    return min(command.sent_ms, received_ms) + command.ttl_ms


def checked(
    command: Command, seat: Seat, standing: Standing, panel: Panel, deadline_ms: float, now_ms: float
) -> tuple[ActionEntry, dict[str, Value]]:
    """The action and the arguments of a command that may be let in, as far as rate and queue allow.

    Raises :class:`CallerError` or :class:`DeviceError`, whose code says which check failed.
    """
    entry = panel.entry(command.device, command.action)
    _check_time(command, entry, deadline_ms, now_ms)
    is_query = entry is not None and entry.action.kind is ActionKind.QUERY
    _check_rights(command, seat, standing, is_query)
    if standing.stopped and not is_query:
        raise CallerError(Code.BENCH_STOPPED, "The bench is stopped; clear the stop first.")
    if entry is None:
        raise _unknown(command, panel)
    if not panel.is_online(command.device):
        report = panel.reports.get(command.device)
        reason = report.text if report is not None and report.text else f"{command.device} is offline."
        raise DeviceError(Code.DEVICE_OFFLINE, reason)
    if command.mode is CommandMode.LATEST and entry.action.kind is not ActionKind.SET_POINT:
        raise CallerError(Code.MODE_NOT_ALLOWED, f"{command.action} sets no point; send it in order.")
    args = checked_arguments(entry.action, command.args)
    interlock = panel.why_blocked(entry)
    if interlock is not None:
        raise CallerError(Code.INTERLOCKED, interlock.text.en)
    return entry, args


def _check_time(command: Command, entry: ActionEntry | None, deadline_ms: float, now_ms: float) -> None:
    most_ms = command.ttl_ms if entry is None else entry.action.most_time_to_live_ms
    if not 0.0 < command.ttl_ms <= most_ms:
        raise CallerError(
            Code.TIME_TO_LIVE, f"A time to live of {command.ttl_ms:g} ms; it may be up to {most_ms:g} ms."
        )
    if deadline_ms <= now_ms:
        raise CallerError(Code.ALREADY_LATE, "It arrived after its time to live.")


def _check_rights(command: Command, seat: Seat, standing: Standing, is_query: bool) -> None:
    if is_query and Right.SUPERVISE in seat.rights:
        if not standing.is_agent_here:
            raise CallerError(Code.BENCH_NOT_READY, standing.text, retry_after_ms=2_000.0)
        return
    if Right.CONTROL not in seat.rights:
        raise CallerError(Code.FORBIDDEN, "Your link lets you watch, not command.")
    standing.lease.check(seat.participant, command.fence)
    if standing.state is not BenchState.IN_USE:
        raise CallerError(Code.BENCH_NOT_READY, standing.text, retry_after_ms=2_000.0)


def _unknown(command: Command, panel: Panel) -> CallerError:
    description = panel.description
    if description is None or description.device(command.device) is None:
        return CallerError(Code.UNKNOWN_DEVICE, f"This bench has no device {command.device[:40]!r}.")
    return CallerError(Code.UNKNOWN_ACTION, f"{command.device} cannot {command.action[:40]!r}.")


def refused_parameter(error: Exception) -> str | None:
    """Which argument a refusal is about."""
    parameter = getattr(error, "parameter", None)
    return parameter if isinstance(parameter, str) else None
