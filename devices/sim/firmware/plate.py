"""The heated plate's firmware: a terse line protocol, and a cut-off that latches.

=========  ==================  ==========================================
request    reply               meaning
=========  ==================  ==========================================
``I?``     ``TONGKE PLATE …``  who it is
``T?``     ``T 23.41``         the thermocouple, in °C
``P?``     ``P 40.0``          the heating power, in percent
``P 40``   ``OK``              heat with 40 percent
``S?``     ``S 0`` or ``S 1``  whether the over-temperature cut-off has tripped
``R``      ``OK``              reset the cut-off, once it has cooled down
=========  ==================  ==========================================

Anything else is answered by ``E`` and a reason. Requests end with CR, replies with CR LF.
"""

from __future__ import annotations

from devices.sim.physics.plate import Plate

CUT_OFF_C = 180.0
RESET_BELOW_C = 150.0
MAX_LINE_BYTES = 64
STEP_S = 0.05
MAX_STEPS = 2_000


class PlateFirmware:
    """Heats, measures, and switches itself off when it gets too hot."""

    cancel = b""

    def __init__(self, plate: Plate, serial: str = "SN0006") -> None:
        self.plate = plate
        self.tripped = False
        self._identity = f"TONGKE PLATE {serial} 1.0"
        self._line = bytearray()
        self._time_ms: float | None = None

    def receive(self, data: bytes, now_ms: float) -> bytes:
        """Take bytes from the line; the replies to all lines that are complete by now."""
        self._advance(now_ms)
        self._line += data
        replies = ""
        while (end := self._line.find(b"\r")) >= 0:
            line = bytes(self._line[:end]).decode("ascii", "replace").strip()
            del self._line[: end + 1]
            replies += self._answer(line) + "\r\n"
        if len(self._line) > MAX_LINE_BYTES:
            self._line.clear()
        return replies.encode("ascii")

    def restart(self, now_ms: float) -> None:
        """Power off and on: the heater is off, the cut-off forgotten."""
        self._advance(now_ms)
        self._line.clear()
        self.plate.power_w = 0.0
        self.tripped = False

    def _advance(self, now_ms: float) -> None:
        elapsed_s = 0.0 if self._time_ms is None else max(0.0, (now_ms - self._time_ms) / 1_000.0)
        self._time_ms = now_ms
        steps = min(int(elapsed_s / STEP_S) + 1, MAX_STEPS)
        for _ in range(steps):
            self.plate.step(elapsed_s / steps)
            if self.plate.thermocouple_c > CUT_OFF_C:
                self.tripped = True
                self.plate.power_w = 0.0

    def _answer(self, line: str) -> str:
        match line.upper().split():
            case ["I?"]:
                return self._identity
            case ["T?"]:
                return f"T {self.plate.thermocouple_c:.2f}"
            case ["P?"]:
                return f"P {100.0 * self.plate.power_w / self.plate.data.full_power_w:.1f}"
            case ["S?"]:
                return f"S {int(self.tripped)}"
            case ["P", percent]:
                return self._heat(percent)
            case ["R"]:
                if self.plate.thermocouple_c > RESET_BELOW_C:
                    return "E STILL HOT"
                self.tripped = False
                return "OK"
            case _:
                return "E UNKNOWN"

    def _heat(self, percent: str) -> str:
        try:
            value = float(percent)
        except ValueError:
            return "E NUMBER"
        if not 0.0 <= value <= 100.0:
            return "E RANGE"
        if self.tripped and value > 0.0:
            return "E TRIPPED"
        self.plate.power_w = self.plate.data.full_power_w * value / 100.0
        return "OK"
