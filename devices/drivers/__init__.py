"""Tongke's own drivers. Other packages offer theirs by the entry point group ``tongke.drivers``."""

from __future__ import annotations

from devices.driver import Driver
from devices.drivers.dmm import Multimeter
from devices.drivers.generator import FunctionGenerator
from devices.drivers.motor import MotorController
from devices.drivers.plate import HeatedPlate
from devices.drivers.probe import Probe
from devices.drivers.psu import PowerSupply
from devices.drivers.scope import Oscilloscope

BUILT_IN: tuple[type[Driver], ...] = (
    FunctionGenerator,
    HeatedPlate,
    MotorController,
    Multimeter,
    Oscilloscope,
    PowerSupply,
    Probe,
)
