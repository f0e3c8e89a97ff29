"""One command on the agent, and the book of all outcomes: each id ends exactly once, whatever happens."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import msgpack  # type: ignore[import-untyped]  # the package ships no types

from devices.agent.clock import Clock, ServerTime
from devices.journal import Finished
from devices.journal_file import JournalFile
from devices.messages import FROM_AGENT, Execute, ExecutionFinished
from devices.model import Action, ActionKind, CommandStatus
from signaling.errors import Code, TongkeError
from signaling.messages import ValueChunk
from signaling.wire import MAX_OPEN_DEPTH, Value

logger = logging.getLogger(__name__)

CHUNK_BYTES = 16_384
LARGE_VALUES_BYTES = 16_777_216
MAX_TEXT_CHARS = 500

NEVER_STARTED = "The lab PC has no record that it began; it will not run any more."
OUTCOME_LOST = "The lab PC was interrupted and cannot say whether it was carried out."
MAY_HAVE_RUN = "It may have been carried out."


class Uplink(Protocol):
    """The way to the gateway while there is one. Nothing here waits."""

    def send(self, body: bytes, *, first: bool = False) -> None:
        """Queue a word that must arrive; ``first`` puts it before all others."""
        ...

    def send_latest(self, key: str, body: bytes) -> None:
        """Queue a word of which only the newest per key matters."""
        ...

    def send_bulk(self, bodies: list[bytes]) -> bool:
        """Queue the pieces of a large value; False when there is no room."""
        ...


class NotStarted(TongkeError):
    """A command does not start; ``status`` is how it ends."""

    def __init__(self, code: Code, text: str, status: CommandStatus = CommandStatus.CANCELLED) -> None:
        super().__init__(code, text)
        self.status = status


def too_late() -> NotStarted:
    """What ends a command whose deadline has passed."""
    return NotStarted(Code.DEADLINE_PASSED, "Its deadline passed before it could start.", CommandStatus.EXPIRED)


def outcome_lost() -> NotStarted:
    """What ends a command of which nobody can tell whether it ran."""
    return NotStarted(Code.OUTCOME_LOST, OUTCOME_LOST, CommandStatus.UNKNOWN)


@dataclass(slots=True, eq=False)
class Execution:
    """A command that has been let in. All times are on the agent's clock."""

    request: Execute
    action: Action
    args: dict[str, Value]
    received_ms: float
    withdrawn: NotStarted | None = None
    """Set when it must not start any more although it has left the queue."""
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None
    service_ms: float | None = None

    @property
    def is_query(self) -> bool:
        """Whether it changes nothing."""
        return self.action.kind is ActionKind.QUERY


class Outcomes:
    """Ends commands and answers for those that have ended, across links and lives of the agent."""

    def __init__(self, journal: JournalFile, time: ServerTime, unix_ms: Clock) -> None:
        self.uplink: Uplink | None = None
        self._journal = journal
        self._time = time
        self.unix_ms = unix_ms
        self._open: dict[str, Execution] = {}
        self._large: OrderedDict[str, list[bytes]] = OrderedDict()
        self._large_bytes = 0

    def open(self, execution: Execution) -> None:
        """A command has been let in; it must be finished."""
        self._open[execution.request.id] = execution

    def is_open(self, command: str) -> bool:
        """Whether a command waits or runs."""
        return command in self._open

    def repeat(self, command: str) -> bool:
        """Tell the stored outcome of a command again; False when it has none."""
        body = self._journal.journal.outcome(command)
        if body is None:
            return False
        finished: ExecutionFinished = FROM_AGENT.decode(b"\x92\x00" + body)[1]
        pieces = self._large.get(command)
        if pieces is not None:
            finished = replace(finished, chunks=command, text="")
        self._tell(FROM_AGENT.body(replace(finished, repeated=True)), pieces)
        return True

    def finish(
        self, execution: Execution, status: CommandStatus, value: Value = None, code: Code | None = None, text: str = ""
    ) -> None:
        """End a command: first in the journal, then on the wire. A second end is refused with ``RuntimeError``."""
        if self._open.pop(execution.request.id, None) is None:
            raise RuntimeError(f"{execution.request.id} has ended already")
        offset_ms = self._time.on_server(0.0)
        times = (execution.received_ms, execution.first_byte_ms, execution.last_byte_ms)
        received_ms, first_ms, last_ms = (None if ms is None or offset_ms is None else ms + offset_ms for ms in times)
        name, text, service_ms = execution.request.id, text[:MAX_TEXT_CHARS], execution.service_ms
        self._settle(ExecutionFinished(name, status, value, code, text, received_ms, first_ms, last_ms, service_ms))

    def finish_with(self, execution: Execution, error: NotStarted) -> None:
        """End a command that did not start."""
        self.finish(execution, error.status, None, error.code, error.text)

    def refuse(self, command: str, error: NotStarted, received_ms: float | None = None) -> None:
        """End a command that was never let in."""
        received = self._time.on_server(received_ms)
        self._settle(ExecutionFinished(command, error.status, None, error.code, error.text[:MAX_TEXT_CHARS], received))

    def resolve(self, commands: Iterable[str]) -> None:
        """Answer for commands whose outcome did not arrive. What is not known here never runs any more."""
        for command in commands:
            if self.is_open(command) or self.repeat(command):
                continue
            if self._journal.journal.vouches(self.unix_ms()):
                self.refuse(command, NotStarted(Code.NEVER_STARTED, NEVER_STARTED))
            else:
                self.refuse(command, outcome_lost())

    def bury_interrupted(self) -> None:
        """Give the commands that an earlier life of the agent left half done their outcome."""
        for command in self._journal.journal.interrupted():
            self.refuse(command, outcome_lost())

    def _settle(self, finished: ExecutionFinished) -> None:
        body, pieces = _encoded(finished)
        kept = body
        if pieces is not None:
            self._keep_large(finished.id, pieces)
            text = "The value was large and is no longer kept; ask again."
            kept = FROM_AGENT.body(replace(finished, value=None, chunks=None, text=text))
        self._journal.write_if_possible(Finished(finished.id, self.unix_ms(), kept))
        self._tell(body, pieces)

    def _tell(self, body: bytes, pieces: list[bytes] | None) -> None:
        if self.uplink is not None:
            self.uplink.send(body)
            if pieces is not None and not self.uplink.send_bulk(pieces):
                logger.warning("a large value found no room on the link")

    def _keep_large(self, command: str, pieces: list[bytes]) -> None:
        self._large[command] = pieces
        self._large_bytes += sum(map(len, pieces))
        while self._large_bytes > LARGE_VALUES_BYTES and len(self._large) > 1:
            _, oldest = self._large.popitem(last=False)
            self._large_bytes -= sum(map(len, oldest))


def _encoded(finished: ExecutionFinished) -> tuple[bytes, list[bytes] | None]:
    """An outcome's body, with its value apart and in pieces when it is large."""
    try:
        if isinstance(finished.value, list | dict | tuple):
            _check_depth(finished.value, MAX_OPEN_DEPTH)
        body = FROM_AGENT.body(finished)
        if len(body) <= CHUNK_BYTES:
            return body, None
        body = FROM_AGENT.body(replace(finished, value=None, chunks=finished.id))
        return body, value_chunks(finished.id, finished.value)
    except (TypeError, ValueError, OverflowError) as error:  # a driver returned what no wire can carry
        logger.error("the value of %s cannot be sent: %s", finished.id, error)
        text = "It was carried out, but its result makes no sense."
        return FROM_AGENT.body(
            replace(finished, value=None, status=CommandStatus.FAILED, code=Code.BAD_REPLY, text=text)
        ), None


def value_chunks(name: str, value: Value) -> list[bytes]:
    """The pieces, as bodies, in which a large value travels."""
    data: bytes = msgpack.packb(value)
    parts = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
    return [FROM_AGENT.body(ValueChunk(name, index, len(parts), part)) for index, part in enumerate(parts)]


def _check_depth(value: Value, depth: int) -> None:
    if isinstance(value, list | tuple | dict):
        if depth == 0:
            raise ValueError("it nests too deep")
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, list | tuple | dict):
                _check_depth(item, depth - 1)
