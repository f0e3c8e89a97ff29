"""What a Python client raises: one class for each way in which a command can end without a result.

::

    TongkeError                  code, text, retry_after_ms
    ├── CommandRefusedError      never let in, never run; ``parameter`` when an argument is to blame
    ├── CommandEndedError        let in, but no result; ``ledger`` says how far it came
    │   ├── CommandFailedError       the instrument did not do it
    │   ├── CommandExpiredError      its time to live ran out before it could start
    │   ├── CommandCancelledError    ended before it started: stopped, replaced, lease over, cancelled
    │   └── OutcomeUnknownError      nobody can say whether it ran
    ├── RequestRefusedError      control, stop and the like
    └── LinkLostError            the connection could not be made or was given up
"""

from __future__ import annotations

from devices.model import CommandStatus
from remotelab.messages import CommandFinished, CommandRefused, Ledger
from signaling.errors import Code, TongkeError
from signaling.messages import RequestRefused


class CommandRefusedError(TongkeError):
    """The command was not let in and never runs."""

    def __init__(self, refused: CommandRefused) -> None:
        super().__init__(refused.code, refused.text, retry_after_ms=refused.retry_after_ms)
        self.parameter = refused.parameter


class CommandEndedError(TongkeError):
    """The command was let in and ended without a result."""

    def __init__(self, finished: CommandFinished) -> None:
        super().__init__(finished.code or Code.INTERNAL, finished.text or f"The command ended as {finished.status}.")
        self.status = finished.status
        self.ledger: Ledger = finished.ledger


class CommandFailedError(CommandEndedError):
    """The instrument did not do it."""


class CommandExpiredError(CommandEndedError):
    """Its time to live ran out before it could start."""


class CommandCancelledError(CommandEndedError):
    """It was ended before it started."""


class OutcomeUnknownError(CommandEndedError):
    """Nobody can say whether it ran."""


class RequestRefusedError(TongkeError):
    """A request for control, a stop or the like was refused."""

    def __init__(self, refused: RequestRefused) -> None:
        super().__init__(refused.code, refused.text, retry_after_ms=refused.retry_after_ms)


class LinkLostError(TongkeError):
    """There is no connection, and it was given up."""


_ENDED: dict[CommandStatus, type[CommandEndedError]] = {
    CommandStatus.FAILED: CommandFailedError,
    CommandStatus.EXPIRED: CommandExpiredError,
    CommandStatus.CANCELLED: CommandCancelledError,
    CommandStatus.UNKNOWN: OutcomeUnknownError,
}


def error_of(finished: CommandFinished) -> CommandEndedError | None:
    """The error that an outcome stands for; None when the command was done."""
    kind = _ENDED.get(finished.status)
    return kind(finished) if kind is not None else None
