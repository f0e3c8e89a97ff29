"""The power supply's firmware."""

from __future__ import annotations

from devices.sim.firmware.scpi import ScpiFirmware, number_in, scientific, switch_in
from devices.sim.physics.lamp import LampCircuit

MAX_V = 30.0
MAX_A = 3.0


class SupplyFirmware(ScpiFirmware):
    """Sets the circuit's supply, and measures at its terminals."""

    def __init__(self, circuit: LampCircuit, serial: str = "SN0001") -> None:
        super().__init__(f"TONGKE,PSU,{serial},1.0")
        self._circuit = circuit
        self.on("VOLTage", self._set_voltage)
        self.on("VOLTage?", lambda args: scientific(circuit.supply_v))
        self.on("CURRent", self._set_limit)
        self.on("CURRent?", lambda args: scientific(circuit.limit_a))
        self.on("OUTPut", self._set_output)
        self.on("OUTPut?", lambda args: str(int(circuit.output)))
        self.on("STATus:LIMit?", lambda args: str(int(circuit.limiting)))
        self.on("MEASure:VOLTage?", lambda args: scientific(circuit.terminal_v))
        self.on("MEASure:CURRent?", lambda args: scientific(circuit.current_a))
        self.on("MEASure:POWer?", lambda args: scientific(circuit.terminal_v * circuit.current_a))

    def reset(self) -> None:
        """Output off, 0 V, 1 A."""
        self._circuit.supply_v = 0.0
        self._circuit.limit_a = 1.0
        self._circuit.output = False

    def advance(self, now_ms: float) -> None:
        """Let the circuit go on."""
        self._circuit.advance(now_ms)

    def _set_voltage(self, args: list[str]) -> None:
        self._circuit.supply_v = number_in(args, 0.0, MAX_V)

    def _set_limit(self, args: list[str]) -> None:
        self._circuit.limit_a = number_in(args, 0.0, MAX_A)

    def _set_output(self, args: list[str]) -> None:
        self._circuit.output = switch_in(args)
