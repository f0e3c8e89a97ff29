"""Simulated benches in this process and in one of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import devices
from devices.agent.bench_file import load_bench
from devices.conversation import PortConversation
from devices.registry import installed_drivers
from devices.sim.bench import KINDS, SimulatedBench, devices_of, start_simulation
from devices.sim.faults import Fault
from devices.sim.process import SimulatorProcess, simulator_process
from devices.transports import PortSpec, open_transport
from signaling.errors import Code, DeviceError
from tests.devices.rig import PATIENT_MS, device_of

BENCH_FILES = sorted(Path(devices.__file__).parent.joinpath("benches").glob("*.toml"))


async def test_instruments_of_one_bench_share_its_world(tmp_path: Path) -> None:
    async with start_simulation("lamp", tmp_path) as bench:
        assert sorted(bench) == ["dmm", "psu"]
        assert len(bench) == 2
        assert bench.ports == {"psu-port": str(tmp_path / "psu"), "dmm-port": str(tmp_path / "dmm")}
        await _do(bench, "psu", "set_voltage", {"voltage": 6.0})
        await _do(bench, "psu", "set_output", {"on": True})
        assert await _do(bench, "dmm", "measure_voltage", {}) is not None
        current = await _do(bench, "dmm", "measure_current", {})
        assert isinstance(current, float)
        assert current > 0.0


async def test_a_trace_comes_over_the_line_as_numbers_with_units(tmp_path: Path) -> None:
    async with start_simulation("resonance", tmp_path) as bench:
        await _do(bench, "generator", "set_output", {"on": True})
        trace = await _do(bench, "scope", "read_trace", {"channel": "1"})
        assert isinstance(trace, dict)
        assert set(trace) == {"x0", "dx", "y", "x_unit", "y_unit"}
        assert len(trace["y"]) == 500
        assert max(trace["y"]) == pytest.approx(1.0, abs=0.02)
        assert (trace["x_unit"], trace["y_unit"]) == ("s", "V")


async def test_a_broken_preamble_of_a_trace_is_a_bad_reply() -> None:
    class Dialogue:
        async def ask(self, request: bytes, *, timeout_ms: float | None = None) -> bytes:
            return b"1,2;#11x"

        async def tell(self, request: bytes) -> None:
            raise AssertionError

        async def settle(self, settle_ms: float) -> None:
            raise AssertionError

    driver = installed_drivers().create("tongke-scope", name="scope", port="port")
    with pytest.raises(DeviceError) as caught:
        await driver.run(Dialogue(), "read_trace", {"channel": "1"})
    assert caught.value.code is Code.BAD_REPLY


async def test_a_trace_that_is_broken_off_leaves_the_scope_ready(tmp_path: Path) -> None:
    driver = installed_drivers().create("tongke-scope", name="scope", port="port", baud=2_400)
    driver.timeout_ms = PATIENT_MS
    async with start_simulation("scope", tmp_path, baud=2_400) as bench:
        transport = open_transport(PortSpec(path=bench["scope"]))
        conversation = PortConversation(transport, driver.codec)
        hear, begun = transport.received, asyncio.Event()

        def received(data: bytes) -> None:
            begun.set()
            hear(data)

        transport.received = received
        await transport.open()
        with conversation.exclusive(lambda: None, driver) as io:
            reading = asyncio.ensure_future(driver.run(io, "read_trace", {"channel": "1"}))
            await begun.wait()
            assert driver.break_off is not None
            conversation.break_off(driver.break_off)
            with pytest.raises(DeviceError) as caught:
                await reading
            assert caught.value.code is Code.STOPPED
            assert await driver.identify(io) == "TONGKE,SCOPE,SN0004,1.0"
        transport.close()


async def test_an_instrument_may_be_simulated_alone(tmp_path: Path) -> None:
    async with start_simulation("dmm", str(tmp_path)) as bench:
        assert dict(bench) == {"dmm": str(tmp_path / "dmm")}


def test_what_cannot_be_simulated_is_said_with_what_can() -> None:
    with pytest.raises(LookupError, match=r"lamp.*psu"):
        devices_of("coffee")
    assert devices_of("lamp")[1] == ("psu", "dmm")


async def test_faults_hit_one_device_or_all(tmp_path: Path) -> None:
    async with start_simulation("lamp", tmp_path) as bench:
        bench.fail_as_told("dmm:silence*1")
        await _do(bench, "psu", "set_voltage", {"voltage": 1.0})
        with pytest.raises(DeviceError):
            await _do(bench, "dmm", "measure_voltage", {}, timeout_ms=20.0)
        bench.fail(Fault.HANG_UP)
        bench.unplug("dmm")
        bench.work()
        await _do(bench, "psu", "set_voltage", {"voltage": 1.0})
        await _do(bench, "dmm", "measure_voltage", {})


@pytest.mark.parametrize("told", ["tea", "tea:silence", "psu:tea", "silence*x"])
async def test_a_fault_that_makes_no_sense_is_refused(tmp_path: Path, told: str) -> None:
    async with start_simulation("lamp", tmp_path) as bench:
        with pytest.raises(ValueError, match=r"there is no|is no number"):
            bench.fail_as_told(told)


@pytest.mark.parametrize("path", BENCH_FILES, ids=lambda path: path.stem)
def test_the_shipped_bench_files_fit_the_simulators(path: Path) -> None:
    bench = load_bench(path, installed_drivers())
    assert bench.name == path.stem
    assert {device.name: device_of(device.driver) for device in bench.description.devices} == {
        name: name for name in KINDS[bench.name]()
    }
    assert {port.name for port in bench.ports} == {f"{name}-port" for name in KINDS[bench.name]()}
    assert bench.description.interlocks
    for device in bench.description.devices:
        assert any(prop.poll_ms for prop in device.properties)


async def _do(
    bench: SimulatedBench, device: str, action: str, args: dict[str, object], timeout_ms: float = PATIENT_MS
) -> object:
    return await do_at(bench[device], f"tongke-{device}", action, args, timeout_ms)


async def do_at(path: str, driver_name: str, action: str, args: dict[str, object], timeout_ms: float) -> object:
    driver = installed_drivers().create(driver_name, name="device", port="port")
    driver.timeout_ms = timeout_ms
    transport = open_transport(PortSpec(path=path))
    conversation = PortConversation(transport, driver.codec)
    await transport.open()
    try:
        with conversation.exclusive(lambda: None, driver) as io:
            return await driver.run(io, action, args)
    finally:
        transport.close()


@pytest.fixture
async def probes(tmp_path: Path) -> AsyncIterator[SimulatorProcess]:
    async with simulator_process("probe", tmp_path, copies=2) as process:
        yield process


async def test_a_process_of_its_own_tells_its_ports_and_obeys(probes: SimulatorProcess) -> None:
    assert sorted(probes.ports) == ["1/probe", "2/probe"]
    path = probes.ports["2/probe"]
    await do_at(path, "tongke-probe", "set_value", {"value": 2.0}, PATIENT_MS)
    assert await do_at(path, "tongke-probe", "measure", {}, PATIENT_MS) == 2.0
    await probes.tell("probe:silence")
    with pytest.raises(DeviceError):
        await do_at(path, "tongke-probe", "measure", {}, 20.0)
    await probes.tell("work")
    assert await do_at(path, "tongke-probe", "measure", {}, PATIENT_MS) == 2.0
    await probes.tell("unplug probe")
    with pytest.raises(DeviceError):
        await do_at(path, "tongke-probe", "measure", {}, PATIENT_MS)
    await probes.tell("work probe")
    assert await do_at(path, "tongke-probe", "count_writes", {}, PATIENT_MS) == 1
    with pytest.raises(ValueError, match="no fault 'tea'"):
        await probes.tell("tea")
    with pytest.raises(ValueError, match="no fault ''"):
        await probes.tell("")


async def test_a_process_with_a_baud_rate_and_a_service_time_answers(tmp_path: Path) -> None:
    async with simulator_process("probe", tmp_path, baud=115_200, service_ms=0.5) as process:
        assert list(process.ports) == ["probe"]
        assert await do_at(process.ports["probe"], "tongke-probe", "measure", {}, PATIENT_MS) == 0.0
    assert process.process.returncode == 0


async def test_a_process_that_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        async with simulator_process("coffee", tmp_path):
            raise AssertionError("it cannot have started")
