"""Bench files: what they mean, and that every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.agent.bench_file import BenchFileError, load_bench
from devices.model import Limit, Text
from devices.registry import installed_drivers
from devices.transports import PortSpec
from tests.devices.agent.desk import PROBE

BENCHES = Path(__file__).parents[3] / "devices" / "benches"

WHOLE = """
[bench]
name = "heat"
title = { en = "Heat", zh = "热" }
link_loss_s = 3
queue_depth = 8

[[port]]
name = "a"
path = "/dev/ttyUSB0"
baud = 19200
framing = "7E1"

[[port]]
name = "b"
usb = "0403:6001:A10K"

[[port]]
name = "c"
url = "rfc2217://lab:4000"

[[device]]
name = "plate"
driver = "tongke-plate"
port = "a"
title = { en = "Plate", zh = "板" }
limits = { "set_power.power" = { high = 50 } }

[[device]]
name = "psu"
driver = "tongke-psu"
port = "b"
serial = "SN1"

[[device]]
name = "motor"
driver = "tongke-motor"
port = "c"
address = 3

[[interlock]]
name = "hot"
text = { en = "Hot.", zh = "热。" }
when = "plate.temperature > 150 and psu.output"
blocks = ["plate.set_power", "psu.*"]
makes_safe = true
"""


def load(tmp_path: Path, text: str, ports: dict[str, str] | None = None) -> object:
    path = tmp_path / "bench.toml"
    path.write_text(text, "utf-8")
    return load_bench(path, installed_drivers(), ports)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(BenchFileError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path))
    return caught.value.mistakes


def test_a_whole_file_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(WHOLE, "utf-8")
    config = load_bench(path, installed_drivers(), {"b": "/dev/pts/9", "c": "socket://here:1"})
    bench = config.description
    assert (bench.name, bench.title, bench.link_loss_ms, bench.queue_depth) == ("heat", Text("Heat", "热"), 3_000.0, 8)
    assert [port.spec for port in config.ports] == [
        PortSpec(path="/dev/ttyUSB0", baud=19_200, framing="7E1"),
        PortSpec(path="/dev/pts/9"),
        PortSpec(url="socket://here:1"),
    ]
    plate, psu, motor = bench.devices
    assert (plate.title, plate.port) == (Text("Plate", "板"), "a")
    power = plate.action("set_power")
    assert power is not None
    assert power.parameters[0].limit == Limit(0.0, 50.0, 1.0)
    assert (psu.name, motor.driver) == ("psu", "tongke-motor")
    assert config.ports[1].devices[0].settings.serial == "SN1"
    assert config.ports[2].devices[0].settings.address == 3
    (hot,) = bench.interlocks
    assert (hot.blocks, hot.makes_safe) == (("plate.set_power", "psu.*"), True)


@pytest.mark.parametrize("path", sorted(BENCHES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_benches_that_come_along_are_without_mistakes(path: Path) -> None:
    assert load_bench(path, installed_drivers()).name == path.stem


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (('name = "bench"', 'name = "Bench 1"'), "bench: name must be lower-case"),
        (('name = "bench"', "name = 3"), "bench: name must be a text"),
        (('name = "bench"', ""), "bench: name is missing"),
        (("[bench]", "[bench]\nlink_loss_s = nan"), "bench: link_loss_s must be finite"),
        (("[bench]", "[bench]\nlink_loss_s = 0"), "bench: link_loss_s must be from 0.5"),
        (("[bench]", "[bench]\nlink_loss_s = true"), "bench: link_loss_s must be a number"),
        (("[bench]", "[bench]\nqueue_depth = 0"), "bench: queue_depth must be from 1"),
        (("[bench]", "[bench]\nqueue_depth = 1.5"), "bench: queue_depth must be a whole number"),
        (("[bench]", "[bench]\ncolour = 1"), "bench: colour is not known here"),
        ((', zh = "实验台"', ""), "bench.title: zh is missing"),
        (('title = { en = "Bench", zh = "实验台" }', 'title = "Bench"'), "bench.title: must be a table"),
        (("[bench]", "[elsewhere]\n[bench]"), "file: elsewhere is not known here"),
        (("[[port]]", "[[port]]\ncolour = 1"), "port probe-port: colour is not known here"),
        (("[[port]]", '[[port]]\nusb = "1:2"'), "port probe-port: a port has exactly one of"),
        (('path = "PATH"', ""), "port probe-port: a port has exactly one of"),
        (("[[port]]", "[[port]]\nbaud = -1"), "port probe-port: -1 is no baud rate"),
        (("[[port]]", '[[port]]\nframing = "9X9"'), "port probe-port: framing '9X9'"),
        (('name = "probe-port"', ""), "port number 1: name is missing"),
        (("[[device]]", '[[port]]\nname = "spare"\npath = "x"\n[[device]]'), "port spare: no device is behind it"),
        (
            ("[[device]]", '[[port]]\nname = "twin"\npath = "PATH"\n[[device]]'),
            "ports probe-port, twin: are the same port",
        ),
        (
            ("[[device]]", '[[port]]\nname = "probe-port"\npath = "x"\n[[device]]'),
            "port probe-port: name must be given and not be used twice",
        ),
        (('driver = "tongke-probe"', 'driver = "nobodys"'), "device probe: there is no driver 'nobodys'"),
        (('port = "probe-port"', 'port = "nowhere"'), "device probe: there is no port 'nowhere'"),
        (('name = "probe"', 'name = "Probe-1"'), "device Probe-1: name must be lower-case"),
        (('name = "probe"', 'name = "probe"\naddress = "x"'), "device probe: address must be a whole number"),
        (
            ('name = "probe"', 'name = "probe"\nlimits = { "set_value.value" = { high = 2000 } }'),
            "device probe: limits: set_value.value: high 2000 is above",
        ),
        (
            ('name = "probe"', 'name = "probe"\nlimits = { "set_value.value" = { most = 2 } }'),
            "device probe.limits set_value.value: most is not known here",
        ),
        (
            ('name = "probe"', 'name = "probe"\nlimits = { "set_value.value" = 2 }'),
            "device probe.limits set_value.value: must be a table",
        ),
        (
            ("[[device]]", '[[device]]\nname = "probe"\ndriver = "tongke-probe"\nport = "probe-port"\n[[device]]'),
            "device probe: there are two of that name",
        ),
        (("[[device]]", "[[interlock]]\n[[device]]"), "interlock number 1: name is missing"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], mistake: str) -> None:
    found = mistakes(tmp_path, PROBE.replace(*change, 1))
    assert any(words.startswith(mistake) for words in found), found


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('when = "probe.value > "', "interlock x: when: 'probe.value > '"),
        ('when = "probe.nothing > 1"', "interlock x: when: there is no reading probe.nothing"),
        ('when = "nobody.value > 1"', "interlock x: when: there is no reading nobody.value"),
        ('when = "probe.value > 1"', "interlock x: when: probe.value is never polled"),
        ('blocks = ["probe.fly"]', "interlock x: blocks: there is no action 'probe.fly'"),
        ("blocks = [3]", "interlock x: blocks: there is no action 3"),
        ('blocks = "probe.*"', "interlock x: blocks must be a list"),
        ('makes_safe = "yes"', "interlock x: makes_safe must be true or false"),
    ],
)
def test_interlocks_are_checked_against_the_bench(tmp_path: Path, line: str, mistake: str) -> None:
    text = PROBE + '[[interlock]]\nname = "x"\ntext = { en = "a", zh = "b" }\n' + line
    if not line.startswith("when"):
        text += '\nwhen = "probe.value > 1"'
    found = mistakes(tmp_path, text)
    assert any(words.startswith(mistake) for words in found), found


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, PROBE.replace("tongke-probe", "x").replace("[bench]", "[bench]\nqueue_depth = 0"))
    assert len(found) >= 2


@pytest.mark.parametrize("text", ["", "nonsense", "bench = 3", "port = 3\n[bench]\n", "port = [3]\n[bench]\n"])
def test_any_text_is_a_bench_or_a_list_of_mistakes(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text)


def test_files_that_cannot_be_read_are_mistakes(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="cannot be read"):
        load_bench(tmp_path / "nothing.toml", installed_drivers())
    path = tmp_path / "bench.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BenchFileError, match="not valid TOML"):
        load_bench(path, installed_drivers())
    path.write_bytes(b"#" * 1_048_577)
    with pytest.raises(BenchFileError, match="larger than"):
        load_bench(path, installed_drivers())
