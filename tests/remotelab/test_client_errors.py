from __future__ import annotations

import pytest

from devices.model import CommandStatus
from remotelab.client_errors import (
    CommandCancelledError,
    CommandEndedError,
    CommandExpiredError,
    CommandFailedError,
    CommandRefusedError,
    OutcomeUnknownError,
    RequestRefusedError,
    error_of,
)
from remotelab.messages import CommandFinished, CommandRefused, Ledger
from signaling.errors import Code
from signaling.messages import RequestRefused


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (CommandStatus.FAILED, CommandFailedError),
        (CommandStatus.EXPIRED, CommandExpiredError),
        (CommandStatus.CANCELLED, CommandCancelledError),
        (CommandStatus.UNKNOWN, OutcomeUnknownError),
    ],
)
def test_each_way_to_end_without_a_result_has_its_error(status: CommandStatus, kind: type[CommandEndedError]) -> None:
    error = error_of(CommandFinished("command-1", status, Ledger(1.0, 2.0), code=Code.STOPPED, text="Stopped."))
    assert type(error) is kind
    assert (error.code, error.text, error.status, error.ledger.sent_ms) == (Code.STOPPED, "Stopped.", status, 1.0)


def test_a_result_is_no_error_and_an_error_without_words_gets_some() -> None:
    assert error_of(CommandFinished("command-1", CommandStatus.DONE, Ledger(1.0, 2.0))) is None
    error = error_of(CommandFinished("command-1", CommandStatus.FAILED, Ledger(1.0, 2.0)))
    assert error is not None
    assert (error.code, error.text) == (Code.INTERNAL, "The command ended as failed.")


def test_refusals_keep_what_the_gateway_said() -> None:
    error = CommandRefusedError(CommandRefused("command-1", Code.QUEUE_FULL, "Full.", 30.0, "voltage"))
    assert (error.code, error.retry_after_ms, error.parameter) == (Code.QUEUE_FULL, 30.0, "voltage")
    assert RequestRefusedError(RequestRefused("stop-0001", Code.FORBIDDEN, "No.")).code is Code.FORBIDDEN
