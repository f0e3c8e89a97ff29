"""Benches remembered in an SQLite file: written ahead and synchronised, so a confirmed lease survives a power cut."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from remotelab.effects import BenchRecord
from signaling.errors import Code, OurError

_T = TypeVar("_T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS benches (
    bench TEXT PRIMARY KEY,
    fence INTEGER NOT NULL,
    holder TEXT,
    holder_name TEXT NOT NULL,
    expires_ms REAL NOT NULL,
    unclean INTEGER NOT NULL,
    quarantined TEXT,
    stopped INTEGER NOT NULL
) STRICT
"""

# A fence only grows, whatever is written.
_SAVE = """
INSERT INTO benches VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (bench) DO UPDATE SET
    fence = max(fence, excluded.fence), holder = excluded.holder, holder_name = excluded.holder_name,
    expires_ms = excluded.expires_ms, unclean = excluded.unclean, quarantined = excluded.quarantined,
    stopped = excluded.stopped
"""

_LOAD = "SELECT bench, fence, holder, holder_name, expires_ms, unclean, quarantined, stopped FROM benches"


class SqliteLeaseStore:
    """A :class:`remotelab.ports.LeaseStore` in one file, used by one thread of its own. ``aclose()`` it in the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leases")

    async def load(self) -> list[BenchRecord]:
        """Everything that is remembered; the file is created when there is none."""
        return await self._run(self._load)

    async def save(self, record: BenchRecord) -> None:
        """Remember a bench; returns when it is on disk."""
        await self._run(lambda: self._save(record))

    async def aclose(self) -> None:
        """Finish what was begun and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise OurError(Code.STORAGE_FAILED, "The server could not store or read its state.") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(_SCHEMA)
            self._connection = connection
        return self._connection

    def _load(self) -> list[BenchRecord]:
        return [
            BenchRecord(bench, fence, holder, holder_name, expires_ms, bool(unclean), quarantined, bool(stopped))
            for bench, fence, holder, holder_name, expires_ms, unclean, quarantined, stopped in self._open().execute(
                _LOAD
            )
        ]

    def _save(self, record: BenchRecord) -> None:
        self._open().execute(
            _SAVE,
            (
                record.bench,
                record.fence,
                record.holder,
                record.holder_name,
                record.expires_ms,
                record.unclean,
                record.quarantined,
                record.stopped,
            ),
        )

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
