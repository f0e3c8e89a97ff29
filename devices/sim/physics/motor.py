"""A DC motor between two end stops: exact between changes of the voltage.

``J dω/dt = K i - b ω`` and ``i = (u - K ω) / R``; the armature's inductance is too small to matter. For a constant
voltage the speed approaches ``ω∞ = K u / (K² + b R)`` with the time constant ``τ = J R / (K² + b R)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MotorData:
    """A small geared motor with a flywheel: 12 V turn it at about 5.5 turns per second."""

    torque_nm_a: float = 0.3
    resistance_ohm: float = 4.0
    inertia_kg_m2: float = 4.0e-3
    friction_nm_s: float = 4.0e-3
    end_stop_rad: float = 20.0 * math.pi

    @property
    def time_constant_s(self) -> float:
        """How fast the speed follows the voltage."""
        return self.inertia_kg_m2 * self.resistance_ohm / self._damping

    def final_speed(self, volts: float) -> float:
        """The speed in rad/s that a voltage leads to."""
        return self.torque_nm_a * volts / self._damping

    @property
    def _damping(self) -> float:
        return self.torque_nm_a**2 + self.friction_nm_s * self.resistance_ohm


class Motor:
    """Speed and position, and what voltage is applied."""

    def __init__(self, data: MotorData | None = None) -> None:
        self.data = data or MotorData()
        self.volts = 0.0
        self.speed_rad_s = 0.0
        self.position_rad = 0.0

    @property
    def current_a(self) -> float:
        """What flows through the armature."""
        return (self.volts - self.data.torque_nm_a * self.speed_rad_s) / self.data.resistance_ohm

    @property
    def at_end_stop(self) -> bool:
        """Whether it stands at one of its mechanical ends."""
        return abs(self.position_rad) >= self.data.end_stop_rad

    def step(self, dt_s: float) -> None:
        """Turn for a time under a constant voltage; an end stop takes all speed."""
        final = self.data.final_speed(self.volts)
        tau = self.data.time_constant_s
        decay = math.exp(-dt_s / tau)
        self.position_rad += final * dt_s + (self.speed_rad_s - final) * tau * (1.0 - decay)
        self.speed_rad_s = final + (self.speed_rad_s - final) * decay
        if self.at_end_stop:
            self.position_rad = math.copysign(self.data.end_stop_rad, self.position_rad)
            if self.speed_rad_s * self.position_rad > 0.0:
                self.speed_rad_s = 0.0
