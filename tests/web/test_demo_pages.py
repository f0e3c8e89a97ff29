from __future__ import annotations

from pathlib import Path

import pytest

from remotelab.messages import BenchSnapshot
from tests.web.lab import BENCH, Server
from web.app import build_app
from web.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("student", ("control", "observe", "stop")),
        ("observer", ("observe",)),
        ("supervisor", ("control", "observe", "stop", "supervise")),
    ],
)
async def test_a_visitor_gets_a_token_for_a_role(tmp_path: Path, role: str, may: tuple[str, ...]) -> None:
    async with Server(tmp_path, demo=True) as server:
        wish = {"bench": BENCH, "role": role, "name": " Li Na "}
        async with server.session.post(server.url + "/demo/join", json=wish) as answer:
            given = await answer.json()
        assert given["path"] == f"/lab/{BENCH}"
        snapshot = await (await server.join(given["token"])).next(BenchSnapshot)
        assert snapshot.may == may
        assert snapshot.participants[0].name == "Li Na"


@pytest.mark.parametrize(
    "wish", [{}, {"bench": BENCH}, {"bench": "x", "role": "student"}, {"bench": BENCH, "role": "root"}, [], 5]
)
async def test_a_wish_that_cannot_be_met_is_one_clear_error(tmp_path: Path, wish: object) -> None:
    async with Server(tmp_path, demo=True) as server:
        async with server.session.post(server.url + "/demo/join", json=wish) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "not_found")
        async with server.session.post(server.url + "/demo/join", data=b"{not json") as answer:
            assert answer.status == 404


async def test_a_short_address_leads_to_the_console(tmp_path: Path) -> None:
    async with Server(tmp_path, demo=True) as server:
        async with server.session.get(f"{server.url}/demo/{BENCH}/observer", allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"].startswith(f"/lab/{BENCH}#token=")
            assert answer.headers["Cache-Control"] == "no-store"
        async with server.session.get(f"{server.url}/demo/{BENCH}/root", allow_redirects=False) as answer:
            assert answer.status == 404


async def test_nobody_gives_out_tokens_outside_of_the_demo(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        async with server.session.post(server.url + "/demo/join", json={}) as answer:
            assert answer.status == 404
        async with server.session.get(f"{server.url}/demo/{BENCH}/student", allow_redirects=False) as answer:
            assert answer.status == 404


def test_the_demo_is_for_this_machine_only(tmp_path: Path) -> None:
    everywhere = Settings(data=tmp_path, host="0.0.0.0")  # noqa: S104  # never listened on
    with pytest.raises(SettingsError):
        build_app(everywhere, demo=True)
