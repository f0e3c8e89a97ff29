"""Tokens open what they name, until they end, and nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import jwt
import pytest

from signaling.errors import CallerError, Code
from signaling.tokens import Audience, Grant, Right, TokenKeys, check, sign

NOW_S = 1_800_000_000.0
KEYS = TokenKeys(b"k" * 32)
GRANT = Grant(
    audience=Audience.BENCH,
    subject="student-3",
    name="李娜",
    scope=("lamp",),
    rights=frozenset({Right.CONTROL, Right.STOP}),
    expires_s=NOW_S + 600,
)


def _refusal(token: str, *, audience: Audience = Audience.BENCH, keys: TokenKeys = KEYS, now_s: float = NOW_S) -> Code:
    with pytest.raises(CallerError) as caught:
        check(token, audience, keys, now_s=now_s)
    return caught.value.code


def _signed(**changes: object) -> str:
    claims = {"aud": "bench", "sub": "s", "name": "n", "scope": ["lamp"], "rights": ["stop"], "exp": NOW_S + 1}
    return jwt.encode({**claims, **changes}, KEYS.newest, algorithm="HS256")


def test_a_token_says_what_was_granted() -> None:
    grant = check(sign(GRANT, KEYS, now_s=NOW_S), Audience.BENCH, KEYS, now_s=NOW_S)
    assert grant == GRANT
    assert grant.may(Right.CONTROL)
    assert not grant.may(Right.SUPERVISE)


def test_a_token_ends() -> None:
    assert _refusal(sign(GRANT, KEYS, now_s=NOW_S), now_s=NOW_S + 600) is Code.TOKEN_EXPIRED


def test_a_token_for_a_bench_does_not_enrol_an_agent() -> None:
    assert _refusal(sign(GRANT, KEYS, now_s=NOW_S), audience=Audience.AGENT) is Code.TOKEN_INVALID


def test_a_token_of_an_older_key_still_opens_and_one_of_a_foreign_key_does_not() -> None:
    token = sign(GRANT, KEYS, now_s=NOW_S)
    newer = TokenKeys(b"n" * 32, older=(KEYS.newest,))
    assert check(token, Audience.BENCH, newer, now_s=NOW_S) == GRANT
    assert _refusal(token, keys=TokenKeys(b"x" * 32)) is Code.TOKEN_INVALID


def test_an_unsigned_token_is_refused() -> None:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    claims = {"aud": "bench", "sub": "s", "name": "n", "scope": ["lamp"], "rights": ["stop"], "exp": NOW_S + 1}
    assert _refusal(f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.") is Code.TOKEN_INVALID


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "." * 10_000])
def test_garbage_is_refused(token: str) -> None:
    assert _refusal(token) is Code.TOKEN_INVALID


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"name": 3}, {"scope": 5}, {"scope": ["x" * 121]}, {"rights": ["fly"]}, {"rights": None}],
)
def test_a_token_of_ours_with_strange_contents_is_refused(changes: dict[str, object]) -> None:
    assert _refusal(_signed(**changes)) is Code.TOKEN_INVALID


def test_a_token_with_a_missing_claim_is_refused() -> None:
    assert _refusal(jwt.encode({"aud": "bench", "sub": "s"}, KEYS.newest, algorithm="HS256")) is Code.TOKEN_INVALID


def test_keys_never_show() -> None:
    assert "k" * 32 not in repr(replace(KEYS, older=(b"k" * 32,)))
