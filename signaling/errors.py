"""Every error that Tongke can tell somebody about, split by who is to blame.

::

    TongkeError            code, text, retry_after_ms
    ├── CallerError        the person or program that asked can mend it
    ├── PeerError          the other end broke the protocol
    ├── DeviceError        the instrument, its port or its bench
    └── OurError           our fault; the text never carries internals

A code is stable: clients may branch on it. The text is for people and may change.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Stable names of everything that can go wrong, grouped as the tree above."""

    # The caller can mend it.
    TOKEN_INVALID = "token_invalid"  # noqa: S105  # a code, not a secret
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # a code, not a secret
    FORBIDDEN = "forbidden"
    ORIGIN_REFUSED = "origin_refused"
    NOT_FOUND = "not_found"
    NOT_CONTROLLER = "not_controller"
    STALE_FENCE = "stale_fence"
    LEASE_TAKEN = "lease_taken"
    UNKNOWN_PARTICIPANT = "unknown_participant"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_COMMAND = "unknown_command"
    BAD_ARGUMENT = "bad_argument"
    OUT_OF_LIMITS = "out_of_limits"
    MODE_NOT_ALLOWED = "mode_not_allowed"
    TIME_TO_LIVE = "time_to_live"
    ALREADY_LATE = "already_late"
    ID_REUSED = "id_reused"
    RATE_LIMITED = "rate_limited"
    QUEUE_FULL = "queue_full"
    WOULD_BE_LATE = "would_be_late"
    INTERLOCKED = "interlocked"
    BENCH_STOPPED = "bench_stopped"
    BENCH_NOT_READY = "bench_not_ready"
    TOO_MANY = "too_many"
    # What ended an accepted command without a result.
    DEADLINE_PASSED = "deadline_passed"
    CANCELLED_BY_CALLER = "cancelled_by_caller"
    SUPERSEDED = "superseded"
    STOPPED = "stopped"
    LEASE_ENDED = "lease_ended"
    LINK_LOST = "link_lost"
    NEVER_STARTED = "never_started"
    OUTCOME_LOST = "outcome_lost"
    # The other end broke the protocol.
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    UNKNOWN_TYPE = "unknown_type"
    UNEXPECTED = "unexpected"
    VERSION_UNSUPPORTED = "version_unsupported"
    TOO_SLOW = "too_slow"
    SILENT = "silent"
    # The instrument.
    DEVICE_OFFLINE = "device_offline"
    DEVICE_LOST = "device_lost"
    NO_REPLY = "no_reply"
    BAD_REPLY = "bad_reply"
    DEVICE_REFUSED = "device_refused"
    WRONG_IDENTITY = "wrong_identity"
    PORT_BUSY = "port_busy"
    NOT_SAFE = "not_safe"
    # Our fault.
    AGENT_OFFLINE = "agent_offline"
    REPLACED = "replaced"
    GOING_AWAY = "going_away"
    OVERLOADED = "overloaded"
    STORAGE_FAILED = "storage_failed"
    INTERNAL = "internal"


class TongkeError(Exception):
    """An error with a stable code, a sentence for people and, where it helps, when to try again."""

    def __init__(self, code: Code, text: str, *, retry_after_ms: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry_after_ms = retry_after_ms

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code.value}: {self.text})"


class CallerError(TongkeError):
    """The person or program that asked can mend it."""


class PeerError(TongkeError):
    """The other end of a socket broke the protocol; the connection is usually closed."""


class DeviceError(TongkeError):
    """The instrument, its port or its bench did not do as it should."""


class OurError(TongkeError):
    """Tongke's own fault or condition; the text carries no internals."""


_ANSWERS: dict[Code, tuple[int, int]] = {
    Code.TOKEN_INVALID: (401, 4401),
    Code.TOKEN_EXPIRED: (401, 4401),
    Code.FORBIDDEN: (403, 4403),
    Code.ORIGIN_REFUSED: (403, 4403),
    Code.NOT_FOUND: (404, 4404),
    Code.UNKNOWN_PARTICIPANT: (404, 4404),
    Code.UNKNOWN_DEVICE: (404, 4404),
    Code.UNKNOWN_ACTION: (404, 4404),
    Code.UNKNOWN_COMMAND: (404, 4404),
    Code.NOT_CONTROLLER: (409, 4409),
    Code.STALE_FENCE: (409, 4409),
    Code.LEASE_TAKEN: (409, 4409),
    Code.ID_REUSED: (409, 4409),
    Code.INTERLOCKED: (409, 4409),
    Code.BENCH_STOPPED: (409, 4409),
    Code.BENCH_NOT_READY: (409, 4409),
    Code.REPLACED: (409, 4410),
    Code.BAD_ARGUMENT: (422, 4422),
    Code.OUT_OF_LIMITS: (422, 4422),
    Code.MODE_NOT_ALLOWED: (422, 4422),
    Code.TIME_TO_LIVE: (422, 4422),
    Code.RATE_LIMITED: (429, 4429),
    Code.TOO_MANY: (429, 4429),
    Code.QUEUE_FULL: (503, 4503),
    Code.WOULD_BE_LATE: (503, 4503),
    Code.MALFORMED: (400, 1002),
    Code.UNKNOWN_TYPE: (400, 1002),
    Code.UNEXPECTED: (400, 1002),
    Code.TOO_DEEP: (400, 1002),
    Code.TOO_LARGE: (413, 1009),
    Code.VERSION_UNSUPPORTED: (400, 4406),
    Code.TOO_SLOW: (503, 4408),
    Code.SILENT: (408, 4408),
    Code.GOING_AWAY: (503, 1001),
    Code.INTERNAL: (500, 1011),
    Code.STORAGE_FAILED: (500, 1011),
    Code.OVERLOADED: (503, 1013),
    Code.AGENT_OFFLINE: (503, 4503),
}


def http_status(error: TongkeError) -> int:
    """The HTTP status that answers a request which failed with this error (RFC 9110)."""
    return _ANSWERS.get(error.code, (503, 1011) if isinstance(error, DeviceError) else (400, 1008))[0]


def close_code(error: TongkeError) -> int:
    """The WebSocket close code for a connection that ends with this error (RFC 6455 section 7.4).

    4000 to 4999 is the private range; the last three digits repeat the HTTP status where there is one.
    """
    return _ANSWERS.get(error.code, (503, 1011) if isinstance(error, DeviceError) else (400, 1008))[1]


def error_for(exception: BaseException) -> TongkeError:
    """What may be told of any exception: itself when it is ours, otherwise a bare ``internal`` error."""
    if isinstance(exception, TongkeError):
        return exception
    return OurError(Code.INTERNAL, "Something went wrong on the server; it has been logged.")
