from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from remotelab.effects import BenchRecord
from remotelab.store_sqlite import SqliteLeaseStore
from signaling.errors import Code, OurError

RECORD = BenchRecord("lamp", 3, "student", "李娜", 1_800_000_000_000.5, True, None, True)


async def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    store = SqliteLeaseStore(tmp_path / "benches.sqlite")
    assert await store.load() == []
    await store.save(RECORD)
    await store.save(BenchRecord("motor", quarantined="Still turning."))
    await store.aclose()
    again = SqliteLeaseStore(tmp_path / "benches.sqlite")
    assert await again.load() == [RECORD, BenchRecord("motor", quarantined="Still turning.")]
    await again.aclose()


async def test_a_save_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    store = SqliteLeaseStore(tmp_path / "benches.sqlite")
    await store.save(RECORD)
    other = sqlite3.connect(tmp_path / "benches.sqlite")
    assert other.execute("SELECT fence FROM benches").fetchall() == [(3,)]
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    await store.aclose()


async def test_a_fence_never_falls(tmp_path: Path) -> None:
    store = SqliteLeaseStore(tmp_path / "benches.sqlite")
    await store.save(RECORD)
    await store.save(BenchRecord("lamp", 2))
    assert await store.load() == [BenchRecord("lamp", 3)]
    await store.aclose()


async def test_a_disk_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    store = SqliteLeaseStore(tmp_path / "no" / "such" / "folder" / "benches.sqlite")
    with pytest.raises(OurError) as raised:
        await store.load()
    assert raised.value.code is Code.STORAGE_FAILED
    assert "folder" not in raised.value.text
    await store.aclose()


async def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "benches.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    store = SqliteLeaseStore(path)
    with pytest.raises(OurError):
        await store.load()
    await store.aclose()
