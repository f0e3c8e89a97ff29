"""A heated plate with a thermocouple on it: two first-order lags in a row, exact between changes of the power.

``C dT/dt = P - h (T - T₀)`` for the plate, and the thermocouple follows it with its own time constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AMBIENT_C = 20.0


@dataclass(frozen=True, slots=True)
class PlateData:
    """At full power it would reach 220 °C."""

    full_power_w: float = 60.0
    loss_w_k: float = 0.3
    heat_capacity_j_k: float = 12.0
    thermocouple_s: float = 2.0

    @property
    def time_constant_s(self) -> float:
        """How fast the plate follows the power."""
        return self.heat_capacity_j_k / self.loss_w_k

    def final_c(self, power_w: float) -> float:
        """The temperature that a power leads to."""
        return AMBIENT_C + power_w / self.loss_w_k


class Plate:
    """Temperatures, and the heating power."""

    def __init__(self, data: PlateData | None = None) -> None:
        self.data = data or PlateData()
        self.power_w = 0.0
        self.plate_c = AMBIENT_C
        self.thermocouple_c = AMBIENT_C

    def step(self, dt_s: float) -> None:
        """Let time pass under a constant power."""
        final = self.data.final_c(self.power_w)
        tau, lag = self.data.time_constant_s, self.data.thermocouple_s
        away = self.plate_c - final
        # The thermocouple's answer to an exponential, plus what is left of its own start.
        forced = away * tau / (tau - lag)
        own = self.thermocouple_c - final - forced
        self.plate_c = final + away * math.exp(-dt_s / tau)
        self.thermocouple_c = final + forced * math.exp(-dt_s / tau) + own * math.exp(-dt_s / lag)
