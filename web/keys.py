"""The keys that sign tokens: a file that only the server's user can read. The first line signs; all of them check."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from aiohttp import web

from signaling.errors import Code, OurError
from signaling.tokens import TokenKeys

KEYS = web.AppKey("keys", TokenKeys)

_KEY_BYTES = 32


def load_keys(path: Path) -> TokenKeys:
    """The keys in a file, which is created with a new key when there is none.

    To change keys, put a new line (64 hexadecimal digits) on top and restart; remove the old line when its tokens have
    run out. Raises :class:`OurError` ``storage_failed``.
    """
    try:
        _create(path)
        lines = path.read_text(encoding="ascii").split()
        newest, *older = [bytes.fromhex(line) for line in lines]
    except (OSError, ValueError) as error:
        raise OurError(Code.STORAGE_FAILED, f"The signing keys in {path.name} cannot be read or created.") from error
    if any(len(key) < _KEY_BYTES for key in (newest, *older)):
        raise OurError(Code.STORAGE_FAILED, f"A signing key in {path.name} is too short.")
    return TokenKeys(newest, tuple(older))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
