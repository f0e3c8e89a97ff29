"""The impairment relay passes bytes truly, and breaks links when it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.relay import Impairment, TcpRelay


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4_096):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece
        data += piece
    return data


@pytest.mark.parametrize("impairment", [None, Impairment(delay_ms=1, jitter_ms=3), Impairment(bytes_per_s=4_000_000)])
def test_bytes_come_through_whole_and_in_order(echo_port: int, impairment: Impairment | None) -> None:
    sent = bytes(range(256)) * 64
    with TcpRelay(echo_port, impairment) as relay, socket.create_connection(("127.0.0.1", relay.port)) as connection:
        for start in range(0, len(sent), 1_000):
            connection.sendall(sent[start : start + 1_000])
        assert _receive(connection, len(sent)) == sent


def test_a_frozen_link_holds_everything_back_until_it_thaws(echo_port: int) -> None:
    with TcpRelay(echo_port) as relay, socket.create_connection(("127.0.0.1", relay.port)) as connection:
        connection.sendall(b"a")
        assert _receive(connection, 1) == b"a"
        relay.freeze()
        connection.sendall(b"b")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(None)
        relay.thaw()
        assert _receive(connection, 1) == b"b"


def test_a_cut_ends_connections_but_not_the_relay(echo_port: int) -> None:
    with TcpRelay(echo_port) as relay:
        with socket.create_connection(("127.0.0.1", relay.port)) as connection:
            connection.sendall(b"a")
            assert _receive(connection, 1) == b"a"
            relay.cut()
            assert connection.recv(1) == b""
        with socket.create_connection(("127.0.0.1", relay.port)) as connection:
            connection.sendall(b"c")
            assert _receive(connection, 1) == b"c"


def test_a_relay_to_nowhere_closes_what_it_accepts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with TcpRelay(port) as relay, socket.create_connection(("127.0.0.1", relay.port)) as connection:
        assert connection.recv(1) == b""
