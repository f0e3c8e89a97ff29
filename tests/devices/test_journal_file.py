"""The journal on the disk: appended, compacted, locked, and read again after every kind of end."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from devices import journal_file
from devices.journal import FenceRaised, Finished, JournalSettings, Started, StopLatched
from devices.journal_file import JournalFile
from signaling.errors import Code, OurError

FAR_MS = 9e15


def opened(directory: Path, boot: str = "boot-1") -> JournalFile:
    return JournalFile.open(directory / "data", boot)


def killed(file: JournalFile) -> None:
    """What ``kill -9`` leaves: the descriptors are gone and nothing was said."""
    os.close(file._fd)
    os.close(file._lock)


def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write(Started("a", 1.0))
    file.write(Started("b", 2.0))
    file.write(Finished("b", 3.0, b"done"))
    file.write(FenceRaised("lamp", 4))
    file.write_if_possible(StopLatched("lamp", True))
    killed(file)
    journal = opened(tmp_path).journal
    assert journal.interrupted() == ["a"]
    assert journal.outcome("b") == b"done"
    assert journal.fence("lamp") == 4
    assert journal.is_stopped("lamp")
    assert not journal.lost_records


def test_a_record_cut_short_is_dropped_and_the_rest_believed(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write(FenceRaised("lamp", 4))
    file.write(FenceRaised("lamp", 5))
    killed(file)
    path = tmp_path / "data" / "journal"
    path.write_bytes(path.read_bytes()[:-1])
    again = opened(tmp_path)
    assert again.journal.fence("lamp") == 4
    assert not again.journal.lost_records
    again.write(FenceRaised("lamp", 6))
    killed(again)
    assert opened(tmp_path).journal.fence("lamp") == 6


def test_a_damaged_file_is_kept_aside_and_casts_doubt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = opened(tmp_path)
    file.write(FenceRaised("lamp", 4))
    file.write(FenceRaised("lamp", 5))
    killed(file)
    path = tmp_path / "data" / "journal"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    journal = opened(tmp_path).journal
    assert journal.fence("lamp") == 4
    assert journal.lost_records
    assert "damaged" in caplog.text
    assert len(list(path.parent.glob("journal.damaged-*"))) == 1


def test_a_journal_that_has_vanished_casts_doubt(tmp_path: Path) -> None:
    killed(opened(tmp_path))
    (tmp_path / "data" / "journal").unlink()
    assert opened(tmp_path).journal.lost_records


def test_only_an_orderly_end_survives_a_reboot_without_doubt(tmp_path: Path) -> None:
    file = opened(tmp_path, "boot-1")
    file.close()
    file.close()
    file = opened(tmp_path, "boot-2")
    assert not file.journal.lost_records
    killed(file)
    assert opened(tmp_path, "boot-3").journal.lost_records


def test_two_agents_do_not_share_a_directory(tmp_path: Path) -> None:
    file = opened(tmp_path)
    with pytest.raises(OurError, match="another agent") as caught:
        opened(tmp_path)
    assert caught.value.code is Code.STORAGE_FAILED
    file.close()


def test_a_directory_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OurError, match="cannot be used"):
        opened(tmp_path)


def test_what_cannot_be_written_is_not_in_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = opened(tmp_path)
    size_bytes = (tmp_path / "data" / "journal").stat().st_size

    def half(fd: int, data: bytes) -> int:
        return write(fd, data[:4])

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    write = os.write
    for failing in (half, full):
        monkeypatch.setattr(os, "write", failing)
        with pytest.raises(OurError) as caught:
            file.write(Started("a", 1.0))
        assert caught.value.code is Code.STORAGE_FAILED
        assert not file.journal.has_started("a")
        assert (tmp_path / "data" / "journal").stat().st_size == size_bytes
    file.write_if_possible(Finished("b", 1.0, b"done"))
    assert file.journal.outcome("b") == b"done"
    monkeypatch.undo()
    file.close()


async def test_compaction_keeps_what_counts_and_what_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "COMPACT_BYTES", 2_000)
    file = JournalFile.open(tmp_path / "data", "boot-1", JournalSettings(keep_ms=1.0, keep_ids=3))
    due = [file.is_due_for_compaction]
    for number in range(100):
        file.write(Finished(str(number), 0.0, b"done"))
    due.append(file.is_due_for_compaction)
    compacting = asyncio.create_task(file.compact())
    await asyncio.sleep(0)
    file.write(FenceRaised("lamp", 7))
    due.append(file.is_due_for_compaction)
    await compacting
    assert due == [False, True, False]
    file.write(FenceRaised("motor", 8))
    assert (tmp_path / "data" / "journal").stat().st_size < 500
    killed(file)
    journal = opened(tmp_path).journal
    assert (journal.fence("lamp"), journal.fence("motor")) == (7, 8)
    assert [journal.outcome(str(number)) for number in (0, 96, 97, 99)] == [None, None, b"done", b"done"]


async def test_a_compaction_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = opened(tmp_path)
    file.write(FenceRaised("lamp", 7))
    (tmp_path / "data" / "journal.new").mkdir()
    await file.compact()
    assert "could not be compacted" in caplog.text
    file.write(FenceRaised("lamp", 8))
    killed(file)
    (tmp_path / "data" / "journal.new").rmdir()
    assert opened(tmp_path).journal.fence("lamp") == 8


def test_a_new_life_is_on_the_disk_under_its_name_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    file = JournalFile.open(tmp_path, "boot-1")
    assert synced[-1] == tmp_path.stat().st_ino
    file.close()
