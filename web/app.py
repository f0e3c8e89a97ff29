"""The composition root: builds the gateway from its parts and joins it to HTTP."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncIterator

from aiohttp import web

from remotelab.agent_in_memory import InMemoryAgent
from remotelab.audit_file import AuditFile
from remotelab.bench import BenchSettings
from remotelab.executions import CommandSettings
from remotelab.lease import LeaseSettings
from remotelab.service import Gateway, GatewaySettings
from remotelab.store_sqlite import SqliteLeaseStore
from web.agent_socket import agent_socket
from web.demo_pages import demo_benches, demo_join, demo_link
from web.keys import KEYS, load_keys
from web.lab_socket import GATEWAY, lab_socket
from web.metrics import metrics_page
from web.pages import bundle_file, healthz, lab_page, safe_headers, start_page
from web.server_clock import server_clock
from web.settings import SETTINGS, Settings, SettingsError

KEY_FILE = "signing.key"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def build_app(settings: Settings, *, demo: bool = False) -> web.Application:
    """The whole server as an aiohttp application.

    Raises :class:`OurError` ``storage_failed``, and :class:`SettingsError` for a demo that others could reach.
    """
    if demo and settings.host not in _LOOPBACK:
        raise SettingsError("the demo gives every right to everybody: it listens on 127.0.0.1 only")
    settings.data.mkdir(parents=True, exist_ok=True)
    clock = server_clock()
    store = SqliteLeaseStore(settings.data / "benches.sqlite")
    audit = AuditFile(settings.data / "audit.jsonl")
    gateway = Gateway(
        store, audit, clock=clock, new_secret=lambda: secrets.token_urlsafe(18), settings=gateway_settings(settings)
    )

    async def running_gateway(_app: web.Application) -> AsyncIterator[None]:
        await gateway.start()
        if settings.pretend_benches:
            names = tuple(f"pretend-{number}" for number in range(settings.pretend_benches))
            InMemoryAgent(gateway, names, clock).connect()
        yield
        await gateway.aclose()
        await store.aclose()
        await audit.aclose()

    async def say_goodbye(_app: web.Application) -> None:
        gateway.say_goodbye()

    app = web.Application(middlewares=[safe_headers])
    app[SETTINGS] = settings
    app[KEYS] = load_keys(settings.data / KEY_FILE)
    app[GATEWAY] = gateway
    app.cleanup_ctx.append(running_gateway)
    app.on_shutdown.append(say_goodbye)
    _add_routes(app, demo=demo)
    return app


def gateway_settings(settings: Settings) -> GatewaySettings:
    """The gateway's settings out of the administrator's."""
    lease = LeaseSettings(settings.lease_s * 1000.0, settings.grace_s * 1000.0, settings.seat_s * 1000.0)
    commands = CommandSettings(settings.commands_per_s, max(1.0, settings.commands_per_s))
    return GatewaySettings(
        bench=BenchSettings(lease, commands),
        session_ms=settings.seat_s * 1000.0,
        most_sessions=settings.most_sessions,
        most_of_one=max(16, settings.most_sessions) if settings.pretend_benches else 16,
    )


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """How to speak TLS, when that is our task. Raises ``OSError`` for files that cannot be used."""
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context


def _add_routes(app: web.Application, *, demo: bool) -> None:
    router = app.router
    router.add_get("/", start_page)
    if demo:
        router.add_get("/demo/benches", demo_benches)
        router.add_post("/demo/join", demo_join)
        router.add_get("/demo/{bench}/{role}", demo_link)
    router.add_get("/lab/{bench}", lab_page)
    router.add_get("/lab/{bench}/socket", lab_socket)
    router.add_get("/agent/socket", agent_socket)
    router.add_get("/static/{path:.+}", bundle_file)
    router.add_get("/metrics", metrics_page)
    router.add_get("/healthz", healthz)
