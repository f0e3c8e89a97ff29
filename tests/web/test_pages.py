from __future__ import annotations

from pathlib import Path

import pytest
from yarl import URL

from tests.web.lab import BENCH, Server


async def test_every_page_says_what_the_browser_may_do(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        for path in ("/", f"/lab/{BENCH}", "/nothing/here", "/healthz"):
            async with server.session.get(server.url + path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert server.url.replace("http", "ws") in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "aiohttp" not in answer.headers["Server"]


async def test_an_unknown_address_is_a_page_and_a_wrong_method_a_sentence(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        async with server.session.get(server.url + "/nothing/here") as answer:
            assert (answer.status, answer.content_type) == (404, "text/html")
        async with server.session.post(server.url + "/healthz") as answer:
            assert answer.status == 405


@pytest.mark.parametrize(
    "path", ["/static/..%2fpages.py", "/static/%2e%2e/pages.py", "/static/nothing.js", "/static/assets"]
)
async def test_nothing_but_the_bundle_is_served(tmp_path: Path, path: str) -> None:
    from yarl import URL

    async with Server(tmp_path) as server, server.session.get(URL(server.url + path, encoded=True)) as answer:
        assert answer.status == 404


async def test_files_with_a_hash_in_their_name_may_be_kept_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "static" / "assets").mkdir(parents=True)
    (tmp_path / "static" / "assets" / "lab-12345678.js").write_text("1")
    (tmp_path / "static" / "lab.html").write_text("<!doctype html>")
    monkeypatch.setattr("web.pages.STATIC", tmp_path / "static")
    async with Server(tmp_path / "data") as server:
        async with server.session.get(server.url + "/static/assets/lab-12345678.js") as answer:
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.content_type.endswith("/javascript")
        async with server.session.get(server.url + "/lab/anything") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
            assert await answer.text() == "<!doctype html>"


async def test_without_a_bundle_the_page_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.STATIC", tmp_path / "nowhere")
    async with Server(tmp_path) as server:
        for path in ("/", "/lab/lamp"):
            async with server.session.get(server.url + path) as answer:
                assert answer.status == 503
                assert "has not been built" in await answer.text()


async def test_health_counts_benches(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, server.session.get(server.url + "/healthz") as answer:
        assert await answer.json() == {"status": "ok", "benches": 2, "benches_online": 2}


@pytest.mark.parametrize("path", ["%00", "a" * 3_000, "%2e%2e/app.py", "/etc/passwd", "..%2f..%2fpyproject.toml"])
async def test_a_file_name_that_is_none_is_not_found(tmp_path: Path, path: str) -> None:
    async with (
        Server(tmp_path) as server,
        server.session.get(URL(f"{server.url}/static/{path}", encoded=True)) as answer,
    ):
        assert answer.status == 404
