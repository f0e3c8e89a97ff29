"""The oscilloscope's firmware: two channels, eight bits, ten divisions of time and eight of voltage."""

from __future__ import annotations

import itertools
import struct

from devices.sim.firmware.scpi import ScpiFirmware, block, number_in, scientific, switch_in
from devices.sim.physics.rlc import ResonanceBench

POINTS = 500
TIME_DIVISIONS = 10
CODES_PER_DIVISION = 25
MAX_CODE = 100
"""Four divisions above and below the middle; more is clipped."""
SEARCH_POINTS = 400


class ScopeFirmware(ScpiFirmware):
    """Looks at the two channels; triggered by channel 1's rising edge, free-running when there is none."""

    def __init__(self, bench: ResonanceBench, serial: str = "SN0004") -> None:
        super().__init__(f"TONGKE,SCOPE,{serial},1.0")
        self._bench = bench
        self._now_s = 0.0
        self.reset()
        self.on("TIMebase:SCALe", self._set_timebase)
        self.on("TIMebase:SCALe?", lambda args: scientific(self.timebase_s))
        self.on("TRIGger:LEVel", self._set_trigger)
        self.on("TRIGger:LEVel?", lambda args: scientific(self.trigger_v))
        self.on("RUN", lambda args: self._run(True))
        self.on("STOP", lambda args: self._run(False))
        self.on("RUN:STATe", lambda args: self._run(switch_in(args)))
        self.on("RUN:STATe?", lambda args: str(int(self.running)))
        self.on("MEASure:PHASe?", lambda args: self._phase())
        for channel in (1, 2):
            self._add_channel(channel)

    def _add_channel(self, channel: int) -> None:
        def set_scale(args: list[str]) -> None:
            self.scale_v[channel] = number_in(args, 1e-3, 10.0)

        self.on(f"CHANnel{channel}:SCALe", set_scale)
        self.on(f"CHANnel{channel}:SCALe?", lambda args: scientific(self.scale_v[channel]))
        self.on(f"MEASure{channel}:VPP?", lambda args: scientific(self._bench.peak_to_peak(channel)))
        self.on(f"WAVeform{channel}:PREamble?", lambda args: self._preamble(channel))
        self.on(f"WAVeform{channel}:DATA?", lambda args: block(self._samples(channel)))

    def reset(self) -> None:
        """200 µs and 500 mV per division, trigger at 0 V, running."""
        self.timebase_s = 200e-6
        self.scale_v = {1: 0.5, 2: 0.5}
        self.trigger_v = 0.0
        self.running = True
        self._held: dict[int, bytes] = {}

    def advance(self, now_ms: float) -> None:
        """Remember the time, for a free-running trace."""
        self._now_s = now_ms / 1_000.0

    def _set_timebase(self, args: list[str]) -> None:
        self.timebase_s = number_in(args, 1e-6, 1.0)

    def _set_trigger(self, args: list[str]) -> None:
        self.trigger_v = number_in(args, -20.0, 20.0)

    def _run(self, on: bool) -> None:
        """Stopped, it keeps showing what it had."""
        if not on and self.running:
            self._held = {channel: self._acquire(channel) for channel in self.scale_v}
        self.running = on

    def _phase(self) -> str:
        return f"{self._bench.phase_deg() if self._bench.output else 0.0:.3f}"

    def _preamble(self, channel: int) -> str:
        """First time, time step, volts per code; the trigger is at time 0."""
        span_s = self.timebase_s * TIME_DIVISIONS
        numbers = (-span_s / 2.0, span_s / POINTS, self.scale_v[channel] / CODES_PER_DIVISION)
        return ",".join(map(scientific, numbers))

    def _samples(self, channel: int) -> bytes:
        return self._acquire(channel) if self.running else self._held[channel]

    def _acquire(self, channel: int) -> bytes:
        step_s = self.timebase_s * TIME_DIVISIONS / POINTS
        start_s = self._trigger_s() - self.timebase_s * TIME_DIVISIONS / 2.0
        per_volt = CODES_PER_DIVISION / self.scale_v[channel]
        codes = (round(volts * per_volt) for volts in self._bench.trace(channel, start_s, step_s, POINTS))
        return struct.pack(f"{POINTS}b", *(max(-MAX_CODE, min(MAX_CODE, code)) for code in codes))

    def _trigger_s(self) -> float:
        """When channel 1 rises through the level; now, when it never does."""
        step_s = 1.0 / self._bench.frequency_hz / SEARCH_POINTS
        # From half a period back, so that a crossing exactly at time 0 lies inside.
        start_s = -step_s * SEARCH_POINTS / 2
        volts = self._bench.trace(1, start_s, step_s, SEARCH_POINTS + 1)
        for i, (before, after) in enumerate(itertools.pairwise(volts)):
            if before < self.trigger_v <= after:
                return start_s + step_s * (i + (self.trigger_v - before) / (after - before))
        return self._now_s
