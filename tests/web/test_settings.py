from __future__ import annotations

from pathlib import Path

import pytest

from web.settings import Settings, SettingsError, load_settings


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tongke.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_the_defaults_hold() -> None:
    assert load_settings(None, {"PATH": "/bin", "TONGKE_SETTINGS": "x"}, {"port": None}) == Settings()


def test_the_command_line_beats_the_environment_and_that_beats_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'host = "0.0.0.0"\nport = 1\nlease_s = 60\norigins = ["https://a.example"]\n')
    settings = load_settings(path, {"TONGKE_PORT": "2", "TONGKE_LEASE_S": "90.5"}, {"port": 3, "host": None})
    assert (settings.host, settings.port, settings.lease_s) == ("0.0.0.0", 3, 90.5)  # noqa: S104  # never listened on
    assert settings.origins == ("https://a.example",)


def test_lists_and_paths_can_come_from_the_environment() -> None:
    environment = {"TONGKE_ORIGINS": "https://a.example, https://b.example", "TONGKE_DATA": "d"}
    settings = load_settings(None, environment, {})
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.data == Path("d")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = file(tmp_path, 'colour = "red"\nport = "many"\norigins = [1]\nlease_s = true\ntls_cert = "cert.pem"\n')
    with pytest.raises(SettingsError) as raised:
        load_settings(path, {"TONGKE_SPEED": "9"}, {"grace_s": -1})
    for part in ("colour", "speed", "port", "origins", "lease_s", "grace_s", "tls_key"):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    "text", ["port = ", "port = 1.5", 'host = ""\nhost = 1', "data = 5", "lease_s = inf", "seat_s = nan"]
)
def test_a_value_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        load_settings(file(tmp_path, text), {}, {})


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_settings(tmp_path / "missing.toml", {}, {})


def test_the_agents_token_in_the_same_environment_is_no_setting_and_no_mistake() -> None:
    assert load_settings(None, {"TONGKE_TOKEN": "secret"}, {}) == Settings()
