"""``tongke agent``: what it takes, and how it says what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web.cli import main

ROOT = Path(__file__).parents[3]
BENCHES = ROOT / "devices" / "benches"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said when it does not start."""
    assert main(["agent", *arguments]) == 2
    return capsys.readouterr().err


def test_check_lists_the_benches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "--check", "--bench", str(BENCHES)]) == 0
    assert "lamp: psu (tongke-psu), dmm (tongke-dmm)" in capsys.readouterr().out


def test_check_lists_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench.toml").write_text('[bench]\nname = "B"\ncolour = 1\n')
    said = refusal(capsys, "--check", "--bench", str(tmp_path))
    assert f"{tmp_path}/bench.toml: bench: colour is not known here" in said
    assert "name must be lower-case" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--gateway is missing"),
        (["--gateway", "lab.example.org"], "write it like https://lab.example.org"),
        (["--gateway", "https://lab.example.org"], "there is no token"),
        (["--gateway", "https://lab.example.org", "--token-file", "/nonexistent"], "--token-file /nonexistent"),
        (["--gateway", "https://lab.example.org", "--token", "t", "--port", "x"], "write NAME=PATH"),
        (["--gateway", "https://lab.example.org", "--token", "t", "--port", "x=y"], "there is no port x"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.delenv("TONGKE_TOKEN", raising=False)
    assert words in refusal(capsys, "--bench", str(BENCHES / "plate.toml"), *arguments)


def test_a_directory_in_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("no directory")
    arguments = ["--bench", str(BENCHES / "plate.toml"), "--gateway", "http://127.0.0.1:9", "--token", "t"]
    assert main(["agent", *arguments, "--data", str(tmp_path / "data")]) == 1
    assert "cannot be used" in capsys.readouterr().err


def test_the_agent_needs_nothing_that_only_the_server_needs() -> None:
    code = (
        "import sys; sys.modules.update(aiohttp=None, jwt=None, uvloop=None);"
        "from web.cli import main; sys.exit(main(['agent', '--check', '--bench', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", code, str(BENCHES)]
    subprocess.run(command, check=True, cwd=ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL)
