"""``tongke simulate``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.peers import require_program
from tests.web.commands.simulators import simulator
from web.cli import main


def socat(path: Path, text: str, lines: int) -> str:
    """The first lines that come back for a text, by Debian's socat."""
    command = [require_program("socat"), "-", f"{path},raw,echo=0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text)
        process.stdin.flush()
        answer = "".join(process.stdout.readline() for _ in range(lines))
        process.terminate()
    return answer


def test_a_simulated_supply_answers_any_serial_program(tmp_path: Path) -> None:
    with simulator("psu", tmp_path, "--baud", "115200") as shown:
        assert str(tmp_path / "psu") in shown
        assert "115200 baud" in shown
        assert socat(tmp_path / "psu", "*IDN?\n", 1) == "TONGKE,PSU,SN0001,1.0\n"
        answer = socat(tmp_path / "psu", "VOLT 5;VOLT?\nBAD\nSYST:ERR?\n", 2)
        assert answer == '5.000000E+00\n-113,"Undefined header"\n'
    assert not (tmp_path / "psu").is_symlink()


def test_a_fault_is_there_from_the_start(tmp_path: Path) -> None:
    with simulator("lamp", tmp_path, "--fault", "psu:babble") as shown:
        assert "with faults" in shown
        assert socat(tmp_path / "psu", "*OPC?\n", 3) == "1\n1\n1\n"
        assert socat(tmp_path / "dmm", "*IDN?\n", 1) == "TONGKE,DMM,SN0002,1.0\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["coffee"], "there is no simulated 'coffee'"),
        (["psu", "--fault", "tea"], "there is no fault 'tea'"),
        (["psu", "--baud", "0"], "is no baud rate"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["simulate", *arguments]) == 2
    assert complaint in capsys.readouterr().err
