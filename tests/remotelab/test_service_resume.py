"""Resuming a session on the gateway: under which rights, and without a gap."""

from __future__ import annotations

import dataclasses

from remotelab.messages import LeaseChanged
from signaling.tokens import Right
from tests.remotelab.lab import NOW
from tests.remotelab.pair import gateway_pair


async def test_a_session_goes_on_under_the_token_that_resumed_it() -> None:
    async with gateway_pair() as pair:
        student = pair.person()
        student.grant = dataclasses.replace(student.grant, rights=frozenset({Right.OBSERVE}), expires_s=NOW)
        assert student.join(resume=True).resumed
        assert student.session is not None
        assert student.session.seat.rights == {Right.OBSERVE}
        assert student.session.seat.until_ms == NOW * 1_000.0


async def test_a_takeover_by_another_socket_leaves_no_gap_in_what_is_told() -> None:
    async with gateway_pair() as pair:
        pair.agent()
        student = pair.person()
        await student.take_control()
        last = max(student.peer.seqs)
        student.join(resume=True, last_seq=last)
        await pair.settle()
        told = [seq for seq in student.peer.seqs if seq]
        assert told == list(range(last + 1, last + 1 + len(told)))
        assert [changed.reason for changed in student.peer.heard(LeaseChanged)] == ["away", "returned"]
