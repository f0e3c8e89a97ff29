"""A SCPI command parser: message units, short and long headers, the error queue, the common commands of IEEE 488.2."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Handler: TypeAlias = Callable[[list[str]], str | bytes | None]

MAX_LINE_BYTES = 512
MAX_ERRORS = 16


class ScpiError(Exception):
    """What goes into the error queue (SCPI 1999, volume 2, chapter 21)."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number
        self.text = text


class ScpiFirmware:
    """The speaking half of an instrument; a subclass adds its headers with :meth:`on`."""

    cancel = b"\x18"

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.errors: deque[ScpiError] = deque()
        self._line = bytearray()
        self._handlers: dict[str, Handler] = {}
        self.on("*IDN?", lambda args: self.identity)
        self.on("*RST", lambda args: self.reset())
        self.on("*CLS", lambda args: self.errors.clear())
        self.on("*OPC?", lambda args: "1")
        self.on("SYSTem:VERSion?", lambda args: "1999.0")
        self.on("SYSTem:ERRor?", lambda args: self._next_error())
        self.on("SYSTem:ERRor:NEXT?", lambda args: self._next_error())

    def on(self, header: str, handler: Handler) -> None:
        """Answer a header, written as manuals do: capitals are the short form."""
        for spelling in _spellings(header):
            self._handlers[spelling] = handler

    def reset(self) -> None:
        """``*RST``: every setting as after switching on."""

    def advance(self, now_ms: float) -> None:
        """Let the world go on until now."""

    def receive(self, data: bytes, now_ms: float) -> bytes:
        """Take bytes from the line; the replies to all lines that are complete by now."""
        self.advance(now_ms)
        self._line += data
        replies = bytearray()
        while (end := self._line.find(b"\n")) >= 0:
            line = bytes(self._line[:end])
            del self._line[: end + 1]
            replies += self._answer(line)
        if len(self._line) > MAX_LINE_BYTES:
            self._line.clear()
            self._fail(ScpiError(-363, "Input buffer overrun"))
        return bytes(replies)

    def restart(self, now_ms: float) -> None:
        """Power off and on."""
        self.advance(now_ms)
        self._line.clear()
        self.errors.clear()
        self.reset()

    def _answer(self, line: bytes) -> bytes:
        try:
            text = line.decode("ascii").strip()
        except UnicodeDecodeError:
            self._fail(ScpiError(-101, "Invalid character"))
            return b""
        answers = []
        for unit in filter(None, map(str.strip, text.split(";"))):
            try:
                answer = self._do(unit)
            except ScpiError as error:
                self._fail(error)
                continue
            if answer is not None:
                answers.append(answer if isinstance(answer, bytes) else answer.encode("ascii"))
        return b";".join(answers) + b"\n" if answers else b""

    def _do(self, unit: str) -> str | bytes | None:
        header, _, rest = unit.partition(" ")
        handler = self._handlers.get(header.lstrip(":").upper())
        if handler is None:
            raise ScpiError(-113, "Undefined header")
        return handler([each.strip() for each in rest.split(",")] if rest.strip() else [])

    def _fail(self, error: ScpiError) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)
        else:
            self.errors[-1] = ScpiError(-350, "Queue overflow")

    def _next_error(self) -> str:
        if not self.errors:
            return '0,"No error"'
        error = self.errors.popleft()
        return f'{error.number},"{error.text}"'


def number_in(args: list[str], low: float, high: float) -> float:
    """The one argument as a number between the limits. Raises :class:`ScpiError`."""
    text = only(args)
    try:
        value = float(text)
    except ValueError:
        raise ScpiError(-104, "Data type error") from None
    if not low <= value <= high:
        raise ScpiError(-222, "Data out of range")
    return value


def switch_in(args: list[str]) -> bool:
    """The one argument as a switch. Raises :class:`ScpiError`."""
    text = only(args).upper()
    if text not in {"0", "1", "ON", "OFF"}:
        raise ScpiError(-224, "Illegal parameter value")
    return text in {"1", "ON"}


def word_in(args: list[str], *words: str) -> str:
    """The one argument as one of these words, in its short form. Raises :class:`ScpiError`."""
    text = only(args).upper()
    for word in words:
        short = "".join(each for each in word if not each.islower())
        if text in {short, word.upper()}:
            return short
    raise ScpiError(-224, "Illegal parameter value")


def only(args: list[str]) -> str:
    """The one argument that there must be. Raises :class:`ScpiError`."""
    if not args:
        raise ScpiError(-109, "Missing parameter")
    if len(args) > 1:
        raise ScpiError(-108, "Parameter not allowed")
    return args[0]


def scientific(value: float) -> str:
    """A number as instruments send it."""
    return f"{value:.6E}"


def block(data: bytes) -> bytes:
    """A definite-length block (IEEE 488.2, 8.7.9)."""
    length = str(len(data)).encode()
    return b"#" + str(len(length)).encode() + length + data


def _spellings(header: str) -> list[str]:
    """Every way to write a header: each word short or long."""
    spellings = [""]
    for word in re.split("(:)", header):
        short = "".join(each for each in word if not each.islower())
        spellings = [before + each for before in spellings for each in dict.fromkeys((short, word.upper()))]
    return spellings
