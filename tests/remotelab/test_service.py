from __future__ import annotations

import dataclasses

import pytest

from devices import messages as agent_words
from devices.messages import (
    CleanUpBench,
    CleanUpFinished,
    ExecutionFinished,
    HealthReported,
    InventoryPublished,
    RaiseFence,
    ResolveExecutions,
    StopBench,
)
from devices.model import CommandStatus
from remotelab.effects import BenchRecord
from remotelab.messages import (
    FROM_CLIENT,
    TO_CLIENT,
    AcquireLease,
    BenchSnapshot,
    BenchState,
    CommandAdmitted,
    CommandFinished,
    CommandRefused,
    LeaseChanged,
    ReleaseLease,
    Stop,
    StopFinished,
    TelemetryHistory,
    TelemetrySampled,
)
from remotelab.service import GatewaySettings
from signaling.errors import CallerError, Code, OurError, PeerError
from signaling.messages import Ack, Hello, Ping, Pong, RequestDone, RequestRefused, ValueChunk, Welcome
from signaling.tokens import Right
from tests.remotelab.lab import BENCH, LAMP, NOW, command, done, one, report
from tests.remotelab.pair import FakePeer, Pair, Person, ScriptedAgent, gateway_pair


def state(pair: Pair) -> BenchState:
    return pair.gateway.benches[BENCH].bench.standing.state


def closed_by(person: Person) -> Code | None:
    return person.peer.closed.code if person.peer.closed is not None else None


async def test_a_command_goes_through_and_its_outcome_comes_back() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms))
        agent.say(done("student/command-1", 3.3))
        assert agent.executed() == ["student/command-1"]
        outcome = one(student.peer.heard(CommandFinished))
        assert (outcome.status, outcome.value) == (CommandStatus.DONE, 3.3)
        assert ("lamp", "command") in [(bench, record.event) for bench, record in pair.audit.lines]


async def test_a_newcomer_is_welcomed_and_drawn_the_bench_and_its_past() -> None:
    async with gateway_pair() as pair:
        agent = pair.agent()
        agent.say(agent_words.TelemetrySampled(BENCH, "psu", NOW, {"voltage": 3.3}))
        observer = pair.person("observer", Right.OBSERVE)
        welcome = one(observer.peer.heard(Welcome))
        assert (welcome.participant, welcome.features, welcome.resumed) == ("observer", ("telemetry",), False)
        assert one(observer.peer.heard(BenchSnapshot)).description == LAMP
        assert one(observer.peer.heard_in_bulk(TelemetryHistory)).rows == ((NOW, 3.3),)
        agent.say(agent_words.TelemetrySampled(BENCH, "psu", NOW, {"voltage": 4.4}))
        _, newest = TO_CLIENT.decode(observer.peer.latest["telemetry psu"])
        assert newest == TelemetrySampled("psu", NOW, {"voltage": 4.4})


async def test_telemetry_and_admissions_come_only_to_those_who_asked() -> None:
    async with gateway_pair() as pair:
        agent = pair.agent()
        agent.say(agent_words.TelemetrySampled(BENCH, "psu", NOW, {"voltage": 3.3}))
        student = Person(pair, "student", Right.CONTROL)
        student.features = ("admissions", "a-feature-of-tomorrow")
        assert student.join().features == ("admissions",)
        agent.say(agent_words.TelemetrySampled(BENCH, "psu", NOW, {"voltage": 3.3}))
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms))
        assert (student.peer.latest, student.peer.bulk) == ({}, [])
        assert student.peer.heard(CommandAdmitted) == [CommandAdmitted("command-1", 0.0)]


async def test_a_ping_is_answered_at_once() -> None:
    async with gateway_pair() as pair:
        student, agent = pair.person(), pair.agent()
        student.send(Ping(17.0))
        assert student.peer.heard(Pong) == [Pong(17.0, NOW, NOW)]
        agent.say(Ping(18.0))
        agent.say(Ack(3))
        assert agent.heard(Pong) == [Pong(18.0, NOW, NOW)]


async def test_nothing_is_confirmed_before_it_is_on_disk_but_a_stop_does_not_wait() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        await pair.settle()
        pair.store.gate.clear()
        student.send(AcquireLease("acquire-1"))
        await pair.settle()
        assert student.peer.heard(RequestDone) == []
        assert agent.heard(RaiseFence) == [RaiseFence(BENCH, 0)]
        student.send(Stop("stop-0001", NOW))
        assert [word.id for word in agent.heard(StopBench)] == ["student/stop-0001"]
        pair.store.gate.set()
        await pair.settle()
        assert student.peer.heard(RequestDone) == [RequestDone("acquire-1")]
        assert agent.heard(RaiseFence) == [RaiseFence(BENCH, 0), RaiseFence(BENCH, 1)]
        assert pair.store.records[BENCH].stopped


async def test_a_command_behind_a_record_that_is_being_written_keeps_its_place() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        await pair.settle()
        pair.store.gate.clear()
        student.send(AcquireLease("acquire-1"))
        pair.now_ms += 5.0
        student.send(command(fence=1, sent_ms=pair.now_ms))
        await pair.settle()
        assert agent.executed() == []
        pair.store.gate.set()
        await pair.settle()
        assert [type(word).__name__ for word in agent.told[-2:]] == ["RaiseFence", "Execute"]


async def test_a_disk_that_refuses_confirms_nothing_and_closes_the_bench() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        await pair.settle()
        pair.store.is_broken = True
        student.send(AcquireLease("acquire-1"))
        await pair.settle()
        assert one(student.peer.heard(RequestRefused)).code is Code.STORAGE_FAILED
        assert student.peer.heard(RequestDone) == []
        assert state(pair) is BenchState.QUARANTINED
        assert agent.heard(RaiseFence)[-1] == RaiseFence(BENCH, 2)
        assert [change.reason for change in student.peer.heard(LeaseChanged)] == ["revoked"]


async def test_a_disk_that_fails_behind_a_lease_that_ran_out_refuses_nobody() -> None:
    async with gateway_pair() as pair:
        pair.agent()
        student = pair.person()
        await student.take_control()
        pair.store.is_broken = True
        await pair.later(600_000.0)
        assert student.peer.heard(RequestRefused) == []
        assert state(pair) is BenchState.QUARANTINED


async def test_a_student_who_was_gone_for_a_minute_gets_what_was_missed_and_the_new_fence() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms))
        seen = student.peer.seqs[-1]
        student.lose()
        agent.say(done("student/command-1", 3.3))
        await pair.later(31_000.0)
        order = one(agent.heard(CleanUpBench))
        agent.say(CleanUpFinished(order.id, BENCH, True))
        await pair.later(29_000.0)
        assert student.join(resume=True, last_seq=seen).resumed
        await pair.settle()
        assert student.peer.heard(BenchSnapshot) == []
        assert one(student.peer.heard(CommandFinished)).value == 3.3
        assert student.peer.seqs == list(range(seen + 1, seen + 1 + len(student.peer.seqs)))
        lease = student.peer.heard(LeaseChanged)[-1].lease
        assert lease is not None
        assert (lease.away, lease.fence) == (False, fence + 1)
        student.send(command("command-2", fence=fence, sent_ms=pair.now_ms))
        assert one(student.peer.heard(CommandRefused)).code is Code.STALE_FENCE
        student.send(command("command-1", fence=fence, sent_ms=NOW + 5.0))
        assert student.peer.heard(CommandFinished)[-1].repeated
        assert agent.executed() == ["student/command-1"]


async def test_a_session_that_nobody_resumed_is_forgotten_and_the_seat_given_up() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        observer = pair.person("observer", Right.OBSERVE)
        await student.take_control()
        student.lose()
        await pair.later(30_000.0)
        agent.say(CleanUpFinished(one(agent.heard(CleanUpBench)).id, BENCH, True))
        await pair.later(90_000.0)
        assert observer.peer.heard(LeaseChanged)[-1].reason == "abandoned"
        assert student.join(resume=True).resumed is False
        assert one(student.peer.heard(BenchSnapshot)).lease is None


async def test_a_second_socket_of_the_same_session_replaces_the_first() -> None:
    async with gateway_pair() as pair:
        pair.agent()
        student = pair.person()
        fence = await student.take_control()
        first, session = student.peer, student.session
        assert session is not None
        assert student.join(resume=True, last_seq=first.seqs[-1]).resumed
        assert first.closed is not None
        assert first.closed.code is Code.REPLACED
        pair.gateway.received(session, first, FROM_CLIENT.encode(ReleaseLease("release-1", fence)))
        pair.gateway.lost(session, first)
        await pair.settle()
        assert state(pair) is BenchState.IN_USE
        assert session.peer is student.peer


@pytest.mark.parametrize("spoiled", ["key", "session", "participant", "bench"])
async def test_nobody_resumes_somebody_elses_session(spoiled: str) -> None:
    async with gateway_pair() as pair:
        student = pair.person()
        welcome = one(student.peer.heard(Welcome))
        grant, bench, session, key = student.grant, BENCH, welcome.session, welcome.resume_key
        if spoiled == "key":
            key = "guessed"
        elif spoiled == "session":
            session = "guessed"
        elif spoiled == "participant":
            grant = dataclasses.replace(grant, subject="mallory")
        else:
            grant, bench = dataclasses.replace(grant, scope=("other",)), "other"
        peer = FakePeer()
        pair.gateway.join(peer, bench, Hello((1,), "", "test", (), session, key, 0), grant)
        assert not one(peer.heard(Welcome)).resumed
        assert student.peer.closed is None


async def test_a_session_that_missed_too_much_begins_anew() -> None:
    async with gateway_pair() as pair:
        pair.agent()
        student = pair.person()
        await student.take_control()
        student.send(Ack(student.peer.seqs[-1]))
        first = student.peer
        assert student.join(resume=True, last_seq=0).resumed is False
        assert first.closed is not None
        assert one(student.peer.heard(BenchSnapshot)).state is BenchState.IN_USE
        assert len(pair.gateway.benches[BENCH].sessions) == 1


async def test_only_who_is_wanted_gets_in() -> None:
    async with gateway_pair(settings=GatewaySettings(most_sessions=3, most_of_one=2)) as pair:
        student = pair.person()
        with pytest.raises(CallerError) as raised:
            pair.gateway.join(FakePeer(), "other", Hello((1,), "", "test"), student.grant)
        assert raised.value.code is Code.FORBIDDEN
        with pytest.raises(CallerError) as raised:
            pair.gateway.join(FakePeer(), BENCH, Hello((99,), "", "test"), student.grant)
        assert raised.value.code is Code.VERSION_UNSUPPORTED
        pair.person()
        with pytest.raises(CallerError) as raised:
            pair.person()
        assert raised.value.code is Code.TOO_MANY
        pair.person("mate")
        with pytest.raises(CallerError):
            pair.person("observer")


async def test_silent_and_expired_connections_are_closed() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        guest = pair.person("guest", until_s=(NOW + 20_000.0) / 1_000.0)
        await pair.later(14_000.0)
        assert closed_by(student) is None
        guest.send(Ping(1.0))
        await pair.later(1_000.0)
        assert closed_by(student) is Code.SILENT
        assert agent.closed is not None
        assert agent.closed.code is Code.SILENT
        assert closed_by(guest) is None
        await pair.later(5_000.0)
        assert closed_by(guest) is Code.TOKEN_EXPIRED


async def test_a_bad_frame_with_an_id_is_refused_and_the_connection_stays_for_a_while() -> None:
    async with gateway_pair() as pair:
        student = pair.person()
        for _ in range(20):
            student.send_bytes(b"\x92\x00\x82\xa4type\xa4Stop\xa2id\xa8stop-001")
        assert [refused.id for refused in student.peer.heard(RequestRefused)] == ["stop-001"] * 20
        assert closed_by(student) is None
        student.send_bytes(b"\x92\x00\x82\xa4type\xa4Stop\xa2id\xa8stop-001")
        assert closed_by(student) is Code.MALFORMED


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\x00\x81\xa4type\xa7Explode", b"x" * 70_000])
async def test_a_frame_that_means_nothing_closes_the_connection(data: bytes) -> None:
    async with gateway_pair() as pair:
        student, mate = pair.person(), pair.person("mate")
        student.send_bytes(data)
        assert isinstance(student.peer.closed, PeerError)
        assert mate.peer.closed is None


async def test_a_stop_is_told_to_everybody() -> None:
    async with gateway_pair() as pair:
        agent, student, observer = pair.agent(), pair.person(), pair.person("observer", Right.OBSERVE)
        student.send(Stop("stop-0001", NOW))
        assert agent.first == [StopBench("student/stop-0001", BENCH)]
        agent.say(agent_words.BenchStopped("student/stop-0001", BENCH, True))
        await pair.settle()
        assert one(student.peer.heard(StopFinished)).verified
        assert one(observer.peer.heard(StopFinished)).participant == "student"


async def test_open_commands_are_resolved_when_a_lost_agent_returns() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        fence = await student.take_control()
        pair.now_ms += 5.0
        for number in (1, 2):
            student.send(command(f"command-{number}", fence=fence, sent_ms=pair.now_ms))
        agent.lose()
        agent.say(done("student/command-1"))
        await pair.later(5_000.0)
        assert student.peer.heard(CommandFinished) == []
        again = pair.agent(report(fence=fence))
        assert one(again.heard(ResolveExecutions)).ids == ("student/command-1", "student/command-2")
        again.say(dataclasses.replace(done("student/command-1", 3.3), repeated=True))
        again.say(ExecutionFinished("student/command-2", CommandStatus.CANCELLED, code=Code.LINK_LOST))
        again.say(done("student/command-2"))
        statuses = {told.id: told.status for told in student.peer.heard(CommandFinished)}
        assert statuses == {"command-1": CommandStatus.DONE, "command-2": CommandStatus.CANCELLED}
        assert again.executed() == []


async def test_after_a_restart_a_resent_command_is_looked_up_in_the_journal() -> None:
    record = BenchRecord(BENCH, 3, "student", "Student", NOW + 500_000.0, True)
    async with gateway_pair(record) as pair:
        student = pair.person()
        student.send(command(fence=3, sent_ms=NOW - 50.0))
        assert student.peer.heard(CommandRefused) == []
        agent = pair.agent(report(fence=3))
        assert one(agent.heard(ResolveExecutions)).ids == ("student/command-1",)
        agent.say(dataclasses.replace(done("student/command-1", 3.3), repeated=True))
        assert one(student.peer.heard(CommandFinished)).value == 3.3
        assert agent.executed() == []


async def test_quarantine_survives_a_restart() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        fence = await student.take_control()
        student.send(ReleaseLease("release-1", fence))
        await pair.settle()
        agent.say(CleanUpFinished(one(agent.heard(CleanUpBench)).id, BENCH, False, "Still hot."))
        await pair.settle()
        record = pair.store.records[BENCH]
    async with gateway_pair(record) as pair:
        pair.agent()
        student = pair.person()
        student.send(AcquireLease("acquire-1"))
        assert one(student.peer.heard(BenchSnapshot)).state is BenchState.QUARANTINED
        assert one(student.peer.heard(RequestRefused)).text == "Still hot."


async def test_an_agent_that_connects_again_replaces_itself() -> None:
    async with gateway_pair() as pair:
        first, second = pair.agent(), pair.agent()
        assert first.closed is not None
        assert first.closed.code is Code.REPLACED
        first.lose()
        assert state(pair) is BenchState.ONLINE
        second.lose()
        assert state(pair) is BenchState.OFFLINE


async def test_an_agent_publishes_only_the_benches_of_its_token_and_each_once() -> None:
    async with gateway_pair() as pair:
        agent = ScriptedAgent(pair.gateway)
        agent.join(scope=("other",))
        with pytest.raises(PeerError):
            agent.say(InventoryPublished("lab-pc", "boot-1", (report(),)))
        agent.join(scope=(BENCH,))
        with pytest.raises(PeerError):
            agent.say(InventoryPublished("lab-pc", "boot-1", (report(), report())))
        with pytest.raises(PeerError):
            agent.say(agent_words.TelemetrySampled("other", "psu", NOW, {}))
        with pytest.raises(CallerError):
            pair.gateway.agents.joined(Hello((99,), "", "agent"), Person(pair, "x").grant, agent, 1.0)


async def test_a_bench_that_is_taken_out_of_an_inventory_goes_offline_alone() -> None:
    async with gateway_pair() as pair:
        agent = ScriptedAgent(pair.gateway)
        other = dataclasses.replace(LAMP, name="other")
        agent.join(report(), report(other), scope=(BENCH, "other"))
        agent.say(InventoryPublished("lab-pc", "boot-1", (report(other),)))
        assert state(pair) is BenchState.OFFLINE
        assert pair.gateway.benches["other"].bench.standing.state is BenchState.ONLINE


async def test_a_bench_follows_its_instruments_to_another_lab_pc() -> None:
    async with gateway_pair() as pair:
        old, student = pair.agent(), pair.person()
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms))
        new = ScriptedAgent(pair.gateway, "new-pc")
        new.join(report())
        old.say(done("student/command-1"))
        assert one(student.peer.heard(CommandFinished)).status is CommandStatus.UNKNOWN
        assert new.heard(ResolveExecutions) == [], "its journal would call it never started"
        old.lose()
        assert state(pair) is BenchState.IN_USE


async def test_a_large_value_is_passed_on_in_pieces_behind_everything_else() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms, action="read"))
        first, second = ValueChunk("value-1", 0, 2, b"a"), ValueChunk("value-1", 1, 2, b"b")
        agent.say(first)
        agent.say(done("student/command-1", chunks="value-1"))
        agent.say(second)
        assert student.peer.heard_in_bulk(ValueChunk) == [first, second]
        student.send(command(fence=fence, sent_ms=pair.now_ms, action="read"))
        assert student.peer.heard_in_bulk(ValueChunk) == [first, second, first, second]
        student.lose()
        agent.say(ValueChunk("value-1", 0, 2, b"a"))
        with pytest.raises(PeerError):
            agent.say(ValueChunk("value-1", 7, 2, b""))


async def test_health_is_kept_while_the_agent_is_connected() -> None:
    async with gateway_pair() as pair:
        agent = pair.agent()
        health = HealthReported((), 1.5)
        agent.say(health)
        assert pair.gateway.agents.health == {"lab-pc": health}
        agent.lose()
        assert pair.gateway.agents.health == {}


async def test_everybody_is_told_when_the_gateway_goes_away_and_nobody_gets_in_any_more() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        pair.gateway.say_goodbye()
        assert student.peer.closed is not None
        assert student.peer.closed.code is Code.GOING_AWAY
        assert agent.closed is not None
        with pytest.raises(OurError):
            student.join()


async def test_requests_have_a_pace_but_stops_do_not() -> None:
    async with gateway_pair() as pair:
        agent, student = pair.agent(), pair.person()
        for number in range(80):
            student.send(AcquireLease(f"acquire-{number}"))
            student.send(Stop(f"stop-{number:04}", NOW))
        await pair.settle()
        refused = [word for word in student.peer.heard(RequestRefused) if word.code is Code.RATE_LIMITED]
        assert len(refused) == 20
        assert refused[0].retry_after_ms is not None
        assert len(agent.heard(StopBench)) >= 60


async def test_a_bench_keeps_its_own_time() -> None:
    async with gateway_pair() as pair:
        pair.agent()
        student = pair.person()
        await student.take_control()
        await pair.later(600_000.0)
        assert student.peer.heard(LeaseChanged)[-1].reason == "expired"
        assert state(pair) is BenchState.DRAINING
