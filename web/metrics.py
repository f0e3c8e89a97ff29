"""``/metrics``: what the gateway counts, in Prometheus's text format. The only place that knows Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from remotelab.messages import BenchState
from remotelab.service import Gateway
from remotelab.stats import LATENCY_BOUNDS_MS, LatencyCount
from web.lab_socket import GATEWAY


class GatewayCollector:
    """Reads the gateway's counts when somebody asks for them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        """All metrics as they stand now."""
        yield from self._counts()
        yield from self._latencies()
        yield from self._states()

    def _counts(self) -> Iterator[Metric]:
        admitted = CounterMetricFamily("tongke_commands_admitted", "Commands let in", labels=["bench"])
        refused = CounterMetricFamily("tongke_commands_refused", "Commands refused", labels=["bench", "code"])
        outcomes = CounterMetricFamily("tongke_commands_finished", "Commands ended", labels=["bench", "status"])
        stops = CounterMetricFamily("tongke_stops", "Stops asked for", labels=["bench"])
        for name, shell in self._gateway.benches.items():
            stats = shell.bench.stats
            admitted.add_metric([name], stats.admitted)
            stops.add_metric([name], stats.stops)
            for code, count in stats.refusals.items():
                refused.add_metric([name, code.value], count)
            for status, count in stats.outcomes.items():
                outcomes.add_metric([name, status.value], count)
        yield from (admitted, refused, outcomes, stops)

    def _latencies(self) -> Iterator[Metric]:
        gateway = HistogramMetricFamily(
            "tongke_command_seconds", "From a command's receipt to its answer", labels=["bench"]
        )
        waiting = HistogramMetricFamily(
            "tongke_command_waiting_seconds", "From the lab PC's receipt to the first byte", labels=["bench"]
        )
        service = HistogramMetricFamily(
            "tongke_command_service_seconds", "From the first byte written to the last byte read", labels=["bench"]
        )
        for name, shell in self._gateway.benches.items():
            stats = shell.bench.stats
            for family, count in (
                (gateway, stats.gateway_ms),
                (waiting, stats.waiting_ms),
                (service, stats.service_ms),
            ):
                family.add_metric([name], _buckets(count), count.sum_ms / 1000.0)
        yield from (gateway, waiting, service)

    def _states(self) -> Iterator[Metric]:
        state = GaugeMetricFamily("tongke_bench_state", "1 for the state that a bench is in", labels=["bench", "state"])
        sessions = GaugeMetricFamily("tongke_sessions", "Participants' sessions", labels=["bench"])
        for name, shell in self._gateway.benches.items():
            sessions.add_metric([name], len(shell.sessions))
            for each in BenchState:
                state.add_metric([name, each.value], float(shell.bench.standing.state is each))
        errors = GaugeMetricFamily(
            "tongke_device_errors", "Failed exchanges in the last report", labels=["agent", "bench", "device"]
        )
        clock = GaugeMetricFamily("tongke_agent_clock_error_seconds", "How wrong its clock may be", labels=["agent"])
        for agent, health in self._gateway.agents.health.items():
            clock.add_metric([agent], health.clock_error_ms / 1000.0)
            for device in health.devices:
                errors.add_metric([agent, device.bench, device.device], device.errors)
        yield from (state, sessions, errors, clock)


def _buckets(count: LatencyCount) -> list[tuple[str, float]]:
    """Cumulative classes as Prometheus wants them."""
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound_ms, number in zip((*LATENCY_BOUNDS_MS, None), count.classes, strict=True):
        total += number
        buckets.append(("+Inf" if bound_ms is None else str(bound_ms / 1000.0), total))
    return buckets


async def metrics_page(request: web.Request) -> web.Response:
    """Everything, in text."""
    registry = CollectorRegistry()
    registry.register(GatewayCollector(request.app[GATEWAY]))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
