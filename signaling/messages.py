"""The words that every Tongke WebSocket speaks, whatever it is for: opening, resuming, clocks, refusals.

Times (``*_ms``) are milliseconds of the *server clock*: Unix time when the server started, advanced by a clock that
never jumps. Whoever dials in follows that clock (``signaling.clock``) and converts its own readings before sending
them.
"""

from __future__ import annotations

from signaling.errors import Code
from signaling.wire import Vocabulary, word

PROTOCOL_VERSION = 1


@word
class Hello:
    """The first frame of who dials in. ``session`` and ``resume_key`` ask to resume what an earlier socket left."""

    versions: tuple[int, ...]
    token: str
    program: str
    features: tuple[str, ...] = ()
    session: str | None = None
    resume_key: str | None = None
    last_seq: int = 0


@word
class Welcome:
    """The server's first frame: what was agreed, and what to present to resume this session."""

    version: int
    features: tuple[str, ...]
    session: str
    resume_key: str
    resumed: bool
    participant: str
    server_ms: float
    silence_ms: float
    """Send something (a Ping will do) at least this often, or the connection counts as dead."""
    max_frame_bytes: int


@word
class Ping:
    """Ask for the server's time. ``sent_ms`` is any clock of the asker's; it comes back untouched."""

    sent_ms: float


@word
class Pong:
    """The answer to a Ping: the asker's own reading, and when the server read and answered it."""

    sent_ms: float
    received_ms: float
    replied_ms: float


@word
class Ack:
    """Events up to ``seq`` have arrived and need not be kept for a resume."""

    seq: int


@word
class RequestDone:
    """A request (anything with an ``id`` that is not a command) was carried out."""

    id: str


@word
class RequestRefused:
    """A request was not carried out, and nothing of it remains. ``id`` repeats the request's."""

    id: str
    code: Code
    text: str
    retry_after_ms: float | None = None


@word
class ConnectionClosing:
    """The last frame before the server closes the socket, with the reason in words."""

    code: Code
    text: str
    retry_after_ms: float | None = None


@word
class ValueChunk:
    """A part of a large value, sent piecemeal so that small frames can overtake it.

    The value's msgpack encoding is cut into ``count`` pieces; the frame that needs it names it by ``value``.
    """

    value: str
    index: int
    count: int
    data: bytes


FROM_DIALLER = Vocabulary(Hello, Ping, Ack, max_bytes=65_536)
FROM_SERVER = Vocabulary(Welcome, Pong, RequestDone, RequestRefused, ConnectionClosing, ValueChunk)
