"""Text lines, as SCPI and most simple instruments speak them, with IEEE 488.2 blocks of binary data inside."""

from __future__ import annotations

import re
from dataclasses import dataclass

from signaling.errors import Code, DeviceError

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_BLOCK_START = re.compile(rb"(?:\A|[;,])#([1-9])")


@dataclass(frozen=True, slots=True)
class LineCodec:
    """How the lines of one kind of instrument end."""

    request_end: bytes = b"\n"
    reply_end: bytes = b"\n"
    """With ``\\n`` a ``\\r`` before it is taken away as well."""
    blocks: bool = False
    """Whether an element of a reply may be a definite-length block, ``#<n><length><data>`` (IEEE 488.2, 8.7.9)."""
    max_reply_bytes: int = 4_096

    def encode(self, request: bytes) -> bytes:
        """The request with its terminator. Raises ValueError when one stands inside it."""
        if self.request_end in request:
            raise ValueError("a request cannot contain its own terminator")
        return request + self.request_end

    def decoder(self, request: bytes) -> LineDecoder:
        """A fresh decoder; every request of a line protocol is answered by one line."""
        return LineDecoder(self)


class LineDecoder:
    """Collects one line; its blocks may hold anything, its text only printable ASCII."""

    def __init__(self, codec: LineCodec) -> None:
        self._codec = codec
        self._buffer = bytearray()
        self._text_from = 0
        """Where the text after the newest block begins."""

    def feed(self, data: bytes) -> bytes | None:
        """The line without its terminator, once it is complete. Raises :class:`DeviceError` ``bad_reply``."""
        buffer = self._buffer
        if not buffer and (line := self._whole_line(data)) is not None:
            return line
        buffer += data
        if len(buffer) > self._codec.max_reply_bytes:
            raise _bad(f"The instrument sent more than {self._codec.max_reply_bytes} bytes.")
        while len(buffer) >= self._text_from:
            end = buffer.find(self._codec.reply_end, self._text_from)
            text_to = len(buffer) if end < 0 else end
            if self._codec.blocks and (block := _BLOCK_START.search(buffer, self._text_from, text_to)) is not None:
                self._check_text(block.start())
                if not self._skip_block(block):
                    return None
                continue
            self._check_text(text_to)
            return None if end < 0 else self._finish(end)
        return None

    def _whole_line(self, data: bytes) -> bytes | None:
        """The line, when it came in one piece and holds nothing special, as nearly every reply does."""
        codec = self._codec
        end = len(data) - len(codec.reply_end)
        if end < 0 or data.find(codec.reply_end) != end or len(data) > codec.max_reply_bytes:
            return None
        if (codec.blocks and b"#" in data) or data.translate(None, _PRINTABLE):
            return None
        return self._without_return(data[:end])

    def _skip_block(self, block: re.Match[bytes]) -> bool:
        """Go behind the block's data, come or yet to come; False when its header is not whole."""
        header_to = block.end() + int(block[1])
        digits = bytes(self._buffer[block.end() : header_to])
        if digits and not digits.isdigit():
            raise _bad(f"The instrument sent a block whose length is {digits!r}.")
        if len(self._buffer) < header_to:
            return False
        self._text_from = header_to + int(digits)
        if self._text_from > self._codec.max_reply_bytes:
            raise _bad(f"The instrument announced a block of {int(digits)} bytes.")
        return True

    def _check_text(self, text_to: int) -> None:
        strange = self._buffer[self._text_from : text_to].translate(None, _PRINTABLE)
        if strange:
            raise _bad(f"The instrument sent {bytes(strange[:20])!r}, which is no text: is the baud rate right?")

    def _finish(self, end: int) -> bytes:
        if self._buffer[end + len(self._codec.reply_end) :].strip():
            raise _bad("The instrument sent more than one reply.")
        reply = bytes(self._buffer[:end])
        return self._without_return(reply) if end > self._text_from else reply

    def _without_return(self, reply: bytes) -> bytes:
        return reply[:-1] if reply.endswith(b"\r") and self._codec.reply_end == b"\n" else reply


def take_block(data: bytes) -> tuple[bytes, bytes]:
    """A definite-length block's data, and what follows it. Raises :class:`DeviceError` ``bad_reply``."""
    block = _BLOCK_START.match(data)
    if block is None or block.start(1) != 1:
        raise _bad(f"The instrument sent {data[:20]!r} instead of a block.")
    header_to = 2 + int(block[1])
    digits = data[2:header_to]
    if len(digits) != int(block[1]) or not digits.isdigit() or len(data) < header_to + int(digits):
        raise _bad("The instrument sent a block that is not whole.")
    end = header_to + int(digits)
    return data[header_to:end], data[end:]


def _bad(text: str) -> DeviceError:
    return DeviceError(Code.BAD_REPLY, text)
