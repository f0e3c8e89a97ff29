from __future__ import annotations

from remotelab.agent_in_memory import InMemoryAgent
from remotelab.messages import (
    AskOutcomes,
    BenchState,
    ClearStop,
    CommandFinished,
    ReleaseLease,
    Stop,
    StopCleared,
    StopFinished,
)
from signaling.errors import Code, OurError
from tests.remotelab.lab import command, one
from tests.remotelab.pair import gateway_pair


async def test_a_pretend_bench_answers_everything_at_once() -> None:
    async with gateway_pair() as pair:
        agent = InMemoryAgent(pair.gateway, ("pretend-0",), lambda: pair.now_ms)
        agent.connect()
        student = pair.person(bench="pretend-0")
        fence = await student.take_control()
        pair.now_ms += 5.0
        student.send(command(fence=fence, sent_ms=pair.now_ms))
        student.send(command("command-2", fence=fence, sent_ms=pair.now_ms, action="read_voltage"))
        student.send(AskOutcomes("asked-001", ("command-3",)))
        await pair.settle()
        values = {told.id: told.value for told in student.peer.heard(CommandFinished)}
        assert values == {"command-1": 3.3, "command-2": 3.3, "command-3": None}
        student.send(Stop("stop-0001", pair.now_ms))
        await pair.settle()
        assert one(student.peer.heard(StopFinished)).verified
        student.send(ClearStop("clear-001"))
        await pair.settle()
        assert student.peer.heard(StopCleared)
        student.send(ReleaseLease("release-1", fence))
        await pair.settle()
        assert pair.gateway.benches["pretend-0"].bench.standing.state is BenchState.ONLINE
        agent.close(OurError(Code.GOING_AWAY, "Bye."))
