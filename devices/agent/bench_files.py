"""The bench files that an agent was given, and what has become of them since."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from devices.agent.bench_file import BenchConfig, BenchFileError, load_bench, place_of
from devices.registry import Registry

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class BenchFiles:
    """Files, and folders whose ``*.toml`` count. A broken file keeps the configuration that it had before."""

    def __init__(self, sources: Sequence[Path], registry: Registry, ports: Mapping[str, str] | None = None) -> None:
        self._sources = sources
        self._registry = registry
        self._ports = ports or {}
        self._stamps: dict[Path, _Stamp | None] = {}
        self._configs: dict[Path, BenchConfig] = {}
        self._missing: set[Path] = set()

    @property
    def configs(self) -> list[BenchConfig]:
        """The benches, as far as they can be used."""
        return list(self._configs.values())

    def load(self) -> list[str]:
        """Read everything for the first time; all mistakes, each with its file and place."""
        mistakes: list[str] = []
        for path in self._paths():
            mistakes += self._read(path)
        if not mistakes:
            known = {port.name for config in self.configs for port in config.ports}
            mistakes += [f"there is no port {name} in any bench file" for name in sorted(self._ports.keys() - known)]
        if not self._configs and not mistakes:
            mistakes.append(f"{', '.join(map(str, self._sources))}: there is no bench file")
        return mistakes

    def refresh(self) -> bool:
        """Read what has changed; whether the benches have. Mistakes are logged."""
        before = self.configs
        paths = self._paths()
        for path in paths:
            if path not in self._stamps or _stamp(path) != self._stamps[path]:
                for mistake in self._read(path):
                    logger.error("%s; what was there before stays in force", mistake)
        gone = self._stamps.keys() - set(paths)
        for path in gone & self._missing:  # missing twice: not just being rewritten
            logger.info("%s is gone", path)
            del self._stamps[path]
            self._configs.pop(path, None)
        self._missing = gone - self._missing
        return self.configs != before

    def _paths(self) -> list[Path]:
        paths: list[Path] = []
        for source in self._sources:
            paths += sorted(source.glob("*.toml")) if source.is_dir() else [source]
        return list(dict.fromkeys(paths))

    def _read(self, path: Path) -> list[str]:
        self._stamps[path] = _stamp(path)
        try:
            config = load_bench(path, self._registry, self._ports)
        except BenchFileError as error:
            return [f"{path}: {mistake}" for mistake in error.mistakes]
        clashes = [
            f"{path}: {clash}"
            for other, its in self._configs.items()
            if other != path and (clash := _clash(config, its)) is not None
        ]
        if not clashes:
            self._configs[path] = config
        return clashes


def _clash(config: BenchConfig, other: BenchConfig) -> str | None:
    if config.name == other.name:
        return f"another file has a bench {config.name} already"
    taken = {place_of(port.spec) for port in other.ports}
    shared = [port.name for port in config.ports if place_of(port.spec) in taken]
    return f"port {', '.join(shared)} belongs to the bench {other.name} already" if shared else None


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
