"""One simulated instrument on a pty: its bytes take the time that they take on a serial line.

A symbolic link leads to the pty and survives unplugging, as a name under ``/dev/serial/by-id`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

from devices.sim.faults import ActiveFault, Fault, noise
from devices.sim.ports import Firmware

PUMP_S = 0.001
"""How finely an answer is spread over time at a high baud rate."""
FIFO_BYTES = 8
"""A UART such as the 16550 hands bytes over by the eight at most, and the end of a reply at once."""
BITS_PER_BYTE = 10


class PtyPort:
    """A firmware behind a pty, in the running event loop. ``baud=None`` means as fast as possible."""

    def __init__(
        self,
        firmware: Firmware,
        link: Path,
        *,
        clock: Callable[[], float],
        baud: int | None = None,
        service_ms: float = 0.0,
    ) -> None:
        self.firmware = firmware
        self.link = link.absolute()
        self.service_ms = service_ms
        """How long the instrument thinks about each request."""
        self.requests = 0
        """How many pieces of input have been handed to the firmware or swallowed by a fault."""
        self._clock = clock
        self._byte_s = BITS_PER_BYTE / baud if baud else 0.0
        self._master = self._slave = -1
        self._loop = asyncio.get_running_loop()
        self._fault: ActiveFault | None = None
        self._outgoing = bytearray()
        self._line_in_s = self._line_out_s = self._thinking_s = 0.0
        self._generation = 0

    @property
    def plugged_in(self) -> bool:
        """Whether the port exists."""
        return self._master >= 0

    def plug_in(self) -> None:
        """Make the port appear, under a new pty and the old link. Raises OSError."""
        if self.plugged_in:
            return
        # The slave end stays open here, so that the port does not hang up when a program lets go of it.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)
        self._loop.add_reader(self._master, self._readable)

    def unplug(self) -> None:
        """Pull the cable: whoever has the port open loses it; bytes on the way are gone."""
        if not self.plugged_in:
            return
        self._generation += 1
        self._outgoing.clear()
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def fail(self, fault: Fault, *, times: int | None = None, slow_ms: float = 400.0) -> None:
        """From now on answer requests this way, ``times`` of them or until :meth:`work`."""
        self._fault = ActiveFault(fault, times, slow_ms)

    def work(self) -> None:
        """End the fault."""
        self._fault = None

    def say(self, data: bytes) -> None:
        """Send bytes that nobody asked for."""
        self._send(data, self._generation)

    # Towards the instrument.

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 65_536)
        except OSError:
            return
        cancel = self.firmware.cancel
        if cancel and cancel in data:
            data = data.rpartition(cancel)[2]
            self._outgoing.clear()
            self._line_in_s = 0.0
            self._generation += 1
        if not data:
            return
        if not self._byte_s:
            self._arrive(data, self._generation)
            return
        self._line_in_s = max(self._line_in_s, self._loop.time()) + len(data) * self._byte_s
        self._loop.call_at(self._line_in_s, self._arrive, data, self._generation)

    def _arrive(self, data: bytes, generation: int) -> None:
        """The last of these bytes has reached the instrument."""
        if generation != self._generation:
            return
        self.requests += 1
        fault = self._next_fault()
        now_ms = self._clock()
        if fault is None:
            self._answer(self.firmware.receive(data, now_ms))
        elif fault.fault is Fault.RESET:
            self.firmware.restart(now_ms)
        elif fault.fault is not Fault.SILENCE:
            self._answer_wrongly(self.firmware.receive(data, now_ms), fault)

    def _next_fault(self) -> ActiveFault | None:
        fault = self._fault
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._fault = None
        return fault

    # From the instrument.

    def _answer_wrongly(self, reply: bytes, fault: ActiveFault) -> None:
        match fault.fault:
            case Fault.GARBAGE:
                self._answer(noise(len(reply)))
            case Fault.SLOW:
                self._answer(reply, fault.slow_ms)
            case Fault.HALF_REPLY:
                self._answer(reply[: len(reply) // 2])
            case Fault.BABBLE:
                self._answer(reply * 3)
            case _:
                self._put(reply[: len(reply) // 2])
                self.unplug()

    def _answer(self, reply: bytes, extra_ms: float = 0.0) -> None:
        thinking_s = (self.service_ms + extra_ms) / 1_000.0
        if not reply:
            return
        if not thinking_s:
            self._send(reply, self._generation)
            return
        self._thinking_s = max(self._thinking_s, self._loop.time()) + thinking_s
        self._loop.call_at(self._thinking_s, self._send, reply, self._generation)

    def _send(self, data: bytes, generation: int) -> None:
        if generation != self._generation or not self.plugged_in:
            return
        if not self._byte_s:
            self._put(data)
            return
        idle = not self._outgoing
        self._outgoing += data
        if idle:
            self._line_out_s = self._loop.time()
            self._pump(generation)

    def _pump(self, generation: int) -> None:
        """Put on the wire what had the time to leave by now."""
        if generation != self._generation:
            return
        due = min(int((self._loop.time() - self._line_out_s) / self._byte_s + 1e-6), len(self._outgoing))
        if due:
            self._put(bytes(self._outgoing[:due]))
            del self._outgoing[:due]
            self._line_out_s += due * self._byte_s
        if self._outgoing:
            piece = min(len(self._outgoing), max(FIFO_BYTES, int(PUMP_S / self._byte_s)))
            self._loop.call_at(self._line_out_s + piece * self._byte_s, self._pump, generation)

    def _put(self, data: bytes) -> None:
        # A reader that does not read loses bytes, as on a serial line without flow control.
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)
