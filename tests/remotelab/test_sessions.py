from __future__ import annotations

from remotelab.sessions import Session
from signaling.errors import Code, OurError, TongkeError
from signaling.wire import frame
from tests.remotelab.lab import NOW, STUDENT


class FakePeer:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: TongkeError | None = None

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def send_latest(self, key: str, frame: bytes) -> None:
        self.frames.append(frame)

    def send_bulk(self, frames: list[bytes]) -> None:
        self.frames += frames

    def close(self, error: TongkeError) -> None:
        self.closed = error


def test_replayed_words_are_numbered_and_kept_while_there_is_no_socket() -> None:
    peer = FakePeer()
    session = Session("lamp", STUDENT, "key", peer, NOW)
    session.say(b"one", replayed=True)
    session.say(b"moment", replayed=False)
    session.peer = None
    session.say(b"two", replayed=True)
    session.say(b"lost", replayed=False)
    assert peer.frames == [frame(b"one", 1), frame(b"moment")]
    assert session.log.since(1) == [frame(b"two", 2)]


def test_only_the_newest_key_resumes() -> None:
    session = Session("lamp", STUDENT, "key", FakePeer(), NOW)
    assert session.opens_with("key")
    session.renew_key("other")
    assert not session.opens_with("key")
    assert session.opens_with("other")


def test_closing_closes_the_socket_if_there_is_one() -> None:
    peer = FakePeer()
    session = Session("lamp", STUDENT, "key", peer, NOW)
    error = OurError(Code.GOING_AWAY, "Good-bye.")
    session.close(error)
    assert peer.closed is error
    session.peer = None
    session.close(error)
