"""A supply, a series resistor and a lamp whose resistance follows its filament's temperature.

The filament is heated by its own current and cooled by radiation and conduction:
``C dT/dt = I² R(T) - k_rad (T⁴ - T₀⁴) - k_cond (T - T₀)`` with ``R(T) = R₀ (T/T₀)^1.2`` for tungsten.
"""

from __future__ import annotations

from dataclasses import dataclass

AMBIENT_K = 293.15
MAX_STEP_S = 0.005
MAX_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class Filament:
    """A small 12 V lamp, heavy enough that its warming up can be watched."""

    cold_ohm: float = 2.0
    heat_capacity_j_k: float = 1.5e-3
    radiation_w_k4: float = 8.8e-14
    conduction_w_k: float = 2.0e-4

    def resistance_ohm(self, temperature_k: float) -> float:
        """Tungsten: a power law from ambient to white heat."""
        return float(self.cold_ohm * (temperature_k / AMBIENT_K) ** 1.2)

    def loss_w(self, temperature_k: float) -> float:
        """What it gives away at that temperature."""
        return self.radiation_w_k4 * (temperature_k**4 - AMBIENT_K**4) + self.conduction_w_k * (
            temperature_k - AMBIENT_K
        )


class LampCircuit:
    """The bench: what the supply is set to, and what the circuit does about it."""

    def __init__(self, filament: Filament | None = None, series_ohm: float = 10.0) -> None:
        self.filament = filament or Filament()
        self.series_ohm = series_ohm
        self.supply_v = 0.0
        self.limit_a = 1.0
        self.output = False
        self.temperature_k = AMBIENT_K
        self._time_ms: float | None = None

    @property
    def lamp_ohm(self) -> float:
        """The lamp's resistance now."""
        return self.filament.resistance_ohm(self.temperature_k)

    @property
    def current_a(self) -> float:
        """What flows: by Ohm's law, or the supply's limit if that is less."""
        if not self.output:
            return 0.0
        return min(self.supply_v / (self.series_ohm + self.lamp_ohm), self.limit_a)

    @property
    def limiting(self) -> bool:
        """Whether the supply holds its current limit instead of its voltage."""
        return self.output and self.supply_v / (self.series_ohm + self.lamp_ohm) > self.limit_a

    @property
    def terminal_v(self) -> float:
        """The voltage at the supply's terminals."""
        return self.current_a * (self.series_ohm + self.lamp_ohm)

    @property
    def lamp_v(self) -> float:
        """The voltage across the lamp."""
        return self.current_a * self.lamp_ohm

    def advance(self, now_ms: float) -> None:
        """Let the filament warm up or cool down until now, with the settings as they have been."""
        elapsed_s = 0.0 if self._time_ms is None else max(0.0, (now_ms - self._time_ms) / 1_000.0)
        self._time_ms = now_ms
        steps = min(int(elapsed_s / MAX_STEP_S) + 1, MAX_STEPS)
        for _ in range(steps):
            self._step(elapsed_s / steps)

    def _step(self, dt_s: float) -> None:
        """One linearly implicit Euler step: it settles on the exact balance however long the step is."""
        power_w = self._balance_w(self.temperature_k)
        slope_w_k = (self._balance_w(self.temperature_k + 0.01) - power_w) / 0.01
        capacity = self.filament.heat_capacity_j_k
        self.temperature_k += dt_s * power_w / (capacity - dt_s * min(slope_w_k, 0.0))

    def _balance_w(self, temperature_k: float) -> float:
        resistance = self.filament.resistance_ohm(temperature_k)
        current = min(self.supply_v / (self.series_ohm + resistance), self.limit_a) if self.output else 0.0
        return current**2 * resistance - self.filament.loss_w(temperature_k)
