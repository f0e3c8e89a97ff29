"""The simplest SCPI instrument there can be: one number to set and to read. For measuring everything around it."""

from __future__ import annotations

from devices.sim.firmware.scpi import ScpiFirmware, number_in, scientific


class ProbeFirmware(ScpiFirmware):
    """Remembers a value, and counts how often it was set."""

    def __init__(self, serial: str = "SN0000") -> None:
        super().__init__(f"TONGKE,PROBE,{serial},1.0")
        self.value = 0.0
        self.writes = 0
        self.on("VOLTage", self._set)
        self.on("VOLTage?", lambda args: scientific(self.value))
        self.on("MEASure:VOLTage?", lambda args: scientific(self.value))
        self.on("COUNt?", lambda args: str(self.writes))

    def reset(self) -> None:
        """Back to zero."""
        self.value = 0.0

    def _set(self, args: list[str]) -> None:
        self.value = number_in(args, -1_000.0, 1_000.0)
        self.writes += 1
