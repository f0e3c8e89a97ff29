"""The multimeter's firmware: its leads are across the lamp, its shunt is in the circuit."""

from __future__ import annotations

from devices.sim.firmware.scpi import ScpiFirmware, scientific
from devices.sim.physics.lamp import LampCircuit

OVERLOAD = "9.9E37"


class MultimeterFirmware(ScpiFirmware):
    """Measures, and never touches the circuit."""

    def __init__(self, circuit: LampCircuit, serial: str = "SN0002") -> None:
        super().__init__(f"TONGKE,DMM,{serial},1.0")
        self._circuit = circuit
        self.on("MEASure:VOLTage?", lambda args: scientific(circuit.lamp_v))
        self.on("MEASure:VOLTage:DC?", lambda args: scientific(circuit.lamp_v))
        self.on("MEASure:CURRent?", lambda args: scientific(circuit.current_a))
        self.on("MEASure:CURRent:DC?", lambda args: scientific(circuit.current_a))
        self.on("MEASure:RESistance?", lambda args: self._resistance())

    def advance(self, now_ms: float) -> None:
        """Let the circuit go on."""
        self._circuit.advance(now_ms)

    def _resistance(self) -> str:
        """An ohmmeter drives its own small current: in a circuit under power it can tell nothing."""
        return OVERLOAD if self._circuit.current_a > 0.0 else scientific(self._circuit.lamp_ohm)
