from __future__ import annotations

from signaling.tokens import Right
from tests.remotelab.lab import OBSERVER, STUDENT


def test_a_seat_knows_its_rights() -> None:
    assert STUDENT.may(Right.CONTROL)
    assert not OBSERVER.may(Right.CONTROL)
