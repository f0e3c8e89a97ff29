"""Errors keep their code, are split by blame, and leak nothing."""

from __future__ import annotations

import pytest

from signaling.errors import (
    CallerError,
    Code,
    DeviceError,
    OurError,
    PeerError,
    TongkeError,
    close_code,
    error_for,
    http_status,
)


@pytest.mark.parametrize("kind", [CallerError, PeerError, DeviceError, OurError])
def test_every_kind_of_blame_is_a_tongke_error_that_keeps_its_code_and_text(kind: type[TongkeError]) -> None:
    error = kind(Code.QUEUE_FULL, "Full.", retry_after_ms=20.0)
    assert isinstance(error, TongkeError)
    assert (error.code, error.text, error.retry_after_ms, str(error)) == (Code.QUEUE_FULL, "Full.", 20.0, "Full.")
    assert repr(error) == f"{kind.__name__}(queue_full: Full.)"


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_an_http_status_and_a_close_code_that_may_be_sent(code: Code) -> None:
    error = CallerError(code, "…")
    assert 400 <= http_status(error) <= 599
    assert close_code(error) in {1001, 1002, 1008, 1009, 1011, 1013} or 4000 <= close_code(error) <= 4999


def test_an_unlisted_device_error_is_a_service_failure_and_not_the_callers() -> None:
    assert http_status(DeviceError(Code.NO_REPLY, "…")) == 503
    assert close_code(DeviceError(Code.NO_REPLY, "…")) == 1011
    assert http_status(CallerError(Code.SUPERSEDED, "…")) == 400
    assert close_code(CallerError(Code.SUPERSEDED, "…")) == 1008


def test_our_own_errors_are_told_and_all_others_are_hidden() -> None:
    ours = CallerError(Code.FORBIDDEN, "No.")
    assert error_for(ours) is ours
    hidden = error_for(RuntimeError("password=hunter2"))
    assert hidden.code is Code.INTERNAL
    assert "hunter2" not in hidden.text
