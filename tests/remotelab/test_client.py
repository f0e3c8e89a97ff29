from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices import messages as agent_words
from devices.messages import Execute, ResolveExecutions
from devices.model import CommandMode, CommandStatus
from remotelab.client import RemoteBench, connect
from remotelab.client_errors import (
    CommandRefusedError,
    LinkLostError,
    OutcomeUnknownError,
    RequestRefusedError,
)
from remotelab.messages import BenchState
from signaling.errors import Code, TongkeError
from signaling.tokens import Right
from tests.relay import TcpRelay
from tests.remotelab.lab import BENCH, done, report
from tests.remotelab.pair import ScriptedAgent
from tests.web.lab import BENCH as PRETEND
from tests.web.lab import Server
from web.lab_socket import GATEWAY


class Lab:
    """A real server with a scripted agent, and how to reach it."""

    def __init__(self, server: Server, relay: TcpRelay) -> None:
        self.server = server
        self.relay = relay
        self.agent = ScriptedAgent(server.app[GATEWAY])
        self.agent.join(report())

    def connect(self, name: str = "student", *rights: Right, through_relay: bool = True, **more: object) -> RemoteBench:
        port = self.relay.port if through_relay else self.server.http.port
        token = self.server.token(name, *rights, bench=BENCH)
        return connect(f"http://127.0.0.1:{port}/lab/{BENCH}", token, **more)  # type: ignore[arg-type]  # by name


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Server(tmp_path) as server:
        with TcpRelay(server.http.port or 0) as relay:
            yield Lab(server, relay)


async def test_actions_are_methods_and_results_are_returned(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        link = f"{server.url}/lab/{PRETEND}#token={server.token()}"
        async with connect(link) as bench:
            psu = bench["psu"]
            assert await psu.set_voltage(3.3) == 3.3
            assert await psu.set_voltage(voltage=4.4, ttl_ms=500.0, latest=True) == 4.4
            assert await psu.read_voltage() == 4.4
            assert bench.last is not None
            assert bench.last.action == "read_voltage"
            ledger = bench.last.ledger
            assert ledger.gateway_received_ms <= (ledger.gateway_replied_ms or 0.0)
            assert dir(psu) == ["read_voltage", "set_voltage", "voltage"]
            assert "voltage: float in V" in (psu.set_voltage.__doc__ or "")
            assert psu.voltage is None
            with pytest.raises(AttributeError):
                psu.explode  # noqa: B018  # asking is the act
            with pytest.raises(KeyError):
                bench["ghost"]
            with pytest.raises(TypeError):
                await psu.set_voltage(1.0, 2.0)
            assert bench.description is not None
            assert bench.state is BenchState.IN_USE


async def test_the_control_is_taken_on_entering_and_given_back_on_leaving(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        url = f"{server.url}/lab/{PRETEND}"
        async with connect(url, server.token()) as bench:
            assert bench.lease is not None
            assert bench.lease.participant == "student"
            with pytest.raises(RequestRefusedError) as raised:
                async with connect(url, server.token("mate")):
                    pass
            assert raised.value.code is Code.LEASE_TAKEN
            async with connect(url, server.token("mate"), observe=True) as other:
                with pytest.raises(CommandRefusedError) as refused:
                    await other["psu"].set_voltage(1.0)
                assert refused.value.code is Code.NOT_CONTROLLER
        async with connect(url, server.token("mate")) as bench:
            await bench.release()
            await bench.release()


async def test_refusals_and_stops_have_their_own_errors(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, connect(f"{server.url}/lab/{PRETEND}", server.token()) as bench:
        with pytest.raises(CommandRefusedError) as raised:
            await bench["psu"].set_voltage(99.0)
        assert (raised.value.code, raised.value.parameter) == (Code.OUT_OF_LIMITS, "voltage")
        assert await bench.stop()
        assert bench.is_stopped
        with pytest.raises(CommandRefusedError) as raised:
            await bench["psu"].set_voltage(1.0)
        assert raised.value.code is Code.BENCH_STOPPED
        await bench.clear_stop()
        assert await bench["psu"].set_voltage(1.0) == 1.0


async def test_telemetry_comes_as_an_iterator_and_as_properties(lab: Lab) -> None:
    async with lab.connect("observer", Right.OBSERVE, observe=True) as bench:
        samples = bench.telemetry()
        waiting = asyncio.ensure_future(anext(samples))
        await asyncio.sleep(0)
        for number in (1.0, 2.0):
            lab.agent.say(agent_words.TelemetrySampled(BENCH, "psu", number, {"voltage": number}))
        # Both were said in one breath: only the newest leaves the server.
        assert (await waiting).values == {"voltage": 2.0}
        assert bench["psu"].voltage == 2.0
        await samples.aclose()


async def test_a_command_whose_socket_breaks_is_answered_over_the_next_one_and_ran_once(lab: Lab) -> None:
    async with lab.connect() as bench:
        call = asyncio.create_task(bench["psu"].set_voltage(3.3, ttl_ms=10_000.0))
        await lab.agent.hears(Execute)
        lab.relay.cut()
        lab.agent.say(done(lab.agent.executed()[0], 3.3))
        assert await call == 3.3
        assert len(lab.agent.executed()) == 1


async def test_an_answer_that_comes_after_the_reconnect_is_not_lost(lab: Lab) -> None:
    async with lab.connect() as bench:
        call = asyncio.create_task(bench["psu"].set_voltage(3.3, ttl_ms=10_000.0))
        await lab.agent.hears(Execute)
        lab.relay.cut()
        stop = asyncio.create_task(bench.stop())
        order = await lab.agent.hears(agent_words.StopBench)
        lab.agent.say(agent_words.BenchStopped(order.id, BENCH, False))
        lab.agent.say(done(lab.agent.executed()[0], 3.3))
        assert await call == 3.3
        assert not await stop
        assert len(lab.agent.executed()) == 1


async def test_a_set_point_is_sent_as_the_newest(lab: Lab) -> None:
    async with lab.connect() as bench:
        call = asyncio.create_task(bench["psu"].set_voltage(3.3, latest=True))
        await lab.agent.hears(Execute)
        assert lab.agent.heard(Execute)[0].mode is CommandMode.LATEST
        lab.agent.say(done(lab.agent.executed()[0], 3.3))
        await call


async def test_who_stops_waiting_leaves_nothing_behind(lab: Lab) -> None:
    async with lab.connect() as bench:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await bench["psu"].set_voltage(3.3)
        lab.relay.cut()
        await bench.acquire()
        assert bench._core.to_send_again() == []


async def test_a_restarted_server_tells_the_outcome_from_the_journal(tmp_path: Path) -> None:
    async with Server(tmp_path) as first:
        port = first.http.port
        lab = ScriptedAgent(first.app[GATEWAY])
        lab.join(report())
        token = first.token(bench=BENCH)
        bench = connect(f"http://127.0.0.1:{port}/lab/{BENCH}", token)
        await bench.__aenter__()
        call = asyncio.create_task(bench["psu"].set_voltage(3.3, ttl_ms=10_000.0))
        await lab.hears(Execute)
        await first.http.close()
    async with Server(tmp_path, port=port) as second:
        again = ScriptedAgent(second.app[GATEWAY])
        again.join(report(fence=1))
        await again.hears(ResolveExecutions)
        again.say(done(lab.executed()[0], 3.3, repeated=True))
        assert await call == 3.3
        assert again.executed() == []
        await bench.aclose()


async def test_an_unknown_outcome_is_an_error_of_its_own(lab: Lab) -> None:
    async with lab.connect() as bench:
        call = asyncio.create_task(bench["psu"].set_voltage(3.3))
        await lab.agent.hears(Execute)
        lab.agent.say(agent_words.ExecutionFinished(lab.agent.executed()[0], CommandStatus.UNKNOWN))
        with pytest.raises(OutcomeUnknownError):
            await call


@pytest.mark.parametrize("broken", ["token", "bench", "expired"])
async def test_what_cannot_work_is_not_tried_twice(lab: Lab, broken: str) -> None:
    token = lab.server.token(bench=BENCH, hours=-1.0 if broken == "expired" else 1.0)
    url = f"{lab.server.url}/lab/{'other' if broken == 'bench' else BENCH}"
    with pytest.raises(TongkeError) as raised:
        async with connect(url, token[:-4] if broken == "token" else token):
            pass
    assert raised.value.code in (Code.TOKEN_INVALID, Code.FORBIDDEN, Code.TOKEN_EXPIRED)


async def test_an_address_without_a_lab_is_told_at_once(lab: Lab) -> None:
    with pytest.raises(TongkeError) as raised:
        async with connect(f"{lab.server.url}/nothing", "token"):
            pass
    assert raised.value.code is Code.NOT_FOUND


async def test_a_server_that_stays_away_is_given_up_and_everything_raises_once(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        lab = ScriptedAgent(server.app[GATEWAY])
        lab.join(report())
        bench = connect(f"{server.url}/lab/{BENCH}", server.token(bench=BENCH), patience_s=0.0)
        await bench.__aenter__()
        call = asyncio.create_task(bench["psu"].set_voltage(3.3))
        await lab.hears(Execute)
        samples = bench.telemetry()
        waiting = asyncio.ensure_future(anext(samples))
        await server.http.close()
        with pytest.raises(LinkLostError):
            await call
        with pytest.raises(LinkLostError):
            await bench["psu"].set_voltage(3.3)
        with pytest.raises(StopAsyncIteration):
            await waiting
        await bench.aclose()


async def test_closing_ends_what_waits(lab: Lab) -> None:
    bench = lab.connect()
    await bench.__aenter__()
    call = asyncio.create_task(bench["psu"].set_voltage(3.3))
    await lab.agent.hears(Execute)
    await bench.aclose()
    await bench.aclose()
    with pytest.raises(LinkLostError):
        await call


async def test_a_dead_connection_is_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remotelab.client_link._PING_S", 0.02)
    monkeypatch.setattr("remotelab.client_link._SILENCE_MS", 100.0)
    monkeypatch.setattr("remotelab.client_link._CLOSE_S", 0.01)
    async with lab.connect() as bench:
        lab.relay.freeze()
        await bench.until(lambda bench: not bench.is_connected)
        lab.relay.thaw()
        await bench.acquire()


async def test_the_control_is_renewed_before_it_runs_out(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remotelab.client_link._RENEW_BELOW_MS", 1e9)
    async with lab.connect() as bench:
        assert bench.lease is not None
        before_ms = bench.lease.expires_ms
        await bench.until(lambda bench: bench.lease is not None and bench.lease.expires_ms > before_ms)


async def test_a_failure_while_leaving_is_not_in_the_way(lab: Lab) -> None:
    bench = lab.connect(patience_s=0.0)
    async with bench:
        with contextlib.suppress(TongkeError):
            await lab.server.http.close()
