"""What only ``tongke demo`` answers: which benches there are, and a token for whoever asks for a role on one."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from aiohttp import web

from devices.model import Text
from signaling.errors import CallerError, Code
from signaling.tokens import Audience, Grant, Right, sign
from web.keys import KEYS
from web.lab_socket import GATEWAY

_HOURS = 8


@dataclass(frozen=True, slots=True)
class Role:
    """What a visitor of the demo may be."""

    name: str
    rights: frozenset[Right]


ROLES = {
    "student": Role("Student", frozenset({Right.OBSERVE, Right.CONTROL, Right.STOP})),
    "observer": Role("Observer", frozenset({Right.OBSERVE})),
    "supervisor": Role("Supervisor", frozenset(Right)),
}


async def demo_benches(request: web.Request) -> web.Response:
    """The benches that the start page shows: name, title and state of each."""
    benches = []
    for name, shell in sorted(request.app[GATEWAY].benches.items()):
        description = shell.bench.panel.description
        title = Text(name, name) if description is None else description.title
        benches.append({"name": name, "title": asdict(title), "state": shell.bench.standing.state})
    return web.json_response(benches, headers={"Cache-Control": "no-store"})


async def demo_join(request: web.Request) -> web.Response:
    """Give out a token for a role."""
    try:
        wish = await request.json()
        name = wish.get("name")
        token, path = _token(request, str(wish["bench"]), str(wish["role"]), name if isinstance(name, str) else "")
    except (ValueError, KeyError, TypeError, AttributeError):
        error = CallerError(Code.NOT_FOUND, "There is no such bench or role.")
        return web.json_response({"code": error.code, "text": error.text}, status=404)
    return web.json_response({"token": token, "path": path}, headers={"Cache-Control": "no-store"})


async def demo_link(request: web.Request) -> web.Response:
    """The same as a short address that can be typed."""
    try:
        token, path = _token(request, request.match_info["bench"], request.match_info["role"], "")
    except KeyError:
        raise web.HTTPNotFound from None
    return web.Response(status=303, headers={"Location": f"{path}#token={token}", "Cache-Control": "no-store"})


def _token(request: web.Request, bench: str, role_name: str, name: str) -> tuple[str, str]:
    """A token and the console's path. Raises ``KeyError`` for a bench or role that there is not."""
    gateway = request.app[GATEWAY]
    role, shell = ROLES[role_name], gateway.benches[bench]
    now_s = gateway.now_ms() / 1000.0
    subject = f"{role_name}-{secrets.token_hex(4)}"
    shown = name.strip()[:60] or role.name
    grant = Grant(Audience.BENCH, subject, shown, (shell.bench.name,), role.rights, now_s + _HOURS * 3600)
    return sign(grant, request.app[KEYS], now_s=now_s), f"/lab/{shell.bench.name}"
