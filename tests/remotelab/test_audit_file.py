from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import CommandMode, CommandStatus
from remotelab.audit_file import AuditFile, AuditSettings, line_of
from remotelab.effects import Record
from remotelab.messages import Ledger

RECORD = Record(1_800_000_000_000.25, "stop", "student", {"id": "stop-0001"})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_lines_are_on_disk_after_closing(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl")
    audit.append("lamp", RECORD)
    audit.append("motor", RECORD)
    await audit.aclose()
    assert [line["bench"] for line in lines(tmp_path / "audit.jsonl")] == ["lamp", "motor"]


async def test_closing_without_lines_writes_nothing(tmp_path: Path) -> None:
    await AuditFile(tmp_path / "audit.jsonl").aclose()
    assert not (tmp_path / "audit.jsonl").exists()


async def test_lines_that_come_while_others_are_written_are_not_lost(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl", AuditSettings(flush_ms=0.0))
    for number in range(50):
        audit.append("lamp", Record(float(number), "stop", "student", {}))
        audit._flush()
    await audit.aclose()
    assert [line["time_ms"] for line in lines(tmp_path / "audit.jsonl")] == [float(number) for number in range(50)]


async def test_a_full_file_is_put_aside_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in range(5):
        audit = AuditFile(path, AuditSettings(most_bytes=1, keep_files=2))
        audit.append("lamp", Record(float(number), "stop", "student", {}))
        await audit.aclose()
    assert names(tmp_path) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert lines(path)[0]["time_ms"] == 4.0
    assert lines(tmp_path / "audit.jsonl.2")[0]["time_ms"] == 2.0


async def test_lines_beyond_the_bound_are_dropped_and_counted(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl", AuditSettings(most_waiting=2))
    for _ in range(5):
        audit.append("lamp", RECORD)
    await audit.aclose()
    assert lines(tmp_path / "audit.jsonl")[2:] == [{"event": "dropped", "lines": 3}]


async def test_a_disk_that_fails_is_logged_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audit = AuditFile(tmp_path / "missing" / "audit.jsonl")
    audit.append("lamp", RECORD)
    with caplog.at_level(logging.ERROR):
        await audit.aclose()
    assert "could not be written" in caplog.text


def test_a_command_line_says_who_what_and_with_what_result() -> None:
    detail = {
        "id": "command-1",
        "args": {"voltage": 3.3},
        "mode": CommandMode.LATEST,
        "status": CommandStatus.DONE,
        "code": None,
        "ledger": Ledger(1.0, 2.5, gateway_replied_ms=4.0),
    }
    line = json.loads(line_of("lamp", Record(5.0, "command", "student", detail)))
    assert line == {
        "time_ms": 5.0,
        "bench": "lamp",
        "event": "command",
        "participant": "student",
        "id": "command-1",
        "args": {"voltage": 3.3},
        "mode": "latest",
        "status": "done",
        "code": None,
        "ledger": {
            "sent_ms": 1.0,
            "gateway_received_ms": 2.5,
            "agent_received_ms": None,
            "first_byte_ms": None,
            "last_byte_ms": None,
            "gateway_replied_ms": 4.0,
        },
    }


@given(st.text(), st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.floats(allow_nan=False), st.binary())))
def test_whatever_people_call_themselves_a_line_is_one_line_of_json(
    bench: str, name: str, args: dict[str, object]
) -> None:
    line = line_of(bench, Record(1.0, "stop", name, {"name": name, "args": args}))
    assert line.count(b"\n") == 1
    assert json.loads(line)["participant"] == name
