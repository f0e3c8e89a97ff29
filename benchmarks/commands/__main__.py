"""``python -m benchmarks.commands``: every measurement of the command path, one after the other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import report
from benchmarks.commands import exchanges, overload, throughput
from benchmarks.commands.idle import kib_per_session
from benchmarks.commands.rig import BAUD, agent, gateway, instruments, relay, scratch
from benchmarks.commands.travel import figures, path_exchange
from benchmarks.processes import running

RATES_PER_S = (100, 1_000)
ONE_WAY_MS = 13.0
DEEP = 1_000
"""So many may wait that a hiccup of the machine shows as latency and not as a refusal."""
IDLE_SESSIONS, IDLE_BENCHES = 5_000, 100


def latency(seconds: float) -> dict[str, Any]:
    """Direct, through ser2net, and along the whole path, on the same pty, in turns."""
    samples: dict[str, dict[int, list[float]]] = {
        kind: {rate: [] for rate in RATES_PER_S} for kind in ("direct", "ser2net", "path")
    }
    rounds = 3
    with scratch() as folder, instruments(folder, 1, baud=None) as (path,):
        for turn in range(rounds):
            for rate in RATES_PER_S:

                async def measure(kind: str, exchange: Callable[[], Awaitable[object]], rate: int = rate) -> None:
                    await exchanges.at_rate(exchange, rate, 0.5)  # warm
                    samples[kind][rate] += await exchanges.at_rate(exchange, rate, seconds / rounds)

                async def reference(rate: int = rate) -> None:
                    async with exchanges.direct(path, BAUD) as exchange:
                        await measure("direct", exchange)
                    async with exchanges.ser2net(path, BAUD, folder) as exchange:
                        await measure("ser2net", exchange)

                uvloop.run(reference())
                with gateway(folder / f"{turn}-{rate}") as rig, agent(rig, [path], depth=DEEP):

                    async def ours() -> None:
                        async with path_exchange(rig, rig.url) as exchange:
                            await measure("path", exchange)

                    uvloop.run(ours())
    return {
        kind: {str(rate): report.spread(taken, "us") for rate, taken in by_rate.items()}
        for kind, by_rate in samples.items()
    }


def distance(seconds: float) -> dict[str, Any]:
    """A far student and a near lab, then a near student and a far lab: 13 ms each way. The worse is the figure."""
    found: dict[str, Any] = {}
    with scratch() as folder, instruments(folder, 1, baud=None) as (path,):
        with gateway(folder / "student") as rig, agent(rig, [path]), relay(rig.url, ONE_WAY_MS) as url:
            found["far_student"] = uvloop.run(figures(rig, url, seconds))
        with gateway(folder / "lab") as rig, relay(rig.url, ONE_WAY_MS) as url, agent(rig, [path], url=url):
            found["far_lab"] = uvloop.run(figures(rig, rig.url, seconds))
    return {
        "p50_ms": max(each["p50_ms"] for each in found.values()),
        "depth8_speedup": min(each["depth8_speedup"] for each in found.values()),
        **found,
    }


def overloaded(seconds: float) -> dict[str, Any]:
    """Ten times the capacity of instruments at 9,600 baud: one of them, then twenty."""
    found: dict[str, Any] = {}
    with scratch() as folder:
        for benches in (1, 20):
            with instruments(folder / str(benches), benches, baud=BAUD) as paths:
                bare_per_s = uvloop.run(_bare(paths[0]))
                with gateway(folder / str(benches)) as rig, agent(rig, paths):
                    name = "one_bench" if benches == 1 else "twenty_benches"
                    offered = 10 * bare_per_s
                    taken = uvloop.run(overload.flood(rig, benches, offered, seconds, stops=False))
                    found[name] = overload.figures(taken, bare_per_s, seconds)
                    stopped = uvloop.run(overload.flood(rig, benches, offered, seconds, stops=True))
                    with_stops = overload.figures(stopped, bare_per_s, seconds)
                    found[name] |= {key: with_stops[key] for key in ("stops", "stop_p99_ms", "stop_max_ms")}
                    found[name]["late_starts"] += with_stops["late_starts"]
                    found[name]["bare_per_s"] = round(bare_per_s, 1)
    both = found.values()
    return {
        "late_starts": sum(each["late_starts"] for each in both),
        "goodput_ratio": min(each["goodput_ratio"] for each in both),
        "refusal_p99_ms": max(each["refusal_p99_ms"] for each in both),
        "stop_p99_ms": max(each["stop_p99_ms"] for each in both),
        **found,
    }


async def _bare(path: str) -> float:
    async with exchanges.direct(path, BAUD) as exchange:
        return await overload.bare_rate(exchange, 5.0)


def full_speed(seconds: float) -> dict[str, Any]:
    """Commands through a gateway whose agents cost nothing, beside a bare WebSocket echo."""
    with (
        scratch() as folder,
        gateway(folder, "web.cli", "--pretend-benches", str(throughput.CONNECTIONS)) as rig,
        running(["-m", "benchmarks.commands.echo"], ready="READY", log=folder / "echo.log") as echo,
    ):
        echoes = uvloop.run(throughput.echoes(echo.ready.split()[1], echo, seconds))
        commands = uvloop.run(throughput.commands(rig, seconds))
    return {
        "commands_per_s": round(commands.per_core_s),
        "commands_per_wall_s": round(commands.per_s),
        "echoes_per_s": round(echoes.per_core_s),
        "vs_echo": round(commands.per_core_s / echoes.per_core_s, 3),
    }


def idle() -> dict[str, Any]:
    """Memory of a lab session in which nothing happens."""
    with scratch() as folder, gateway(folder, "web.cli", "--pretend-benches", str(IDLE_BENCHES)) as rig:
        kib = uvloop.run(kib_per_session(rig, IDLE_BENCHES, IDLE_SESSIONS))
    return {"sessions": IDLE_SESSIONS, "kib_per_session": round(kib, 1)}


PARTS: dict[str, Callable[[float], dict[str, Any]]] = {
    "latency": latency,
    "distance": distance,
    "overload": overloaded,
    "throughput": full_speed,
    "idle": lambda _seconds: idle(),
}


def show(found: dict[str, Any]) -> None:
    """The tables."""
    if "direct" in found:
        rows = [
            (kind, f"{rate}/s", each["samples"], each["p50_us"], each["p99_us"], each["max_us"])
            for kind in ("direct", "ser2net", "path")
            for rate, each in found[kind].items()
        ]
        report.show("One exchange, µs", ("way", "offered", "n", "p50", "p99", "max"), rows)
    for name in ("distance", "overload", "throughput", "idle"):
        for title, lines in _tables(name, found.get(name, {})):
            report.show(title, ("figure", "value"), list(lines.items()))


def _tables(name: str, figures: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    flat = {key: value for key, value in figures.items() if not isinstance(value, dict)}
    nested = [(f"{name}: {key}", value) for key, value in figures.items() if isinstance(value, dict)]
    return [(name, flat), *nested] if flat else nested


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part; repeat for more")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each measurement takes")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for name in options.only or PARTS:
        part = PARTS[name](options.seconds)
        found |= part if name == "latency" else {name: part}
    report.write(options.json, found)
    sys.stdout.write(f"{report.machine()}\n")
    show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
