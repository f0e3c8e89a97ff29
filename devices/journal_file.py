"""The journal in a file: appended record by record, rewritten now and then under another name and renamed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from devices.journal import DEFAULT_JOURNAL, Closed, Journal, JournalSettings, Record, encode, encoded, replay
from signaling.errors import Code, OurError

if os.name == "posix":
    import fcntl

logger = logging.getLogger(__name__)

COMPACT_BYTES = 8_388_608
"""A file is rewritten when it has grown by this much and at least doubled."""


class JournalFile:
    """The journal of one agent. What :meth:`write` has returned from survives the death of the process."""

    def __init__(self, directory: Path, journal: Journal, lock: int) -> None:
        self.journal = journal
        self._path = directory / "journal"
        self._lock = lock
        self._fd = -1
        self._size_bytes = 0
        self._compact_at_bytes = COMPACT_BYTES
        self._since_compaction: list[bytes] | None = None

    @classmethod
    def open(cls, directory: Path, boot: str, settings: JournalSettings = DEFAULT_JOURNAL) -> JournalFile:
        """Read what an earlier life left, and go on from there.

        Raises :class:`OurError` ``storage_failed`` when the directory cannot be used or another agent uses it.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock, had_one_before = _lock(directory / "lock")
            path = directory / "journal"
            data = path.read_bytes() if path.exists() else None
        except OSError as error:
            raise OurError(Code.STORAGE_FAILED, f"The directory {directory} cannot be used: {error}.") from error
        found = replay(data or b"", settings)
        if found.is_damaged:
            aside = path.with_name(f"journal.damaged-{time.time_ns()}")
            logger.error("the journal is damaged; it is kept as %s", aside)
            path.rename(aside)
        now_ms = time.time() * 1_000.0
        journal = found.journal
        is_lost = data is None and had_one_before
        begun = journal.begin(
            boot, now_ms, is_new=data is None and not had_one_before, is_damaged=found.is_damaged or is_lost
        )
        journal.apply(begun)
        journal.prune(now_ms)
        file = cls(directory, journal, lock)
        file._take_over(_write_new(path, encoded(journal.snapshot())))
        return file

    def write(self, record: Record) -> None:
        """Put a record into the file and into effect. Raises :class:`OurError` ``storage_failed``; then neither."""
        self._append(encode(record))
        self.journal.apply(record)

    def write_if_possible(self, record: Record) -> None:
        """The same for what has happened already: it is in effect even when the disk is full."""
        try:
            self.write(record)
        except OurError as error:
            logger.error("%s", error.text)
            self.journal.apply(record)

    @property
    def is_due_for_compaction(self) -> bool:
        """Whether the file has grown enough to be rewritten."""
        return self._size_bytes >= self._compact_at_bytes and self._since_compaction is None

    async def compact(self) -> None:
        """Rewrite the file with only what counts; the slow part runs in a thread. Records may be written meanwhile."""
        self.journal.prune(time.time() * 1_000.0)
        records = self.journal.snapshot()
        meanwhile: list[bytes] = []
        self._since_compaction = meanwhile
        try:
            new = await asyncio.to_thread(_write_new_unnamed, self._path, encoded(records))
            try:
                for piece in meanwhile:
                    _write_all(new, piece)
                _new_name(self._path).replace(self._path)
            except BaseException:
                os.close(new)
                raise
            old, self._fd = self._fd, -1
            os.close(old)
            self._take_over(new)
        except OSError as error:
            logger.error("the journal could not be compacted: %s", error.strerror)
            self._compact_at_bytes = self._size_bytes + COMPACT_BYTES
        finally:
            self._since_compaction = None

    def close(self) -> None:
        """End in order: everything is on the disk afterwards, and the next boot may trust it."""
        if self._fd < 0:
            return
        with contextlib.suppress(OurError, OSError):
            self.write(Closed())
            os.fsync(self._fd)
        os.close(self._fd)
        os.close(self._lock)
        self._fd = -1

    def _append(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
            if written != len(data):
                os.ftruncate(self._fd, self._size_bytes)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OurError(Code.STORAGE_FAILED, f"The journal cannot be written: {error.strerror}.") from error
        self._size_bytes += written
        if self._since_compaction is not None:
            self._since_compaction.append(data)

    def _take_over(self, fd: int) -> None:
        self._fd = fd
        self._size_bytes = os.fstat(fd).st_size
        self._compact_at_bytes = max(2 * self._size_bytes, self._size_bytes + COMPACT_BYTES)


def _lock(path: Path) -> tuple[int, bool]:
    """Keep other agents out of the directory; and whether one was ever here."""
    existed = path.exists()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.name == "posix":
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(fd)
            raise OSError(error.errno, "another agent is using it") from error
    return fd, existed


def _new_name(path: Path) -> Path:
    return path.with_name("journal.new")


def _write_new(path: Path, pieces: Iterable[bytes]) -> int:
    """Put a whole file in the place of another, or leave the other as it was."""
    try:
        fd = _write_new_unnamed(path, pieces)
        _new_name(path).replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise OurError(Code.STORAGE_FAILED, f"The journal cannot be written: {error.strerror}.") from error
    return fd


def _sync_directory(directory: Path) -> None:
    """Have the new name on the disk: after a crash the old file, closed in order, would vouch for too much."""
    if os.name != "posix":
        return
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_new_unnamed(path: Path, pieces: Iterable[bytes]) -> int:
    fd = os.open(_new_name(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        block = bytearray()
        for piece in pieces:
            block += piece
            if len(block) >= 262_144:
                _write_all(fd, bytes(block))
                block.clear()
        _write_all(fd, bytes(block))
        os.fsync(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
