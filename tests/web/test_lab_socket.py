from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path

import aiohttp
import pytest

from devices import messages as agent_words
from devices.messages import DeviceReport
from devices.model import DeviceState
from remotelab.messages import (
    BenchSnapshot,
    BenchState,
    Command,
    CommandFinished,
    DeviceChanged,
    PresenceChanged,
    Stop,
    StopFinished,
)
from signaling.errors import Code
from signaling.messages import Ack, Hello, Ping, Pong, RequestRefused, Welcome
from signaling.tokens import Audience, Grant, Right, TokenKeys, sign
from tests.remotelab.lab import LAMP, report
from tests.remotelab.pair import ScriptedAgent
from tests.web.lab import BENCH, Server
from web.lab_socket import GATEWAY


def unsigned(token: str) -> str:
    """The same claims under the algorithm ``none``."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def foreign() -> str:
    """A good token of another server."""
    grant = Grant(Audience.BENCH, "mallory", "Mallory", (BENCH,), frozenset(Right), time.time() + 3600)
    return sign(grant, TokenKeys(b"x" * 32), now_s=time.time())


def command(name: str, fence: int, sent_ms: float) -> Command:
    return Command(name, fence, "psu", "set_voltage", {"voltage": 3.3}, sent_ms, 2_000.0)


async def test_a_command_goes_there_and_back(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        welcome = await socket.next(Welcome)
        assert (await socket.next(BenchSnapshot)).state is BenchState.ONLINE
        fence = await socket.take_control()
        await socket.send(Ping(5.0))
        pong = await socket.next(Pong)
        assert pong.sent_ms == 5.0
        await socket.send(command("command-1", fence, pong.replied_ms))
        assert (await socket.next(CommandFinished)).value == 3.3
        assert welcome.participant == "student"


async def test_many_commands_in_one_breath_are_answered_in_order(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        fence = await socket.take_control()
        await socket.send(Ping(5.0))
        now_ms = (await socket.next(Pong)).replied_ms
        names = [f"command-{number}" for number in range(200)]
        for name in names:
            await socket.send(command(name, fence, now_ms))
        assert [(await socket.next(CommandFinished)).id for _ in names] == names


async def test_a_stop_comes_back_to_everybody(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        student = await server.join()
        observer = await server.join(server.token("observer", Right.OBSERVE))
        await observer.next(BenchSnapshot)
        await student.send(Stop("stop-0001", 1.0))
        assert (await student.next(StopFinished)).verified
        assert (await observer.next(StopFinished)).participant == "student"


@pytest.mark.parametrize("kind", ["garbage", "unsigned", "foreign", "expired", "agents", "other bench"])
async def test_a_token_that_is_not_good_here_opens_nothing(tmp_path: Path, kind: str) -> None:
    async with Server(tmp_path) as server:
        token, code, close = {
            "garbage": ("x.y.z", Code.TOKEN_INVALID, 4401),
            "unsigned": (unsigned(server.token()), Code.TOKEN_INVALID, 4401),
            "foreign": (foreign(), Code.TOKEN_INVALID, 4401),
            "expired": (server.token(hours=-1.0), Code.TOKEN_EXPIRED, 4401),
            "agents": (server.agent_token(BENCH), Code.TOKEN_INVALID, 4401),
            "other bench": (server.token(bench="pretend-1"), Code.FORBIDDEN, 4403),
        }[kind]
        closing, close_code = await (await server.join(token)).farewell()
        assert (closing.code, close_code) == (code, close)


async def test_a_version_that_nobody_speaks_here_is_refused(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.open()
        await socket.ws.send_bytes(b"\x92\x00\x84\xa4type\xa5Hello\xa8versions\x91\x63\xa5token\xa1x\xa7program\xa1x")
        assert (await socket.farewell())[0].code is Code.TOKEN_INVALID
        socket = await server.open()
        await socket.send(Hello((99,), server.token(), "test"))
        assert (await socket.farewell())[0].code is Code.VERSION_UNSUPPORTED


@pytest.mark.parametrize(
    ("data", "code", "close"),
    [
        (b"", Code.MALFORMED, 1002),
        (b"\x92\x00\x81\xa4type\xa4Ping", Code.MALFORMED, 1002),
        (b"\x92\x00\x81\xa4type\xa7Explode", Code.UNKNOWN_TYPE, 1002),
        (b"\x92\x00\x82\xa4type\xa4Ping\xa7sent_ms\x01", Code.UNEXPECTED, 1002),
        (b"x" * 70_000, Code.TOO_LARGE, 1009),
    ],
)
async def test_a_first_frame_that_is_no_hello_closes_the_connection(
    tmp_path: Path, data: bytes, code: Code, close: int
) -> None:
    async with Server(tmp_path) as server:
        socket = await server.open()
        await socket.ws.send_bytes(data)
        closing, close_code = await socket.farewell()
        assert (closing.code, close_code) == (code, close)


async def test_text_is_not_spoken_here(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        await socket.next(BenchSnapshot)
        await socket.ws.send_str("hello")
        assert (await socket.farewell())[0].code is Code.MALFORMED


async def test_a_message_of_megabytes_is_cut_off_before_it_is_read(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        await socket.next(BenchSnapshot)
        await socket.ws.send_bytes(b"x" * 1_000_000)
        while (await socket.ws.receive()).type is aiohttp.WSMsgType.BINARY:
            pass
        assert socket.ws.close_code in (1009, 1006)


async def test_a_bad_request_is_refused_by_its_id_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        await socket.ws.send_bytes(b"\x92\x00\x82\xa4type\xa4Stop\xa2id\xa9stop-0001")
        assert (await socket.next(RequestRefused)).id == "stop-0001"
        await socket.send(Ping(1.0))
        await socket.next(Pong)


async def test_who_says_nothing_is_shown_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.handshake.HELLO_S", 0.01)
    async with Server(tmp_path) as server:
        closing, close_code = await (await server.open()).farewell()
        assert (closing.code, close_code) == (Code.SILENT, 4408)


async def test_who_leaves_before_saying_hello_is_no_event(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        await (await server.open()).ws.close()


async def test_pages_from_elsewhere_may_not_connect(tmp_path: Path) -> None:
    async with Server(tmp_path, origins=("https://lab.example.org",)) as server:
        for origin in ("https://evil.example", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await server.open(Origin=origin)
            assert raised.value.status == 403
        for origin in ("https://lab.example.org", server.url):
            await (await server.open(Origin=origin)).ws.close()


async def test_a_session_is_resumed_over_a_new_socket(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        welcome = await socket.next(Welcome)
        fence = await socket.take_control()
        seen = socket.last_seq
        await socket.send(Ack(seen))
        await socket.send(Ping(1.0))
        now_ms = (await socket.next(Pong)).replied_ms
        await socket.send(command("command-1", fence, now_ms))
        await socket.next(CommandFinished)
        await socket.ws.close()
        again = await server.join(session=welcome.session, resume_key=welcome.resume_key, last_seq=seen)
        assert (await again.next(Welcome)).resumed
        assert (await again.next(CommandFinished)).id == "command-1"


async def test_a_socket_that_is_resumed_elsewhere_is_closed(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        welcome = await socket.next(Welcome)
        await socket.next(BenchSnapshot)
        again = await server.join(session=welcome.session, resume_key=welcome.resume_key, last_seq=socket.last_seq)
        assert (await again.next(Welcome)).resumed
        closing, close_code = await socket.farewell()
        assert (closing.code, close_code) == (Code.REPLACED, 4410)


async def test_everybody_is_told_when_the_server_goes_away(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        await socket.next(BenchSnapshot)
        closing = asyncio.create_task(server.http.close())
        farewell, close_code = await socket.farewell()
        assert (farewell.code, close_code) == (Code.GOING_AWAY, 1001)
        await closing


async def test_a_mistake_of_ours_is_not_told_in_detail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server(tmp_path) as server:

        def explode(*_: object) -> None:
            raise ZeroDivisionError("the secret inside")

        monkeypatch.setattr("remotelab.service.Gateway.received", explode)
        socket = await server.join()
        await socket.send(Ping(1.0))
        closing, close_code = await socket.farewell()
        assert (closing.code, close_code) == (Code.INTERNAL, 1011)
        assert "secret" not in closing.text


def is_alone(word: object, name: str) -> bool:
    """Whether a word says that nobody else is connected."""
    here = [who.id for who in word.participants if who.connected] if isinstance(word, PresenceChanged) else []
    return here == [name]


async def test_who_cannot_keep_up_is_closed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.socket_writer._CLOSE_S", 0.05)
    async with Server(tmp_path) as server:
        agent = ScriptedAgent(server.app[GATEWAY])
        agent.join(report())
        deaf = await server.join(server.token("deaf", Right.OBSERVE, bench=LAMP.name), bench=LAMP.name)
        keen = await server.join(server.token("keen", Right.OBSERVE, bench=LAMP.name), bench=LAMP.name)
        await deaf.next(Welcome)
        await keen.next(BenchSnapshot)
        heard = 0
        # Far more than a socket's buffers and its outbox take; nobody reads what is meant for the first one.
        for number in range(400):
            gone = DeviceReport("psu", DeviceState.OFFLINE, text=f"{number} " + "x" * 50_000)
            agent.say(agent_words.DeviceChanged(LAMP.name, gone))
            told = (await keen.next(DeviceChanged)).report
            heard += told.text.startswith(f"{number} ")
        assert heard == 400
        while not any(is_alone(word, "keen") for word in keen.heard):
            await keen.next(PresenceChanged)
