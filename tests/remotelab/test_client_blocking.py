from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import messages as agent_words
from remotelab.client_blocking import connect_blocking
from remotelab.client_errors import CommandRefusedError
from remotelab.messages import BenchState
from signaling.errors import Code, TongkeError
from tests.remotelab.lab import BENCH as SCRIPTED
from tests.remotelab.lab import report
from tests.remotelab.pair import ScriptedAgent
from tests.web.lab import BENCH, Server
from web.lab_socket import GATEWAY


class ServerThread:
    """A server with an event loop of its own, for callers that block."""

    def __init__(self, data: Path) -> None:
        self.server: Server
        self.agent: ScriptedAgent
        self.loop = asyncio.new_event_loop()
        self._data = data
        self._ready = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._serve(),))

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self.loop.close()

    async def _serve(self) -> None:
        async with Server(self._data) as self.server:
            self.agent = ScriptedAgent(self.server.app[GATEWAY])
            self.agent.join(report())
            self._ready.set()
            await self._ended.wait()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[ServerThread]:
    thread = ServerThread(tmp_path)
    thread.start()
    yield thread
    thread.end()


def test_the_blocking_twin_does_the_same(serving: ServerThread) -> None:
    with connect_blocking(f"{serving.server.url}/lab/{BENCH}", serving.server.token()) as bench:
        psu = bench["psu"]
        assert psu.set_voltage(3.3) == 3.3
        assert psu.set_voltage(voltage=4.4, latest=True) == 4.4
        assert "set_voltage" in dir(psu)
        assert "float in V" in (psu.set_voltage.__doc__ or "")
        assert psu.voltage is None
        assert bench.last is not None
        assert bench.lease is not None
        bench.until(lambda bench: bench.state is BenchState.IN_USE)
        assert bench.state is BenchState.IN_USE
        assert list(bench.devices) == ["psu"]
        with pytest.raises(CommandRefusedError):
            psu.set_voltage(99.0)
        assert bench.stop()
        bench.clear_stop()
        bench.release()


def test_a_refused_entrance_leaves_no_thread_behind(serving: ServerThread) -> None:
    before = threading.active_count()
    with pytest.raises(TongkeError) as raised, connect_blocking(f"{serving.server.url}/lab/{BENCH}", "x.y.z"):
        pass
    assert raised.value.code is Code.TOKEN_INVALID
    assert threading.active_count() == before


def test_telemetry_can_be_waited_for(serving: ServerThread) -> None:
    token = serving.server.token(bench=SCRIPTED)
    with connect_blocking(f"{serving.server.url}/lab/{SCRIPTED}", token, observe=True) as bench:
        word = agent_words.TelemetrySampled(SCRIPTED, "psu", 1.0, {"voltage": 3.3})
        samples = bench.telemetry()
        ticking = threading.Event()

        def tick() -> None:
            serving.agent.say(word)
            if not ticking.is_set():
                serving.loop.call_later(0.01, tick)

        serving.loop.call_soon_threadsafe(tick)
        assert next(samples).values == {"voltage": 3.3}
        ticking.set()
        samples.close()
        bench.acquire()
