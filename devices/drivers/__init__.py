"""Tongke's own drivers. Other packages offer theirs by the entry point group ``tongke.drivers``."""

from __future__ import annotations

from devices.driver import Driver
from devices.drivers.psu import PowerSupply

BUILT_IN: tuple[type[Driver], ...] = (PowerSupply,)
