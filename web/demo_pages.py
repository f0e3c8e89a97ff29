"""The demo's front page: every bench, with a button for each role. Only ``tongke demo`` adds these routes."""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass

from aiohttp import web

from signaling.errors import CallerError, Code
from signaling.tokens import Audience, Grant, Right, sign
from web.keys import KEYS
from web.lab_socket import GATEWAY
from web.pages import page

_HOURS = 8


@dataclass(frozen=True, slots=True)
class Role:
    """What a visitor of the demo may be."""

    title: str
    name: str
    rights: frozenset[Right]


ROLES = {
    "student": Role("Control it as a student", "Student", frozenset({Right.OBSERVE, Right.CONTROL, Right.STOP})),
    "observer": Role("Watch", "Observer", frozenset({Right.OBSERVE})),
    "supervisor": Role("Supervise", "Supervisor", frozenset(Right)),
}


async def demo_index(request: web.Request) -> web.StreamResponse:
    """The benches, and a button for each role."""
    benches = request.app[GATEWAY].benches
    parts = ["<p>A server, a lab PC and four simulated instruments run on this machine. Choose a bench.</p>"]
    for name, shell in sorted(benches.items()):
        description = shell.bench.panel.description
        title = description.title.en if description is not None else name
        buttons = "".join(
            f'<button type="submit" name="role" value="{key}">{html.escape(role.title)}</button> '
            for key, role in ROLES.items()
        )
        parts.append(
            f"<section><h2>{html.escape(title)}</h2><p>{html.escape(shell.bench.standing.state)}</p>"
            f'<form method="post" action="/demo/join"><input type="hidden" name="bench" value="{html.escape(name)}">'
            f"{buttons}</form></section>"
        )
    if not benches:
        parts.append("<p>The lab PC is still connecting; load this page again.</p>")
    return page("Tongke demo", "".join(parts))


async def demo_join(request: web.Request) -> web.Response:
    """Give out a token for a role: JSON for a program, a redirect to the console for a form."""
    wants_json = request.content_type == "application/json"
    try:
        form = await (request.json() if wants_json else request.post())
        name = form.get("name")
        token, path = _token(request, str(form["bench"]), str(form["role"]), name if isinstance(name, str) else "")
    except (ValueError, KeyError, TypeError, AttributeError):
        error = CallerError(Code.NOT_FOUND, "There is no such bench or role.")
        return web.json_response({"code": error.code, "text": error.text}, status=404)
    if wants_json:
        return web.json_response({"token": token, "path": path})
    return _to_console(token, path)


async def demo_link(request: web.Request) -> web.Response:
    """The same as a short address that can be typed."""
    try:
        token, path = _token(request, request.match_info["bench"], request.match_info["role"], "")
    except KeyError:
        raise web.HTTPNotFound from None
    return _to_console(token, path)


def _token(request: web.Request, bench: str, role_name: str, name: str) -> tuple[str, str]:
    """A token and the console's path. Raises ``KeyError`` for a bench or role that there is not."""
    gateway = request.app[GATEWAY]
    role, shell = ROLES[role_name], gateway.benches[bench]
    now_s = gateway.now_ms() / 1000.0
    subject = f"{role_name}-{secrets.token_hex(4)}"
    shown = name.strip()[:60] or role.name
    grant = Grant(Audience.BENCH, subject, shown, (shell.bench.name,), role.rights, now_s + _HOURS * 3600)
    return sign(grant, request.app[KEYS], now_s=now_s), f"/lab/{shell.bench.name}"


def _to_console(token: str, path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"{path}#token={token}", "Cache-Control": "no-store"})
