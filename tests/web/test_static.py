"""The built bundle, as a server hands it out under a strict content security policy."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import web

STATIC = Path(web.__file__).parent / "static"
PAGES = ("index.html", "lab.html")


class InlineFinder(HTMLParser):
    """Collects what the policy would block, and the addresses that a page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.blocked.append(f"<{tag}>")
        self.blocked += [name for name in given if name == "style" or name.startswith("on")]
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value and tag != "a"]


def read(page: str) -> InlineFinder:
    finder = InlineFinder()
    finder.feed((STATIC / page).read_text())
    return finder


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_inline_code_or_style(page: str) -> None:
    assert read(page).blocked == []


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_asks_for_is_in_the_bundle(page: str) -> None:
    for address in read(page).addresses:
        assert address.startswith("/static/")
        assert (STATIC / address.removeprefix("/static/")).is_file()


def test_every_file_of_the_manifest_can_be_cached_for_ever() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text())
    files = {entry["file"] for entry in manifest.values()}
    assert files
    for name in files:
        assert (STATIC / name).is_file()
        assert re.fullmatch(r"assets/[\w.-]+-[\w-]{8}\.\w+", name)


def test_scripts_evaluate_no_text() -> None:
    for script in STATIC.glob("assets/*.js"):
        assert not re.search(r"\beval\(|\bnew Function\(", script.read_text())
