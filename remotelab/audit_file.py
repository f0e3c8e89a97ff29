"""The audit log as a file: one line of JSON for each command and each change of control, rotated by size.

Lines are collected in memory and written together by a thread, at most 200 ms later, so that a command never waits for
the disk; the thread only writes, because it would compete with the event loop for the interpreter. When the disk cannot
keep up, lines are dropped and a line says how many.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orjson

from remotelab.effects import Record

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """When to write, when to begin a new file, and how many old ones to keep."""

    flush_ms: float = 200.0
    most_bytes: int = 33_554_432
    keep_files: int = 10
    most_waiting: int = 100_000


DEFAULT_AUDIT = AuditSettings()


class AuditFile:
    """A :class:`remotelab.ports.AuditLog` in files ``audit.jsonl``, ``audit.jsonl.1``… ``aclose()`` it in the end."""

    def __init__(self, path: Path, settings: AuditSettings = DEFAULT_AUDIT) -> None:
        self._path = path
        self._settings = settings
        self._waiting: list[bytes] = []
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
        self._writing: asyncio.Future[None] | None = None

    def append(self, bench: str, record: Record) -> None:
        """Take a line; it is on disk soon."""
        if len(self._waiting) >= self._settings.most_waiting:
            self._dropped += 1
            return
        self._waiting.append(line_of(bench, record))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._settings.flush_ms / 1000.0, self._flush)

    async def aclose(self) -> None:
        """Write what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._flush()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown(wait=False)

    def _flush(self) -> None:
        self._timer = None
        if self._writing is not None or not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(orjson.dumps({"event": "dropped", "lines": dropped}, option=orjson.OPT_APPEND_NEWLINE))
        self._writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write, b"".join(lines))
        self._writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        if not writing.cancelled() and (error := writing.exception()) is not None:
            _log.error("Audit lines could not be written", exc_info=error)
        if self._waiting and self._timer is None and not writing.get_loop().is_closed():
            self._timer = writing.get_loop().call_later(self._settings.flush_ms / 1000.0, self._flush)

    def _write(self, lines: bytes) -> None:
        self._rotate()
        with self._path.open("ab") as file:
            file.write(lines)

    def _rotate(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < self._settings.most_bytes:
            return
        for number in range(self._settings.keep_files - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))


def line_of(bench: str, record: Record) -> bytes:
    """The line of JSON of one record. Made on the hot path."""
    line = {
        "time_ms": record.time_ms,
        "bench": bench,
        "event": record.event,
        "participant": record.participant,
        **record.detail,
    }
    return orjson.dumps(line, default=repr, option=orjson.OPT_APPEND_NEWLINE)
