"""The function generator's firmware."""

from __future__ import annotations

from devices.sim.firmware.scpi import ScpiError, ScpiFirmware, number_in, scientific, switch_in, word_in
from devices.sim.physics.rlc import ResonanceBench, Waveform

MAX_PEAK_V = 10.0


class GeneratorFirmware(ScpiFirmware):
    """Sets the wave. Offset and amplitude together never leave ±10 V."""

    def __init__(self, bench: ResonanceBench, serial: str = "SN0003") -> None:
        super().__init__(f"TONGKE,GENERATOR,{serial},1.0")
        self._bench = bench
        self.on("FREQuency", self._set_frequency)
        self.on("FREQuency?", lambda args: scientific(bench.frequency_hz))
        self.on("VOLTage", self._set_amplitude)
        self.on("VOLTage?", lambda args: scientific(bench.amplitude_v))
        self.on("VOLTage:OFFSet", self._set_offset)
        self.on("VOLTage:OFFSet?", lambda args: scientific(bench.offset_v))
        self.on("FUNCtion", self._set_waveform)
        self.on("FUNCtion?", lambda args: bench.waveform.value)
        self.on("OUTPut", self._set_output)
        self.on("OUTPut?", lambda args: str(int(bench.output)))

    def reset(self) -> None:
        """1 kHz, 1 V, sine, output off."""
        fresh = ResonanceBench()
        self._bench.frequency_hz = fresh.frequency_hz
        self._bench.amplitude_v = fresh.amplitude_v
        self._bench.offset_v = fresh.offset_v
        self._bench.waveform = fresh.waveform
        self._bench.output = fresh.output

    def _set_frequency(self, args: list[str]) -> None:
        self._bench.frequency_hz = number_in(args, 1.0, 1e6)

    def _set_amplitude(self, args: list[str]) -> None:
        amplitude = number_in(args, 0.0, MAX_PEAK_V)
        self._check_peak(amplitude, self._bench.offset_v)
        self._bench.amplitude_v = amplitude

    def _set_offset(self, args: list[str]) -> None:
        offset = number_in(args, -MAX_PEAK_V, MAX_PEAK_V)
        self._check_peak(self._bench.amplitude_v, offset)
        self._bench.offset_v = offset

    def _set_waveform(self, args: list[str]) -> None:
        self._bench.waveform = Waveform(word_in(args, "SINusoid", "SQUare", "TRIangle"))

    def _set_output(self, args: list[str]) -> None:
        self._bench.output = switch_in(args)

    def _check_peak(self, amplitude_v: float, offset_v: float) -> None:
        if amplitude_v + abs(offset_v) > MAX_PEAK_V:
            raise ScpiError(-221, "Settings conflict")
