"""Faults."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.sim.faults import noise


@given(st.integers(0, 200))
def test_noise_is_never_text_and_always_the_same(size: int) -> None:
    assert len(noise(size)) == size + 1
    assert all(byte >= 0x80 for byte in noise(size)[:-1])
    assert noise(size) == noise(size)
