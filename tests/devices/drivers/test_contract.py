"""Every driver that ships with Tongke keeps the same contract, each against its simulated instrument on a pty."""

from __future__ import annotations

import contextlib
import math

import pytest

from devices.driver import Driver
from devices.limits import checked_arguments
from devices.model import ActionKind, ValueType
from devices.registry import installed_drivers
from devices.sim.faults import Fault
from signaling.errors import CallerError, Code, DeviceError
from signaling.wire import Value
from tests.devices.rig import IMPATIENT_MS, PATIENT_MS, Rig, device_of, ordinary_arguments, rig_for

DRIVERS = [name for name in installed_drivers().names() if name.startswith("tongke-")]

KINDS: dict[ValueType, tuple[type, ...]] = {
    ValueType.BOOL: (bool,),
    ValueType.INT: (int,),
    ValueType.FLOAT: (float,),
    ValueType.STR: (str,),
    ValueType.TRACE: (dict,),
}


def driver_of(name: str) -> Driver:
    return installed_drivers().create(name, name="device", port="port", baud=9_600)


def check_value(value: Value, kind: ValueType, low: float | None, high: float | None) -> None:
    assert type(value) in KINDS[kind]
    if isinstance(value, float):
        assert math.isfinite(value)
        assert low is None or value >= low
        assert high is None or value <= high


def test_there_is_a_driver_for_each_simulated_instrument() -> None:
    assert {device_of(name) for name in DRIVERS} == {"dmm", "generator", "motor", "plate", "probe", "psu", "scope"}


@pytest.mark.parametrize("name", DRIVERS)
def test_everything_is_named_in_english_and_chinese(name: str) -> None:
    description = driver_of(name).description
    titles = [description.title, *(prop.title for prop in description.properties)]
    for action in description.actions:
        titles += [action.title, *(parameter.title for parameter in action.parameters)]
    for title in titles:
        assert title.en
        assert title.zh


@pytest.mark.parametrize("name", DRIVERS)
def test_every_number_has_a_unit_and_limits(name: str) -> None:
    description = driver_of(name).description
    for prop in description.properties:
        assert prop.unit or prop.type is not ValueType.FLOAT
    for action in description.actions:
        for parameter in action.parameters:
            if parameter.type in {ValueType.INT, ValueType.FLOAT}:
                assert parameter.limit.low is not None
                assert parameter.limit.high is not None
                assert parameter.limit.low < parameter.limit.high
            if parameter.type is ValueType.FLOAT:
                assert parameter.unit
                assert parameter.limit.step
            if parameter.type is ValueType.STR:
                assert parameter.choices


@pytest.mark.parametrize("name", DRIVERS)
def test_times_to_live_follow_the_rules_of_the_command_path(name: str) -> None:
    for declared_name, declared in driver_of(name).actions.items():
        action = driver_of(name).description.action(declared_name)
        assert action is not None
        assert 0 < action.time_to_live_ms <= action.most_time_to_live_ms
        assert action.expected_ms >= action.settle_ms
        assert action.expected_ms > 0
        if declared.moves:
            assert action.most_time_to_live_ms <= 1_000
        if action.kind is ActionKind.SET_POINT:
            assert action.time_to_live_ms <= 300
            assert action.reads is not None


@pytest.mark.parametrize("name", DRIVERS)
async def test_it_identifies_its_instrument(name: str) -> None:
    async with rig_for(name) as rig:
        with rig.hold() as io:
            assert "TONGKE" in await rig.driver.identify(io)


@pytest.mark.parametrize("name", DRIVERS)
async def test_every_property_reads_as_declared(name: str) -> None:
    async with rig_for(name) as rig:
        for prop in rig.driver.description.properties:
            with rig.hold() as io:
                check_value(await rig.driver.read(io, prop.name), prop.type, prop.limit.low, prop.limit.high)


@pytest.mark.parametrize("name", DRIVERS)
async def test_every_action_runs_and_sets_what_it_says(name: str) -> None:
    async with rig_for(name) as rig:
        for action in rig.driver.description.actions:
            args = checked_arguments(action, ordinary_arguments(action))
            with rig.hold() as io:
                value = await rig.driver.run(io, action.name, args)
                if action.result is None:
                    assert value is None
                else:
                    check_value(value, action.result, None, None)
                assert rig.conversation.exchanges > 0
                if action.kind is ActionKind.SET_POINT and not rig.driver.actions[action.name].moves:
                    assert action.reads is not None
                    assert [await rig.driver.read(io, action.reads)] == pytest.approx(list(args.values()))


@pytest.mark.parametrize("name", DRIVERS)
async def test_it_reaches_its_safe_state_from_anywhere(name: str) -> None:
    async with rig_for(name) as rig:
        with rig.hold() as io:
            for action in rig.driver.description.actions:
                await rig.driver.run(io, action.name, ordinary_arguments(action))
            await rig.driver.make_safe(io)
            assert await rig.driver.verify_safe(io) is None


@pytest.mark.parametrize("name", [name for name in DRIVERS if driver_of(name).safe_state.expectations])
async def test_an_instrument_that_is_not_in_its_safe_state_is_found_out(name: str) -> None:
    async with rig_for(name) as rig:
        with rig.hold() as io:
            for action in rig.driver.description.actions:
                await rig.driver.run(io, action.name, _upper_arguments(rig, action.name))
            rig.driver.safe_state = type(rig.driver.safe_state)(  # type: ignore[misc]  # only for this instance
                expectations=rig.driver.safe_state.expectations, within_ms=0.0
            )
            assert await rig.driver.verify_safe(io)


def _upper_arguments(rig: Rig, name: str) -> dict[str, Value]:
    action = rig.driver.description.action(name)
    assert action is not None
    args: dict[str, Value] = {}
    for parameter in action.parameters:
        match parameter.type:
            case ValueType.STR:
                args[parameter.name] = parameter.choices[-1]
            case ValueType.BOOL:
                args[parameter.name] = True
            case _:
                args[parameter.name] = (parameter.limit.high or 0.0) / 4.0
    return args


@pytest.mark.parametrize("name", DRIVERS)
async def test_silence_is_no_reply_and_the_next_command_works(name: str) -> None:
    async with rig_for(name) as rig:
        rig.bench.fail(Fault.SILENCE)
        rig.driver.timeout_ms = IMPATIENT_MS
        with rig.hold() as io, pytest.raises(DeviceError) as caught:
            await rig.driver.identify(io)
        assert caught.value.code is Code.NO_REPLY
        await _recovers(rig)


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.HALF_REPLY, Fault.RESET])
async def test_a_spoilt_reply_is_one_clear_error_and_the_next_command_works(name: str, fault: Fault) -> None:
    async with rig_for(name) as rig:
        prop = rig.driver.description.properties[0]
        rig.bench.fail(fault)
        rig.driver.timeout_ms = IMPATIENT_MS
        with rig.hold() as io, pytest.raises(DeviceError) as caught:
            await rig.driver.read(io, prop.name)
        assert caught.value.code in {Code.NO_REPLY, Code.BAD_REPLY}
        await _recovers(rig)


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_babbling_instrument_never_leaves_a_wrong_value_behind(name: str) -> None:
    async with rig_for(name) as rig:
        prop = rig.driver.description.properties[0]
        rig.bench.fail(Fault.BABBLE)
        for _ in range(3):
            with rig.hold() as io, contextlib.suppress(DeviceError):
                value = await rig.driver.read(io, prop.name)
                check_value(value, prop.type, prop.limit.low, prop.limit.high)
        await _recovers(rig)


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_pulled_cable_is_device_lost_and_the_port_comes_back(name: str) -> None:
    async with rig_for(name) as rig:
        rig.bench.fail(Fault.HANG_UP, times=1)
        with rig.hold() as io, pytest.raises(DeviceError) as caught:
            await rig.driver.identify(io)
        assert caught.value.code is Code.DEVICE_LOST
        assert not rig.transport.is_open
        with pytest.raises(DeviceError) as caught:
            await rig.transport.open()
        assert caught.value.code is Code.DEVICE_OFFLINE
        rig.bench.work()
        await rig.transport.open()
        await _recovers(rig)


async def _recovers(rig: Rig) -> None:
    rig.bench.work()
    rig.driver.timeout_ms = PATIENT_MS
    with rig.hold() as io:
        await rig.driver.identify(io)
        for action in rig.driver.description.actions:
            await rig.driver.run(io, action.name, ordinary_arguments(action))
        await rig.driver.make_safe(io)
        assert await rig.driver.verify_safe(io) is None


@pytest.mark.parametrize("name", DRIVERS)
async def test_another_instrument_is_refused(name: str) -> None:
    async with rig_for(name) as rig:
        rig.driver.settings = type(rig.driver.settings)(serial="SN9999")
        with rig.hold() as io, pytest.raises(DeviceError) as caught:
            await rig.driver.identify(io)
        assert caught.value.code is Code.WRONG_IDENTITY
        rig.driver.identity = "^SOMETHING ELSE"  # type: ignore[misc]  # only for this instance
        with rig.hold() as io, pytest.raises(DeviceError) as caught:
            await rig.driver.identify(io)
        assert caught.value.code is Code.WRONG_IDENTITY


@pytest.mark.parametrize("name", DRIVERS)
async def test_unknown_names_are_the_callers_mistake(name: str) -> None:
    async with rig_for(name) as rig:
        with rig.hold() as io:
            with pytest.raises(CallerError) as caught:
                await rig.driver.run(io, "explode", {})
            assert caught.value.code is Code.UNKNOWN_ACTION
            with pytest.raises(CallerError) as caught:
                await rig.driver.read(io, "nothing")
            assert caught.value.code is Code.NOT_FOUND
