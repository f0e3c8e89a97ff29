"""The yardstick for throughput: a WebSocket server that only sends back what it gets. Run as a program."""

from __future__ import annotations

import socket
import sys

import uvloop
from aiohttp import WSMsgType, web


async def _echo(request: web.Request) -> web.WebSocketResponse:
    answer = web.WebSocketResponse(compress=False)
    await answer.prepare(request)
    async for message in answer:
        if message.type is WSMsgType.BINARY:
            await answer.send_bytes(message.data)
    return answer


async def _ready(app: web.Application) -> None:
    sys.stdout.write(f"READY {app['url']}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve on a free port until terminated."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app["url"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.router.add_get("/", _echo)
    app.on_startup.append(_ready)
    web.run_app(app, sock=listener, print=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main()
