from __future__ import annotations

import subprocess
import sys

import pytest

from web.cli import main


def test_help_names_every_command_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    shown = capsys.readouterr().out
    for command in ("serve", "demo", "agent", "devices", "simulate", "token"):
        assert f"\n    {command} " in shown


@pytest.mark.parametrize("command", ["serve", "demo", "agent", "devices", "simulate", "token"])
def test_every_command_has_a_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([command, "--help"])
    assert raised.value.code == 0
    assert len(capsys.readouterr().out) > 200


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["token", "--bench", "lamp"]])
def test_without_the_servers_libraries_a_lab_pc_is_told_what_to_install(command: list[str]) -> None:
    program = "import sys; sys.modules['aiohttp'] = None; from web.cli import main; sys.exit(main(sys.argv[1:]))"
    ended = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "pip install 'tongke[server]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_library_that_is_missing_for_another_reason_is_not_explained_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_options: object) -> int:
        raise ModuleNotFoundError("no such thing", name="thing")

    monkeypatch.setattr("web.commands.serve.run", run)
    with pytest.raises(ModuleNotFoundError):
        main(["serve"])


def test_ctrl_c_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("web.commands.serve.run", run)
    assert main(["serve"]) == 130
