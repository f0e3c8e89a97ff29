from __future__ import annotations

from collections.abc import Callable

import pytest

from devices.messages import DeviceReport
from devices.model import CommandMode, DeviceState
from remotelab.admission import check_id, checked, deadline_of, refused_parameter
from remotelab.bench import Bench
from remotelab.effects import Seat
from remotelab.messages import Command
from signaling.errors import CallerError, Code, TongkeError
from tests.remotelab.lab import LAMP, MATE, NOW, OBSERVER, STUDENT, SUPERVISOR, bench_in_use, command, report

LATE = NOW + 10.0


def refusal(bench: Bench, word: Command, who: Seat = STUDENT, now_ms: float = LATE) -> Code:
    with pytest.raises(TongkeError) as raised:
        checked(word, who, bench.standing, bench.panel, deadline_of(word, now_ms), now_ms)
    return raised.value.code


def test_a_good_command_comes_with_its_action_and_whole_arguments() -> None:
    bench = bench_in_use()
    entry, args = checked(command(args={"voltage": 3}), STUDENT, bench.standing, bench.panel, NOW + 900.0, LATE)
    assert entry.target == "psu.set_voltage"
    assert args == {"voltage": 3.0}


def test_a_clock_that_runs_ahead_gains_no_time() -> None:
    assert deadline_of(command(sent_ms=NOW + 5_000.0), NOW) == NOW + 1_000.0
    assert deadline_of(command(sent_ms=NOW - 400.0), NOW) == NOW + 600.0


@pytest.mark.parametrize("name", ["short", "x" * 65, "with space", "ünïcödé-", "", "new\nline"])
def test_an_id_is_short_and_plain(name: str) -> None:
    check_id("Aa0_-" * 8)
    with pytest.raises(CallerError):
        check_id(name)


Spoil = Callable[[Bench], None]


def stop(bench: Bench) -> None:
    bench.standing.stopped = True


def lose(bench: Bench) -> None:
    bench.agent_left(LATE)


def drop(bench: Bench) -> None:
    bench.panel.device_changed(DeviceReport("psu", DeviceState.OFFLINE, text="Unplugged."))


def lose_and_stop(bench: Bench) -> None:
    lose(bench)
    stop(bench)


def stop_and_drop(bench: Bench) -> None:
    stop(bench)
    drop(bench)


def forget(bench: Bench) -> None:
    bench.panel.reports.clear()


def trip(bench: Bench) -> None:
    bench.panel.interlock_changed("hot", True)


def nothing(bench: Bench) -> None:
    """All is well."""


ORDER: list[tuple[Code, Spoil, Command, Seat]] = [
    (Code.TIME_TO_LIVE, nothing, command(ttl_ms=0.0), OBSERVER),
    (Code.TIME_TO_LIVE, nothing, command(ttl_ms=-1.0), OBSERVER),
    (Code.TIME_TO_LIVE, nothing, command(action="pulse", ttl_ms=1_000.1), OBSERVER),
    (Code.ALREADY_LATE, nothing, command(sent_ms=NOW - 991.0), OBSERVER),
    (Code.FORBIDDEN, lose, command(), OBSERVER),
    (Code.FORBIDDEN, lose, command(action="read"), OBSERVER),
    (Code.NOT_CONTROLLER, lose, command(), MATE),
    (Code.STALE_FENCE, lose, command(fence=0), STUDENT),
    (Code.STALE_FENCE, lose, command(action="read", fence=0), STUDENT),
    (Code.BENCH_NOT_READY, lose_and_stop, command(), STUDENT),
    (Code.BENCH_NOT_READY, lose, command(action="read"), SUPERVISOR),
    (Code.BENCH_STOPPED, stop_and_drop, command(device="nothing"), STUDENT),
    (Code.UNKNOWN_DEVICE, drop, command(device="nothing"), STUDENT),
    (Code.UNKNOWN_ACTION, drop, command(action="explode"), STUDENT),
    (Code.DEVICE_OFFLINE, drop, command(args={"voltage": 99.0}), STUDENT),
    (Code.DEVICE_OFFLINE, forget, command(), STUDENT),
    (Code.MODE_NOT_ALLOWED, trip, command(action="pulse", args={"x": 1}, mode=CommandMode.LATEST), STUDENT),
    (Code.BAD_ARGUMENT, trip, command(args={"voltage": "3"}), STUDENT),
    (Code.BAD_ARGUMENT, trip, command(args={"voltage": float("nan")}), STUDENT),
    (Code.OUT_OF_LIMITS, trip, command(args={"voltage": 31.0}), STUDENT),
    (Code.INTERLOCKED, trip, command(), STUDENT),
]


@pytest.mark.parametrize(("code", "spoil", "word", "who"), ORDER)
def test_the_first_check_that_fails_names_the_refusal(code: Code, spoil: Spoil, word: Command, who: Seat) -> None:
    bench = bench_in_use(MATE, OBSERVER, SUPERVISOR)
    spoil(bench)
    assert refusal(bench, word, who) is code


def test_queries_pass_while_the_bench_is_stopped() -> None:
    bench = bench_in_use()
    stop(bench)
    checked(command(action="read"), STUDENT, bench.standing, bench.panel, NOW + 900.0, LATE)


def test_a_supervisor_may_query_without_the_control() -> None:
    bench = bench_in_use()
    checked(command(action="read", fence=0), SUPERVISOR, bench.standing, bench.panel, NOW + 900.0, LATE)
    assert refusal(bench, command(fence=0), SUPERVISOR) is Code.NOT_CONTROLLER


def test_a_bench_without_a_description_has_no_devices() -> None:
    bench = bench_in_use()
    bench.panel.publish(report(LAMP))
    bench.panel.description = None
    assert refusal(bench, command(device="nothing")) is Code.UNKNOWN_DEVICE


def test_a_refusal_names_the_argument_that_is_to_blame() -> None:
    bench = bench_in_use()
    with pytest.raises(TongkeError) as raised:
        checked(command(args={"voltage": 31.0}), STUDENT, bench.standing, bench.panel, NOW + 900.0, LATE)
    assert refused_parameter(raised.value) == "voltage"
    assert refused_parameter(CallerError(Code.FORBIDDEN, "No.")) is None
