from __future__ import annotations

import time
from pathlib import Path

import pytest

from signaling.tokens import Audience, Right, check
from web.cli import main
from web.keys import load_keys


def test_a_link_names_each_bench_and_carries_the_token_in_its_fragment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--bench", "lamp", "--bench", "motor", "--name", "Li Na", "--rights", "control,stop", "--hours", "2"]
    assert main(["token", "--data", str(tmp_path), *options]) == 0
    links = capsys.readouterr().out.split()
    assert [link.partition("#token=")[0].rpartition("/lab/")[2] for link in links] == ["lamp", "motor"]
    keys = load_keys(tmp_path / "signing.key")
    grant = check(links[0].partition("#token=")[2], Audience.BENCH, keys, now_s=time.time())
    assert (grant.name, grant.scope) == ("Li Na", ("lamp", "motor"))
    assert grant.rights == {Right.OBSERVE, Right.CONTROL, Right.STOP}
    assert grant.expires_s == pytest.approx(time.time() + 7_200, abs=60)


def test_a_lab_pc_gets_a_bare_token_for_a_year(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--data", str(tmp_path), "--agent", "lab-pc", "--bench", "lamp"]) == 0
    token = capsys.readouterr().out.strip()
    grant = check(token, Audience.AGENT, load_keys(tmp_path / "signing.key"), now_s=time.time())
    assert (grant.subject, grant.scope, grant.rights) == ("lab-pc", ("lamp",), frozenset())
    assert grant.expires_s > time.time() + 300 * 86_400


def test_a_participant_can_be_the_same_one_every_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--data", str(tmp_path), "--bench", "lamp", "--subject", "li-na"]) == 0
    token = capsys.readouterr().out.partition("#token=")[2].strip()
    assert check(token, Audience.BENCH, load_keys(tmp_path / "signing.key"), now_s=time.time()).subject == "li-na"


def test_a_right_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--data", str(tmp_path), "--bench", "lamp", "--rights", "fly"]) == 1
    assert "fly" in capsys.readouterr().err
