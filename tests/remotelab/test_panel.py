from __future__ import annotations

import dataclasses

from devices.messages import DeviceReport
from devices.model import CommandMode, DeviceState, Lane
from remotelab.messages import SetPoint
from remotelab.mirror import Newcomer
from remotelab.panel import Panel
from tests.remotelab.lab import HOT, LAMP, NOW, PSU, SET_VOLTAGE, report


def panel() -> Panel:
    made = Panel()
    assert made.publish(report())
    return made


def test_an_action_is_found_with_all_that_it_is_checked_against() -> None:
    made = panel()
    entry = made.entry("psu", "set_voltage")
    assert entry is not None
    assert (entry.action, entry.target, entry.lane) == (SET_VOLTAGE, "psu.set_voltage", Lane.CONTROL)
    assert entry.interlocks == (HOT,)
    assert entry.service.predicted_ms == 50.0
    query = made.entry("dmm", "read")
    assert query is not None
    assert query.lane is Lane.QUERY
    assert query.mirror is not entry.mirror
    assert made.entry("psu", "explode") is None


def test_the_same_inventory_again_changes_nothing() -> None:
    made = panel()
    mirror = made.mirrors["psu-port"]
    mirror.admit(Newcomer("a", Lane.CONTROL, NOW, "", CommandMode.ORDERED, "", 1.0), 0.0)
    assert not made.publish(report(tripped=("hot",)))
    assert made.mirrors["psu-port"] is mirror
    assert len(mirror) == 1
    assert made.blocking == {"hot"}


def test_what_was_learned_and_read_survives_a_changed_inventory() -> None:
    made = panel()
    entry = made.entry("psu", "set_voltage")
    assert entry is not None
    entry.service.observe(450.0)
    made.sampled("psu", NOW, {"voltage": 1.0})
    assert made.publish(report(dataclasses.replace(LAMP, devices=(PSU,))))
    again = made.entry("psu", "set_voltage")
    assert again is not None
    assert again.service is entry.service
    assert len(made.history()) == 1
    assert made.entry("dmm", "read") is None


def test_a_device_is_online_when_its_agent_says_so() -> None:
    made = panel()
    assert made.is_online("psu")
    assert not made.is_online("nothing")
    assert made.device_changed(DeviceReport("psu", DeviceState.OFFLINE))
    assert not made.is_online("psu")
    assert not made.device_changed(DeviceReport("nothing", DeviceState.ONLINE))
    assert not Panel().device_changed(DeviceReport("psu", DeviceState.ONLINE))


def test_an_interlock_blocks_the_actions_that_it_names_while_it_holds() -> None:
    made = panel()
    entry, query = made.entry("psu", "set_voltage"), made.entry("psu", "read")
    assert entry is not None
    assert query is not None
    assert made.why_blocked(entry) is None
    assert made.interlock_changed("hot", True)
    assert made.why_blocked(entry) is HOT
    assert made.why_blocked(query) is None
    assert made.interlock_changed("hot", False)
    assert made.why_blocked(entry) is None
    assert not made.interlock_changed("cold", True)
    assert not Panel().interlock_changed("hot", True)


def test_readings_are_kept_for_devices_of_the_bench_only() -> None:
    made = panel()
    assert made.sampled("psu", NOW, {"voltage": 3.3})
    assert not made.sampled("nothing", NOW, {"voltage": 3.3})
    assert [history.device for history in made.history()] == ["psu"]


def test_a_knob_stands_where_the_last_set_point_that_was_done_put_it() -> None:
    made = panel()
    made.carried_out("psu", "set_voltage", {"voltage": 1.0})
    made.carried_out("psu", "set_voltage", {"voltage": 2.0})
    made.carried_out("psu", "read", {})
    made.carried_out("nothing", "set_voltage", {"voltage": 9.0})
    assert made.set_points == (SetPoint("psu", "set_voltage", {"voltage": 2.0}),)
    made.made_safe()
    assert not made.set_points
