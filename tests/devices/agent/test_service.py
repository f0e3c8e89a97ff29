"""The whole agent in a process: bench files that change while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.agent import service
from devices.agent.bench_files import BenchFiles
from devices.agent.link import LinkSettings
from devices.agent.service import AgentService
from devices.messages import DeviceChanged, InventoryPublished
from devices.model import CommandStatus, DeviceState
from devices.sim.bench import start_simulation
from signaling.errors import Code
from tests.devices.agent.desk import ODD, PROBE, Desk, MemoryDesk, agent_settings, socket_desk
from tests.devices.agent.odd import Odd, odd_drivers


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WATCH_EVERY_S", 0.02)


def bench_text(path: str, name: str = "bench", text: str = ODD) -> str:
    return text.replace('name = "bench"', f'name = "{name}"').replace("PATH", path)


def write(path: Path, text: str) -> None:
    """Replace a file as editors do: another file takes its name."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def loaded(*sources: Path) -> BenchFiles:
    files = BenchFiles(sources, odd_drivers())
    assert files.load() == []
    return files


def published(desk: Desk) -> list[str]:
    """The benches of the newest inventory."""
    inventories = [word for word in desk.heard if isinstance(word, InventoryPublished)]
    return [report.description.name for report in inventories[-1].benches]


async def test_a_changed_limit_is_in_force_without_reopening_the_port(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    async with start_simulation("probe", tmp_path / "sim") as simulation:
        text = bench_text(simulation["probe"])
        write(file, text)
        async with AgentService(agent_settings(tmp_path), loaded(file)) as agent:
            desk = MemoryDesk(agent)
            desk.link()
            await desk.device(DeviceState.ONLINE)
            held = desk.execute("hold")
            await desk.odd.entered.wait()
            desk.heard.clear()
            write(file, text + '\n[device.limits]\n"set_value.value" = { high = 5.0 }\n')
            await desk.hear(InventoryPublished)
            assert (await desk.result("set_value", args={"value": 6.0})).code is Code.OUT_OF_LIMITS
            desk.odd.release.set()
            assert (await desk.outcome(held)).status is CommandStatus.DONE
            assert not [word for word in desk.heard if isinstance(word, DeviceChanged)]


async def test_a_broken_file_leaves_everything_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "bench.toml"
    async with start_simulation("probe", tmp_path / "sim") as simulation:
        text = bench_text(simulation["probe"])
        write(file, text)
        async with AgentService(agent_settings(tmp_path), loaded(file)) as agent:
            desk = MemoryDesk(agent)
            desk.link()
            await desk.device(DeviceState.ONLINE)
            write(
                file, text.replace('driver = "odd"', 'driver = "none"').replace("[bench]", "[bench]\nqueue_depth = 0")
            )
            await desk.until(lambda: "queue_depth" in caplog.text and "'none'" in caplog.text)
            assert (await desk.result("measure")).status is CommandStatus.DONE
            file.unlink()
            desk.heard.clear()
            write(file, text.replace("[bench]", "[bench]\nqueue_depth = 5"))
            inventory = await desk.hear(InventoryPublished)
            assert inventory.benches[0].description.queue_depth == 5
            assert agent.benches["bench"].workers["probe-port"].agenda.queue.depth == 5


async def test_a_moved_port_is_reopened_and_what_waited_is_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    async with start_simulation("probe", tmp_path / "1") as one, start_simulation("probe", tmp_path / "2") as two:
        write(file, bench_text(one["probe"]))
        async with AgentService(agent_settings(tmp_path), loaded(file)) as agent:
            desk = MemoryDesk(agent)
            desk.link()
            await desk.device(DeviceState.ONLINE)
            driver = desk.odd
            held = desk.execute("hold")
            await driver.entered.wait()
            waiting = desk.execute("set_value", args={"value": 1.0})
            write(file, bench_text(two["probe"]))
            assert (await desk.outcome(waiting)).code is Code.GOING_AWAY
            assert (await desk.result("measure")).code is Code.GOING_AWAY
            desk.heard.clear()
            driver.release.set()
            assert (await desk.outcome(held)).status is CommandStatus.DONE
            await desk.device(DeviceState.ONLINE)
            assert (await desk.result("set_value", args={"value": 2.0})).status is CommandStatus.DONE
            assert two.instruments["probe"].requests >= 2
            # The port that was given up was left in its safe state.
            assert float(one.instruments["probe"].firmware.receive(b"MEAS:VOLT?\n", 0.0)) == 0.0


async def test_benches_come_and_go_with_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "benches"
    folder.mkdir()
    async with start_simulation("probe", tmp_path / "1") as one, start_simulation("probe", tmp_path / "2") as two:
        write(folder / "a.toml", bench_text(one["probe"], "a"))
        async with AgentService(agent_settings(tmp_path), loaded(folder)) as agent:
            desk = MemoryDesk(agent)
            desk.link()
            await desk.device(DeviceState.ONLINE)
            write(folder / "b.toml", bench_text(two["probe"], "b", PROBE))
            await desk.until(lambda: published(desk) == ["a", "b"])
            desk.heard.clear()
            await desk.device(DeviceState.ONLINE)
            assert (await desk.result("measure", bench="b")).status is CommandStatus.DONE
            (folder / "a.toml").unlink()
            await desk.until(lambda: [word for word in desk.heard if isinstance(word, InventoryPublished)] != [])
            assert published(desk) == ["b"]
            assert (await desk.result("measure", bench="a")).code is Code.NOT_FOUND
            assert (await desk.result("measure", bench="b")).status is CommandStatus.DONE


def test_two_files_cannot_claim_the_same_bench_or_port(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", bench_text("/dev/one", "a"))
    write(tmp_path / "b.toml", bench_text("/dev/two", "a"))
    write(tmp_path / "c.toml", bench_text("/dev/one", "c"))
    files = BenchFiles([tmp_path], odd_drivers())
    assert [mistake.rpartition("toml: ")[2] for mistake in files.load()] == [
        "another file has a bench a already",
        "port probe-port belongs to the bench a already",
    ]
    assert [config.name for config in files.configs] == ["a"]


def test_ports_that_no_bench_has_are_a_mistake(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", bench_text("/dev/one"))
    assert BenchFiles([tmp_path], odd_drivers(), {"nowhere": "x"}).load() == [
        "there is no port nowhere in any bench file"
    ]
    assert BenchFiles([tmp_path / "empty"], odd_drivers()).load() != []
    (tmp_path / "folder").mkdir()
    assert "there is no bench file" in BenchFiles([tmp_path / "folder"], odd_drivers()).load()[0]


async def test_a_fault_while_changing_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "bench.toml"
    write(file, bench_text(str(tmp_path / "nothing")))
    files = loaded(file)
    async with AgentService(agent_settings(tmp_path), files) as agent:
        desk = MemoryDesk(agent)
        desk.link()
        monkeypatch.setattr(files, "refresh", lambda: 1 / 0)
        await desk.until(lambda: "could not be put into force" in caplog.text)
        monkeypatch.undo()
        monkeypatch.setattr(service, "WATCH_EVERY_S", 0.02)
        write(file, bench_text(str(tmp_path / "nothing"), "other"))
        await desk.until(lambda: published(desk) == ["other"])


async def test_an_agent_that_ends_tells_the_gateway_what_it_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    async with socket_desk() as desk, start_simulation("probe", tmp_path / "sim") as simulation:
        write(file, bench_text(simulation["probe"]))
        async with AgentService(agent_settings(tmp_path), loaded(file), LinkSettings(desk.url, "t")) as agent:
            await desk.linked()
            await desk.device(DeviceState.ONLINE)
            worker = agent.benches["bench"].workers["probe-port"]
            driver = worker.devices["probe"].driver
            assert isinstance(driver, Odd)
            held = desk.execute("hold")
            await driver.entered.wait()
            waiting = desk.execute("set_value", args={"value": 1.0})
            await desk.until(lambda: waiting in worker.agenda.queue)
            driver.release.set()
        assert (await desk.outcome(waiting)).code is Code.GOING_AWAY
        assert (await desk.outcome(held)).status is CommandStatus.DONE
