"""The pages and the bundle that the browser loads, with the headers that keep them safe."""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from remotelab.messages import BenchState
from web.lab_socket import GATEWAY

STATIC = Path(__file__).parent / "static"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
    "connect-src 'self' {socket}; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_IMMUTABLE = "public, max-age=31536000, immutable"

_NOT_BUILT = """<p>The browser side of this copy of Tongke has not been built.</p>
<p>In a clone, run <code>make venv</code>; an installed package brings it along.</p>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def safe_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer unknown addresses by a page, and give every page its security headers."""
    try:
        response = await handler(request)
    except web.HTTPNotFound:
        response = page("Not found", "<p>There is nothing at this address.</p>", status=404)
    except web.HTTPMethodNotAllowed as error:
        response = web.Response(status=405, text="This address does not take that.", headers=error.headers)
    if not response.prepared:
        # Plain HTTP may be a proxy's that speaks TLS to the browser; not every browser's 'self' covers WebSockets.
        host = request.host
        socket = f"wss://{host}" if request.scheme == "https" else f"ws://{host} wss://{host}"
        response.headers["Content-Security-Policy"] = _POLICY.format(socket=socket)
        response.headers["Server"] = "Tongke"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def page(title: str, body: str, *, status: int = 200) -> web.Response:
    """A page without scripts. ``body`` is trusted HTML."""
    styles = "".join(f'<link rel="stylesheet" href="/static/{name}">' for name in _style_sheets())
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} · Tongke</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{styles}</head>'
        f"<body><main><h1>{html.escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


async def lab_page(_request: web.Request) -> web.StreamResponse:
    """The lab console. The token is in the address's fragment, which the browser keeps to itself."""
    return _bundled_page("lab.html")


async def start_page(_request: web.Request) -> web.StreamResponse:
    """The first page: the demo's benches, or how to get to a bench."""
    return _bundled_page("index.html")


def _bundled_page(name: str) -> web.StreamResponse:
    path = STATIC / name
    if not path.is_file():
        return page("Tongke", _NOT_BUILT, status=503)
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


async def healthz(request: web.Request) -> web.Response:
    """Whether the server works, for a load balancer or a service manager."""
    benches = request.app[GATEWAY].benches.values()
    online = sum(shell.bench.standing.state is not BenchState.OFFLINE for shell in benches)
    return web.json_response({"status": "ok", "benches": len(benches), "benches_online": online})


async def bundle_file(request: web.Request) -> web.StreamResponse:
    """A file of the bundle. Files whose names bear a hash may be kept for ever."""
    try:
        path = (STATIC / request.match_info["path"]).resolve()
        is_ours = path.is_relative_to(STATIC.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that is too long, or with a null byte in it
        raise web.HTTPNotFound from None
    if not is_ours:
        raise web.HTTPNotFound
    caching = _IMMUTABLE if path.parent.name == "assets" else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": caching})


def _style_sheets() -> list[str]:
    try:
        manifest = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
        return sorted({sheet for entry in manifest.values() for sheet in entry.get("css", ())})
    except (OSError, ValueError):
        return []
