"""``tongke serve`` as a process: listening, TLS, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from remotelab.messages import FROM_CLIENT, TO_CLIENT, BenchSnapshot
from signaling.errors import Code
from signaling.messages import ConnectionClosing, Hello
from tests.web.certificate import CERTIFICATE, KEY


def tongke(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "web.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


@contextlib.contextmanager
def serving(data: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server; its address and its process, which is ended."""
    command = [sys.executable, "-m", "web.cli", "serve", "--port", "0", "--data", str(data), "--quiet", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            word, url = process.stdout.readline().split()
            assert word == "READY"
            yield url, process
        finally:
            process.terminate()


def link(data: Path, url: str, *more: str) -> tuple[str, str]:
    """The page's path and the token of a link that the command line made."""
    made = tongke("token", "--data", str(data), "--bench", "pretend-0", "--url", url, "--name", "Li Na", *more)
    assert made.returncode == 0, made.stderr
    page, _, token = made.stdout.strip().partition("#token=")
    return page, token


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_goodbye_to_everybody_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, "--pretend-benches", "1") as (url, process):
        page, token = link(tmp_path, url)
        with connect(f"{page.replace('http', 'ws')}/socket") as socket:
            socket.send(FROM_CLIENT.encode(Hello((1,), token, "test")))
            words = [TO_CLIENT.decode(bytes(socket.recv()))[1] for _ in range(2)]  # type: ignore[arg-type]  # binary
            snapshot = words[1]
            assert isinstance(snapshot, BenchSnapshot)
            assert [participant.name for participant in snapshot.participants] == ["Li Na"]
            process.send_signal(number)
            closing = None
            while not isinstance(closing, ConnectionClosing):
                _, closing = TO_CLIENT.decode(bytes(socket.recv()))  # type: ignore[arg-type]  # binary
            assert closing.code is Code.GOING_AWAY
        assert process.wait() == 0


def test_with_a_certificate_it_speaks_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(CERTIFICATE)
    key.write_text(KEY)
    with serving(tmp_path / "data", "--tls-cert", str(certificate), "--tls-key", str(key)) as (url, _):
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{url}/healthz", context=context) as answer:  # noqa: S310  # our own server
            assert json.load(answer)["status"] == "ok"
            assert "wss://" in answer.headers["Content-Security-Policy"]


def test_settings_that_make_no_sense_are_one_clear_sentence(tmp_path: Path) -> None:
    ended = tongke("serve", "--data", str(tmp_path), TONGKE_COLOUR="red", TONGKE_PORT="many")
    assert ended.returncode == 1
    assert "colour is not a setting" in ended.stderr
    assert "port cannot be 'many'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_one_clear_sentence(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as (url, _):
        port = url.rpartition(":")[2]
        ended = tongke("serve", "--data", str(tmp_path / "two"), "--port", port)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("tongke serve: ")


def test_a_broken_key_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_text("not a key")
    for command in (("serve", "--port", "0"), ("token", "--bench", "lamp")):
        ended = tongke(*command, "--data", str(tmp_path))
        assert ended.returncode == 1
        assert "signing keys" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_the_settings_file_can_be_named_in_the_environment(tmp_path: Path) -> None:
    settings = tmp_path / "tongke.toml"
    settings.write_text('colour = "red"\n')
    ended = tongke("serve", TONGKE_SETTINGS=str(settings))
    assert "colour is not a setting" in ended.stderr


async def test_a_server_without_uvloop_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    from web.server import _loop_factory

    assert _loop_factory() is None
    assert asyncio.get_running_loop() is not None
