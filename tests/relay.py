"""A TCP relay that makes a good link bad: delay, jitter, little bandwidth, outages. Seeded and scripted; loopback only.

Threads and not an event loop, because event loops round their timers to whole milliseconds. As a program it prints the
port that it listens on: ``python -m tests.relay --to PORT --delay-ms 13``.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import random
import socket
import sys
import threading
import time
from dataclasses import dataclass

PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to bytes in each direction. TCP keeps them whole and in order, so jitter never reorders."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    bytes_per_s: float | None = None
    seed: int = 1


class TcpRelay:
    """Listens on a free loopback port and passes connections on to ``to_port``."""

    def __init__(self, to_port: int, impairment: Impairment | None = None) -> None:
        self._to_port = to_port
        self._impairment = impairment or Impairment()
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._random = random.Random(self._impairment.seed)  # jitter, not cryptography
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True, name="relay")
        self._accepting.start()

    def freeze(self) -> None:
        """An outage: nothing passes, nothing is closed."""
        self._flowing.clear()

    def thaw(self) -> None:
        """The end of an outage: what was held back passes."""
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection that passes through now; new ones are accepted."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        """Stop listening and break everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.cut()
        self.thaw()

    def __enter__(self) -> TcpRelay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                threading.Thread(target=self._read, args=(source, pieces), daemon=True).start()
                threading.Thread(target=self._write, args=(sink, pieces), daemon=True).start()

    def _read(self, source: socket.socket, pieces: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        bad = self._impairment
        free_s = due_s = 0.0
        data = b"-"
        while data:
            try:
                data = source.recv(PIECE_BYTES)
            except OSError:
                data = b""
            now_s = time.monotonic()
            if bad.bytes_per_s:
                free_s = max(free_s, now_s) + len(data) / bad.bytes_per_s
            delay_s = (bad.delay_ms + self._random.uniform(0.0, bad.jitter_ms)) / 1_000
            due_s = max(due_s, max(free_s, now_s) + delay_s)
            pieces.put((due_s, data))

    def _write(self, sink: socket.socket, pieces: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        while True:
            due_s, data = pieces.get()
            while (left_s := due_s - time.monotonic()) > 0:
                time.sleep(left_s)
            self._flowing.wait()
            try:
                if not data:
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(data)
            except OSError:
                return


def main() -> int:
    """Relay until standard input ends."""
    parser = argparse.ArgumentParser(description="Relay a loopback TCP port with an impairment.")
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    options = parser.parse_args()
    with TcpRelay(options.to, Impairment(options.delay_ms, options.jitter_ms)) as relay:
        sys.stdout.write(f"{relay.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
