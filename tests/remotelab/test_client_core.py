from __future__ import annotations

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest

from devices.messages import DeviceReport
from devices.model import CommandMode, CommandStatus, DeviceState
from remotelab.client_core import Answered, ClientCore, bound_arguments
from remotelab.client_errors import CommandFailedError, CommandRefusedError, RequestRefusedError
from remotelab.messages import (
    FROM_CLIENT,
    TO_CLIENT,
    AcquireLease,
    BenchChanged,
    BenchSnapshot,
    BenchState,
    Command,
    CommandFinished,
    CommandRefused,
    DeviceChanged,
    InventoryChanged,
    Lease,
    LeaseChanged,
    Ledger,
    PresenceChanged,
    Stop,
    StopCleared,
    StopFinished,
    TelemetrySampled,
)
from signaling.errors import Code, PeerError
from signaling.messages import (
    Ack,
    ConnectionClosing,
    Hello,
    Ping,
    Pong,
    RequestDone,
    RequestRefused,
    ValueChunk,
    Welcome,
)
from tests.remotelab.lab import BENCH, LAMP, NOW, SET_VOLTAGE

MINE = Lease("student", "Student", 4, NOW + 600_000.0)
LEDGER = Ledger(NOW, NOW + 1.0, gateway_replied_ms=NOW + 5.0)


class Far:
    """The server's end of a client core."""

    def __init__(self, core: ClientCore) -> None:
        self.core = core
        self.seq = 0

    def say(self, message: object, *, at_ms: float = 10.0) -> list[Answered]:
        """A word of the moment."""
        return self.core.received(TO_CLIENT.encode(message), at_ms)

    def tell(self, message: object, *, at_ms: float = 10.0) -> list[Answered]:
        """A numbered event."""
        self.seq += 1
        return self.core.received(TO_CLIENT.encode(message, self.seq), at_ms)

    def welcome(self, *, resumed: bool = False, key: str = "key-1") -> None:
        self.core.hello()
        self.say(Welcome(1, (), "session-1", key, resumed, "student", NOW, 15_000.0, 65_536))


# A type checker must not remember these from one line to the next.


def is_ready(far: Far) -> bool:
    return far.core.is_ready


def holds_lease(core: ClientCore) -> bool:
    return core.holds_lease


def is_stopped(core: ClientCore) -> bool:
    return core.stopped


def snapshot() -> BenchSnapshot:
    device = DeviceReport("psu", DeviceState.ONLINE)
    return BenchSnapshot(
        BENCH, BenchState.IN_USE, "", LAMP, (device,), False, (), MINE, (), (), (), ("control",), NOW + 1e9
    )


def ready() -> Far:
    far = Far(ClientCore("token", "test"))
    far.welcome()
    far.tell(snapshot())
    far.say(Pong(0.0, NOW, NOW), at_ms=2.0)
    assert is_ready(far)
    return far


def ask(far: Far, name: str = "command-1") -> bytes:
    return far.core.command(name, "psu", "set_voltage", {"voltage": 3.3}, 500.0, CommandMode.ORDERED, 10.0)


def sent(frame: bytes) -> object:
    return FROM_CLIENT.decode(frame)[1]


def test_hello_asks_for_telemetry_only_where_it_is_wanted() -> None:
    hello = sent(ClientCore("token", "test").hello())
    assert hello == Hello((1,), "token", "test", ("telemetry",))
    silent = sent(ClientCore("token", "test", telemetry=False).hello())
    assert isinstance(silent, Hello)
    assert silent.features == ()


def test_a_client_is_ready_when_it_was_let_in_and_knows_the_servers_clock() -> None:
    far = Far(ClientCore("token", "test"))
    far.welcome()
    assert not is_ready(far)
    assert sent(far.core.ping(5.0)) == Ping(5.0)
    far.say(Pong(0.0, NOW, NOW), at_ms=2.0)
    assert is_ready(far)
    far.core.hello()
    assert not is_ready(far)


def test_the_snapshot_and_what_changes_later_are_kept() -> None:
    far = ready()
    core = far.core
    assert (core.participant, core.state, core.description, core.lease) == ("student", BenchState.IN_USE, LAMP, MINE)
    assert holds_lease(core)
    far.tell(LeaseChanged(None, "released"))
    assert not holds_lease(core)
    far.tell(BenchChanged(BenchState.DRAINING))
    assert core.state is BenchState.DRAINING
    far.tell(DeviceChanged(DeviceReport("psu", DeviceState.OFFLINE)))
    assert core.devices["psu"].state is DeviceState.OFFLINE
    far.tell(InventoryChanged(LAMP))
    far.tell(StopFinished("stop-0001", "mate", True, LEDGER))
    assert is_stopped(core)
    far.tell(StopCleared("mate"))
    assert not is_stopped(core)
    far.say(TelemetrySampled("psu", NOW, {"voltage": 3.3}))
    assert core.readings == {"psu": {"voltage": 3.3}}
    assert [sample.device for sample in core.take_samples()] == ["psu"]
    assert core.take_samples() == []
    far.tell(PresenceChanged(()))
    far.say(ConnectionClosing(Code.GOING_AWAY, "Bye."))
    assert core.closing == ConnectionClosing(Code.GOING_AWAY, "Bye.")


def test_a_command_is_stamped_with_the_earliest_that_the_servers_clock_may_show() -> None:
    command = sent(ask(ready()))
    assert isinstance(command, Command)
    assert command.fence == 4
    assert command.sent_ms == pytest.approx(NOW + 9.0 - 1.0, abs=0.01)


def test_without_a_lease_a_command_bears_no_fence() -> None:
    far = ready()
    far.tell(LeaseChanged(None, "released"))
    command = sent(ask(far))
    assert isinstance(command, Command)
    assert command.fence == 0


def test_an_outcome_answers_once_with_its_value_and_its_ledger() -> None:
    far = ready()
    ask(far)
    answered = far.tell(CommandFinished("command-1", CommandStatus.DONE, LEDGER, 3.3), at_ms=30.0)
    assert len(answered) == 1
    assert (answered[0].value, answered[0].error) == (3.3, None)
    report = answered[0].report
    assert report is not None
    assert (report.device, report.action, report.round_trip_ms) == ("psu", "set_voltage", 20.0)
    assert report.received_ms == pytest.approx(NOW + 29.0)
    assert far.tell(CommandFinished("command-1", CommandStatus.DONE, LEDGER, 3.3)) == []


def test_a_failure_answers_with_its_error() -> None:
    far = ready()
    ask(far)
    answered = far.tell(CommandFinished("command-1", CommandStatus.FAILED, LEDGER, code=Code.NO_REPLY))
    assert isinstance(answered[0].error, CommandFailedError)
    ask(far, "command-2")
    answered = far.say(CommandRefused("command-2", Code.QUEUE_FULL, "Full."))
    assert isinstance(answered[0].error, CommandRefusedError)


def test_requests_are_answered_done_or_refused() -> None:
    far = ready()
    core = far.core
    assert sent(core.request("acquire-1", AcquireLease("acquire-1"), 1.0)) == AcquireLease("acquire-1")
    assert far.say(RequestDone("acquire-1")) == [Answered("acquire-1")]
    assert far.say(RequestDone("acquire-1")) == []
    core.request("acquire-2", AcquireLease("acquire-2"), 1.0)
    answered = far.say(RequestRefused("acquire-2", Code.LEASE_TAKEN, "Taken."))
    assert isinstance(answered[0].error, RequestRefusedError)
    core.request("stop-0001", Stop("stop-0001", NOW), 1.0)
    assert far.tell(StopFinished("stop-0001", "student", True, LEDGER)) == [Answered("stop-0001", True)]


def test_what_is_open_is_sent_again_byte_for_byte() -> None:
    far = ready()
    frames = [ask(far), far.core.request("acquire-1", AcquireLease("acquire-1"), 1.0)]
    assert far.core.to_send_again() == frames
    far.core.forget("command-1")
    far.core.forget("command-1")
    assert far.core.to_send_again() == frames[1:]


def test_a_resumed_session_goes_on_where_it_was() -> None:
    far = ready()
    hello = sent(far.core.hello())
    assert isinstance(hello, Hello)
    assert (hello.session, hello.resume_key, hello.last_seq) == ("session-1", "key-1", 1)
    far.welcome(resumed=True, key="key-2")
    assert is_ready(far)
    far.tell(BenchChanged(BenchState.ONLINE))
    again = sent(far.core.hello())
    assert isinstance(again, Hello)
    assert (again.resume_key, again.last_seq) == ("key-2", 2)


def test_a_new_session_begins_anew_and_waits_for_the_clock() -> None:
    far = ready()
    far.welcome(resumed=False)
    assert not is_ready(far)
    far.seq = 0
    far.tell(snapshot())
    assert sent(far.core.acknowledgement() or b"") == Ack(1)


def test_events_are_acknowledged_once() -> None:
    far = ready()
    assert sent(far.core.acknowledgement() or b"") == Ack(1)
    assert far.core.acknowledgement() is None


def test_a_repeated_event_is_ignored_and_a_gap_is_an_error() -> None:
    far = ready()
    assert far.core.received(TO_CLIENT.encode(LeaseChanged(None, "released"), 1), 0.0) == []
    assert far.core.holds_lease
    with pytest.raises(PeerError):
        far.core.received(TO_CLIENT.encode(StopCleared("mate"), 9), 0.0)


def test_a_word_of_a_newer_server_is_passed_over_and_counted() -> None:
    far = ready()
    assert far.core.received(msgpack.packb([2, {"type": "BenchPainted", "colour": "red"}]), 0.0) == []
    assert sent(far.core.acknowledgement() or b"") == Ack(2)
    with pytest.raises(PeerError):
        far.core.received(b"\xc1", 0.0)


def pieces(name: str, value: object, size: int = 4) -> list[ValueChunk]:
    data = msgpack.packb(value)
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    return [ValueChunk(name, index, len(cut), piece) for index, piece in enumerate(cut)]


@pytest.mark.parametrize("outcome_first", [True, False])
def test_a_large_value_is_put_together_whatever_comes_first(outcome_first: bool) -> None:
    far = ready()
    ask(far)
    finished = CommandFinished("command-1", CommandStatus.DONE, LEDGER, chunks="value-1")
    answered = far.tell(finished) if outcome_first else []
    for piece in reversed(pieces("value-1", [1.5, 2.5, 3.5])):
        answered += far.say(piece)
    if not outcome_first:
        answered = far.tell(finished)
    assert [answer.value for answer in answered] == [[1.5, 2.5, 3.5]]


def test_pieces_that_nobody_asked_for_are_bounded() -> None:
    far = ready()
    for number in range(100):
        assert far.say(ValueChunk(f"value-{number}", 0, 1, b"\x01")) == []
    ask(far)
    assert far.tell(CommandFinished("command-1", CommandStatus.DONE, LEDGER, chunks="value-0")) == []


def test_a_value_that_cannot_be_read_is_the_servers_mistake() -> None:
    far = ready()
    ask(far)
    with pytest.raises(PeerError):
        far.say(ValueChunk("value-1", 5, 2, b""))
    far.tell(CommandFinished("command-1", CommandStatus.DONE, LEDGER, chunks="value-1"))
    with pytest.raises(PeerError):
        far.say(ValueChunk("value-1", 0, 1, b"\xc1"))


def test_an_outcome_before_the_clock_is_known_has_a_time_nevertheless() -> None:
    far = ready()
    ask(far)
    far.welcome(resumed=False)
    far.seq = 0
    answered = far.tell(CommandFinished("command-1", CommandStatus.DONE, LEDGER))
    assert answered[0].report is not None
    assert answered[0].report.received_ms == NOW + 1.0


def test_arguments_are_bound_like_those_of_a_python_function() -> None:
    assert bound_arguments(SET_VOLTAGE, (3.3,), {}) == {"voltage": 3.3}
    assert bound_arguments(SET_VOLTAGE, (), {"voltage": 3.3}) == {"voltage": 3.3}
    assert bound_arguments(SET_VOLTAGE, (), {}) == {}
    for args, named in [((1.0, 2.0), {}), ((1.0,), {"voltage": 2.0}), ((), {"volts": 1.0})]:
        with pytest.raises(TypeError):
            bound_arguments(SET_VOLTAGE, args, named)
