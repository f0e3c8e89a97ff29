from __future__ import annotations

from pathlib import Path

from devices.messages import DeviceHealth, HealthReported
from remotelab.messages import Command, CommandFinished, CommandRefused
from signaling.messages import Ping, Pong
from tests.web.lab import BENCH, Server
from web.lab_socket import GATEWAY


async def test_what_the_gateway_counts_can_be_scraped(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        socket = await server.join()
        fence = await socket.take_control()
        await socket.send(Ping(1.0))
        now_ms = (await socket.next(Pong)).replied_ms
        await socket.send(Command("command-1", fence, "psu", "set_voltage", {"voltage": 3.3}, now_ms, 2_000.0))
        await socket.next(CommandFinished)
        await socket.send(Command("command-2", fence, "psu", "set_voltage", {"voltage": 99.0}, now_ms, 2_000.0))
        await socket.next(CommandRefused)
        health = HealthReported((DeviceHealth("lamp", "psu", 10, 2, 1.0, 2.0, 0, None),), 1.5)
        server.app[GATEWAY].agents.health["lab-pc"] = health
        async with server.session.get(server.url + "/metrics") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/plain"
            text = await answer.text()
    for line in (
        f'tongke_commands_admitted_total{{bench="{BENCH}"}} 1.0',
        f'tongke_commands_refused_total{{bench="{BENCH}",code="out_of_limits"}} 1.0',
        f'tongke_commands_finished_total{{bench="{BENCH}",status="done"}} 1.0',
        f'tongke_bench_state{{bench="{BENCH}",state="in_use"}} 1.0',
        f'tongke_sessions{{bench="{BENCH}"}} 1.0',
        f'tongke_command_seconds_bucket{{bench="{BENCH}",le="+Inf"}} 1.0',
        f'tongke_command_seconds_count{{bench="{BENCH}"}} 1.0',
        'tongke_device_errors{agent="lab-pc",bench="lamp",device="psu"} 2.0',
        'tongke_agent_clock_error_seconds{agent="lab-pc"} 0.0015',
    ):
        assert line in text
