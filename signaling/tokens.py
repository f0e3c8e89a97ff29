"""Short-lived signed tokens: who may do what, on which bench or in which room, until when (RFC 7519, HS256 only)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import jwt

from signaling.errors import CallerError, Code


class Audience(StrEnum):
    """What a token opens. A token for one audience is worthless for another."""

    BENCH = "bench"
    AGENT = "agent"


class Right(StrEnum):
    """What the bearer may do on the bench that the token names."""

    OBSERVE = "observe"
    CONTROL = "control"
    STOP = "stop"
    SUPERVISE = "supervise"
    """Revoke and transfer other people's leases, release a quarantine."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The checked contents of a token. ``subject`` is a bench's participant or an agent's name."""

    audience: Audience
    subject: str
    name: str
    scope: tuple[str, ...]
    """The benches that the token opens."""
    rights: frozenset[Right]
    expires_s: float
    """When it ends, in Unix seconds."""

    def may(self, right: Right) -> bool:
        """Whether the bearer holds a right."""
        return right in self.rights


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The keys that sign and check tokens. The newest signs; the others still check until their tokens have run out."""

    newest: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)


def sign(grant: Grant, keys: TokenKeys, *, now_s: float) -> str:
    """A compact token for a grant, issued now."""
    claims = {
        "aud": grant.audience.value,
        "sub": grant.subject,
        "name": grant.name,
        "scope": list(grant.scope),
        "rights": sorted(grant.rights),
        "iat": int(now_s),
        "exp": int(grant.expires_s),
    }
    return jwt.encode(claims, keys.newest, algorithm="HS256")


def check(token: str, audience: Audience, keys: TokenKeys, *, now_s: float) -> Grant:
    """What a presented token grants. Raises :class:`CallerError` ``token_invalid`` or ``token_expired``."""
    claims = _verified_claims(token, audience, keys)
    try:
        grant = Grant(
            audience=audience,
            subject=_text(claims["sub"], 120),
            name=_text(claims["name"], 120),
            scope=tuple(_text(name, 120) for name in claims["scope"]),
            rights=frozenset(Right(right) for right in claims["rights"]),
            expires_s=float(claims["exp"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CallerError(Code.TOKEN_INVALID, "The token does not say what it should.") from error
    if grant.expires_s <= now_s:
        raise CallerError(Code.TOKEN_EXPIRED, "This link has expired; ask for a new one.")
    return grant


def _verified_claims(token: str, audience: Audience, keys: TokenKeys) -> dict[str, Any]:
    for key in (keys.newest, *keys.older):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=audience.value,
                options={"require": ["aud", "sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise CallerError(Code.TOKEN_INVALID, "The token is not valid here.") from error
        return claims
    raise CallerError(Code.TOKEN_INVALID, "The token was not signed by this server.")


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ValueError("a short text is wanted")
    return value
