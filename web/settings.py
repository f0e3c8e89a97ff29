"""The server's settings: defaults, then a TOML file, the environment, the command line. Mistakes are fatal."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

PREFIX = "TONGKE_"
_NO_SETTINGS = frozenset({f"{PREFIX}SETTINGS", f"{PREFIX}TOKEN"})
"""Where the settings are, and the token of an agent or a client on the same machine."""


class SettingsError(ValueError):
    """The settings cannot be used; the text lists every mistake."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an administrator can set. A key of the file ``port`` is ``TONGKE_PORT`` in the environment."""

    host: str = "127.0.0.1"
    """The address to listen on; behind a proxy leave it as it is."""
    port: int = 8080
    """0 takes any free port."""
    data: Path = Path("tongke-data")
    """The folder for keys, leases and the audit log."""
    tls_cert: Path | None = None
    """A certificate chain in PEM, with ``tls_key``: without a proxy that does TLS, set both."""
    tls_key: Path | None = None
    origins: tuple[str, ...] = ()
    """Origins of pages, besides our own, that may connect, such as ``https://lab.example.org``."""
    commands_per_s: float = 2_000.0
    """What one participant may send on average."""
    lease_s: float = 600.0
    """How long the control is given for before it must be renewed."""
    grace_s: float = 30.0
    """How long the holder may be gone before the bench is cleaned up."""
    seat_s: float = 120.0
    """How long the holder may be gone before the control is free again."""
    most_sessions: int = 2_000
    """Connections to one bench."""
    pretend_benches: int = 0
    """Load tests: so many benches ``pretend-0``… that answer at once, without any lab PC."""


SETTINGS = web.AppKey("settings", Settings)


def load_settings(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """The settings in force. Raises :class:`SettingsError`."""
    given: dict[str, object] = {}
    if file is not None:
        try:
            given.update(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file}: {error}") from error
    names = {field.name for field in dataclasses.fields(Settings)}
    for key, text in environment.items():
        if key.startswith(PREFIX) and key not in _NO_SETTINGS:
            given[key.removeprefix(PREFIX).lower()] = text
    given.update({name: value for name, value in flags.items() if value is not None})
    mistakes = [f"{name} is not a setting" for name in sorted(given.keys() - names)]
    values: dict[str, object] = {}
    hints = typing.get_type_hints(Settings)
    for name in given.keys() & names:
        try:
            values[name] = _converted(hints[name], given[name])
        except (TypeError, ValueError):
            mistakes.append(f"{name} cannot be {given[name]!r}")
    if (values.get("tls_cert") is None) != (values.get("tls_key") is None):
        mistakes.append("tls_cert and tls_key belong together")
    if mistakes:
        raise SettingsError("; ".join(mistakes))
    return Settings(**values)  # type: ignore[arg-type]  # converted to the declared types above


def _converted(hint: object, value: object) -> object:
    """A value as its declared type; texts come from the environment."""
    if hint is str and isinstance(value, str):
        return value
    if hint in (Path, Path | None) and isinstance(value, str | Path) and str(value):
        return Path(value)
    if hint == tuple[str, ...]:
        items = value.split(",") if isinstance(value, str) else value
        if isinstance(items, list | tuple) and all(isinstance(item, str) for item in items):
            return tuple(item.strip() for item in items)
    if hint in (int, float) and isinstance(value, str | int | float) and not isinstance(value, bool):
        number = int(value) if hint is int else float(value)
        if 0 <= number < float("inf") and (isinstance(value, str) or number == value):
            return number
    raise ValueError(f"{value!r}")
