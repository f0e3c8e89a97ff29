from __future__ import annotations

import stat
from pathlib import Path

import pytest

from signaling.errors import Code, OurError
from web.keys import load_keys


def test_a_new_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "signing.key"
    keys = load_keys(path)
    assert len(keys.newest) == 32
    assert keys.older == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(path) == keys


def test_the_first_line_signs_and_the_others_still_check(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    path.write_text(f"{'ab' * 32}\n{'cd' * 32}\n")
    keys = load_keys(path)
    assert (keys.newest, keys.older) == (b"\xab" * 32, (b"\xcd" * 32,))


@pytest.mark.parametrize("text", ["", "nothex", "abcd", "zz" * 32])
def test_a_file_without_good_keys_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signing.key"
    path.write_text(text)
    with pytest.raises(OurError) as raised:
        load_keys(path)
    assert raised.value.code is Code.STORAGE_FAILED
    assert not text or text not in raised.value.text


def test_keys_do_not_show_in_logs(tmp_path: Path) -> None:
    keys = load_keys(tmp_path / "signing.key")
    assert keys.newest.hex() not in repr(keys)
    assert str(keys.newest) not in repr(keys)
