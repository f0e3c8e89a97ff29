"""What a driver may declare, and what the base makes of it."""

from __future__ import annotations

import pytest

from devices.driver import (
    Conversation,
    DeviceSettings,
    Driver,
    SafeState,
    Text,
    Value,
    ValueType,
    choice,
    expect,
    number,
    operation,
    parse_value,
    query,
    reading,
    set_point,
    step,
)
from devices.drivers.scpi import ScpiDriver
from signaling.errors import CallerError, Code, DeviceError

NAME = Text("Something", "某物")


class Toy(ScpiDriver):
    """A driver without an instrument."""

    driver_name = "toy"
    title = NAME
    safe_state = SafeState(
        (step("set_level", level=0.0), step("park")), (expect("level", within=0.1),), within_ms=100.0
    )

    level = reading(NAME, "V", read="LEV?")
    set_level = set_point(
        NAME, number("level", NAME, "V", low=0.0, high=5.0), write="LEV {level:.2f}", reads="level", settle_ms=7.0
    )
    measure = query(NAME, reads="level")

    @operation(NAME, moves=True, busy_ms=100.0, exchange_bytes=10)
    async def park(self, io: Conversation) -> None:
        await self.command(io, "PARK")

    @reading(NAME, "V")
    async def twice(self, io: Conversation) -> Value:
        return 2.0


class Dialogue:
    """A conversation by heart; what is not in it stays unanswered."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self.lines = list(lines)
        self.said: list[str] = []
        self.settled_ms: list[float] = []

    async def ask(self, request: bytes, *, timeout_ms: float | None = None) -> bytes:
        self.said.append(request.decode())
        for line in self.lines:
            if line[0] == request.decode():
                self.lines.remove(line)
                return line[1].encode()
        raise DeviceError(Code.NO_REPLY, f"nothing to {request.decode()}")

    async def tell(self, request: bytes) -> None:
        self.said.append(request.decode())

    async def settle(self, settle_ms: float) -> None:
        self.settled_ms.append(settle_ms)


def toy(baud: int | None = None) -> Toy:
    return Toy("toy", "port", DeviceSettings(), baud)


OK = ";*OPC?;:SYST:ERR?", '1;0,"No error"'


async def test_a_write_is_confirmed_in_the_same_exchange_and_settles() -> None:
    io = Dialogue(("*CLS;LEV 2.50" + OK[0], OK[1]), ("LEV 3.00" + OK[0], "+1; +0"))
    driver = toy()
    await driver.run(io, "set_level", {"level": 2.5})
    await driver.run(io, "set_level", {"level": 3})
    assert io.settled_ms == [7.0, 7.0]
    assert io.lines == []


async def test_an_error_of_the_instrument_is_told_in_its_words_and_not_blamed_on_the_next_write() -> None:
    io = Dialogue(("*CLS;LEV 2.50" + OK[0], '1;-221,"Settings conflict"'), ("*CLS;LEV 1.00" + OK[0], OK[1]))
    driver = toy()
    with pytest.raises(DeviceError, match="Settings conflict") as caught:
        await driver.run(io, "set_level", {"level": 2.5})
    assert caught.value.code is Code.DEVICE_REFUSED
    await driver.run(io, "set_level", {"level": 1.0})


async def test_after_a_lost_reply_the_error_queue_is_emptied_first() -> None:
    driver = toy()
    io = Dialogue(("*CLS;LEV 1.00" + OK[0], OK[1]))
    await driver.run(io, "set_level", {"level": 1.0})
    with pytest.raises(DeviceError, match="nothing to LEV"):
        await driver.read(io, "level")
    with pytest.raises(DeviceError, match=r"\*CLS;LEV 2"):
        await driver.run(io, "set_level", {"level": 2.0})


@pytest.mark.parametrize("reply", ["", "0;0", "1", '1;x,"y"', '2;0,"No error"'])
async def test_a_confirmation_that_is_none_is_a_bad_reply(reply: str) -> None:
    with pytest.raises(DeviceError) as caught:
        await toy().run(Dialogue(("*CLS;LEV 1.00" + OK[0], reply)), "set_level", {"level": 1.0})
    assert caught.value.code is Code.BAD_REPLY


async def test_an_overload_is_no_value() -> None:
    with pytest.raises(DeviceError, match="overload") as caught:
        await toy().read(Dialogue(("LEV?", "9.9E37")), "level")
    assert caught.value.code is Code.DEVICE_REFUSED


async def test_an_instrument_without_confirmation_is_only_told() -> None:
    class Simple(Toy):
        driver_name = "simple"
        confirm = ""

    io = Dialogue()
    await Simple("toy", "port", DeviceSettings()).run(io, "set_level", {"level": 1.0})
    assert io.said == ["LEV 1.00"]


async def test_methods_read_and_do() -> None:
    io = Dialogue(("*CLS;PARK" + OK[0], OK[1]), ("LEV?", "1.5"))
    driver = toy()
    assert await driver.read(io, "twice") == 2.0
    await driver.run(io, "park", {})
    assert await driver.run(io, "measure", {}) == 1.5
    with pytest.raises(CallerError):
        await driver.read(io, "park")
    with pytest.raises(CallerError):
        await driver.run(io, "level", {})


async def test_every_step_to_safety_is_taken_although_the_first_fails() -> None:
    io = Dialogue(("*CLS;PARK" + OK[0], OK[1]))
    with pytest.raises(DeviceError, match="LEV"):
        await toy().make_safe(io)
    assert io.said == ["*CLS;LEV 0.00" + OK[0], "*CLS;PARK" + OK[0]]


async def test_the_safe_state_may_take_its_time_but_not_for_ever() -> None:
    io = Dialogue(("LEV?", "3"), ("LEV?", "0.05"))
    assert await toy().verify_safe(io) is None
    assert io.settled_ms == [50.0]
    io = Dialogue(*[("LEV?", "3")] * 4)
    assert await toy().verify_safe(io) == "level is 3.0, more than 0.1 from zero"
    assert io.settled_ms == [50.0, 50.0]


def test_expected_times_follow_the_baud_rate() -> None:
    slow, fast = toy(9_600).description, toy().description
    byte_ms = 10_000.0 / 9_600.0
    for name, sent_and_answered in (("set_level", len("LEV 5.00") + 17 + 20), ("measure", len("LEV?") + 16)):
        at_9600, at_once = slow.action(name), fast.action(name)
        assert at_9600 is not None
        assert at_once is not None
        assert at_9600.expected_ms - at_once.expected_ms == pytest.approx(sent_and_answered * byte_ms)
    park = slow.action("park")
    assert park is not None
    assert park.expected_ms == pytest.approx(100.0 + 10 * byte_ms)
    assert toy(9_600).timeout_ms == pytest.approx(1_000.0 + 128 * byte_ms)


def test_a_query_of_a_property_has_its_type_and_unit() -> None:
    action = toy().description.action("measure")
    assert action is not None
    assert (action.result, action.unit) == (ValueType.FLOAT, "V")


def test_the_bench_file_may_give_it_another_title() -> None:
    title = Text("Left supply", "左电源")
    assert Toy("toy", "port", DeviceSettings(title=title)).description.title == title


def declare(**attributes: object) -> None:
    base = {"driver_name": "odd", "title": NAME, "safe_state": SafeState()}
    type("Odd", (ScpiDriver,), {**base, **attributes})


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"level": reading(NAME)}, "level: say how to read it"),
        ({"go": operation(NAME)}, "go: say how to do it"),
        ({"get": query(NAME)}, "get: say how to do it"),
        ({"get": query(NAME, reads="level")}, "get: there is no property level"),
        ({"go": operation(NAME, choice("way", NAME), write="GO {way}")}, r"go\.way: a text needs its choices"),
        ({"read": reading(NAME, read="X?")}, "read: that word is taken"),
        ({"ask": query(NAME)}, "ask: that word is taken"),
        ({"codec": reading(NAME, read="X?")}, "codec: that word is taken"),
        ({"safe_state": SafeState((step("off"),))}, "there is no action off"),
        ({"safe_state": SafeState((), (expect("off"),))}, "there is no property off"),
    ],
)
def test_a_contradiction_is_found_when_the_driver_is_loaded(attributes: dict[str, object], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        declare(**attributes)


def test_a_driver_must_say_its_title_and_its_safe_state() -> None:
    with pytest.raises(TypeError, match="title is missing; safe_state is missing"):
        type("Odd", (ScpiDriver,), {"driver_name": "odd"})


def test_a_driver_may_refine_another_one() -> None:
    class Refined(Toy):
        driver_name = "refined"
        level = reading(NAME, "mV", read="LEV:MILLI?")

    prop = Refined("toy", "port", DeviceSettings()).description.property("level")
    assert prop is not None
    assert prop.unit == "mV"
    assert "set_level" in Refined.actions


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" +1.5E+00", ValueType.FLOAT, 1.5),
        ("3.0", ValueType.INT, 3),
        ("ON", ValueType.BOOL, True),
        ("off", ValueType.BOOL, False),
        ('"SIN"', ValueType.STR, "SIN"),
    ],
)
def test_replies_become_values(text: str, kind: ValueType, value: Value) -> None:
    parsed = parse_value(text, kind)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", ValueType.FLOAT),
        ("nan", ValueType.FLOAT),
        ("1e999", ValueType.INT),
        ("1.5", ValueType.INT),
        ("2", ValueType.BOOL),
    ],
)
def test_what_is_no_such_value_is_a_bad_reply(text: str, kind: ValueType) -> None:
    with pytest.raises(DeviceError) as caught:
        parse_value(text, kind)
    assert caught.value.code is Code.BAD_REPLY


async def test_the_base_leaves_speaking_to_the_families() -> None:
    class Mute(Driver):
        driver_name = "mute"
        title = NAME
        safe_state = SafeState()
        level = reading(NAME, "V", read="?")
        go = operation(NAME, write="!")

    mute, io = Mute("mute", "port", DeviceSettings(), 9_600), Dialogue()
    for trial in (mute.identify(io), mute.read(io, "level"), mute.run(io, "go", {})):
        with pytest.raises(NotImplementedError):
            await trial
